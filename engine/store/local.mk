noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%D%/driver.h \
	%D%/memory.c \
	%D%/migrations.h \
	%D%/pack.c %D%/pack.h \
	%D%/sqlite.c \
	%D%/sqlite-read.c \
	%D%/sqlite-schema.c \
	%D%/sqlite.h \
	%D%/store.c %D%/store.h \
	%D%/table.c %D%/table.h
nodist_libstore_a_SOURCES = engine/store/migrations.c
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

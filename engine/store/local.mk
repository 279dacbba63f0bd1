noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%D%/driver.h \
	%D%/memory.c %D%/memory.h \
	%D%/memory-entries.c \
	%D%/memory-expiry.c \
	%D%/memory-generation.c \
	%D%/memory-merge.c \
	%D%/memory-read.c \
	%D%/migrations.h \
	%D%/pack.c %D%/pack.h \
	%D%/sqlite.c %D%/sqlite.h \
	%D%/sqlite-entries.c \
	%D%/sqlite-expiry.c \
	%D%/sqlite-generation.c \
	%D%/sqlite-merge.c \
	%D%/sqlite-open.c \
	%D%/sqlite-read.c \
	%D%/sqlite-room.c \
	%D%/store.c %D%/store.h \
	%D%/table.c %D%/table.h
nodist_libstore_a_SOURCES = %D%/migrations.c
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(GLIB_CFLAGS)

schema_files = \
	data/schema/0001-initial.sql \
	data/schema/0002-entries.sql \
	data/schema/0003-retrained.sql
EXTRA_DIST += $(schema_files) scripts/embed-sql
CLEANFILES += %D%/migrations.c
%D%/migrations.c: $(schema_files) scripts/embed-sql
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && $(SHELL) scripts/embed-sql $(schema_files) \
		> $(abs_builddir)/$@.tmp && mv $(abs_builddir)/$@.tmp $(abs_builddir)/$@

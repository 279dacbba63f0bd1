noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%D%/driver.h \
	%D%/pack.c %D%/pack.h \
	%D%/memory/entry-tree.c \
	%D%/memory/generations.c \
	%D%/memory/memory.c %D%/memory/memory.h \
	%D%/memory/merging.c \
	%D%/memory/reading.c \
	%D%/memory/removals.c \
	%D%/sqlite/commit.c \
	%D%/sqlite/connection.c \
	%D%/sqlite/copy.c \
	%D%/sqlite/entries.c \
	%D%/sqlite/generation.c \
	%D%/sqlite/merge.c \
	%D%/sqlite/migrations.h \
	%D%/sqlite/open.c \
	%D%/sqlite/read.c \
	%D%/sqlite/removal.c \
	%D%/sqlite/room.c \
	%D%/sqlite/sqlite.h \
	%D%/sqlite/tidy.c \
	%D%/dispatch.c %D%/store.h
nodist_libstore_a_SOURCES = %D%/sqlite/migrations.c
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(GLIB_CFLAGS)

schema_files = \
	data/schema/0001-initial.sql \
	data/schema/0002-entries.sql \
	data/schema/0003-retrained.sql
EXTRA_DIST += $(schema_files) scripts/embed-sql
CLEANFILES += %D%/sqlite/migrations.c
%D%/sqlite/migrations.c: $(schema_files) scripts/embed-sql
	$(AM_V_GEN)$(MKDIR_P) %D%/sqlite && cd $(srcdir) && $(SHELL) scripts/embed-sql $(schema_files) \
		> $(abs_builddir)/$@.tmp && mv $(abs_builddir)/$@.tmp $(abs_builddir)/$@

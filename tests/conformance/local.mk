# One suite for every store driver.
check_PROGRAMS += %D%/store
TESTS          += %D%/store
tests_conformance_store_SOURCES = \
	%D%/alike.c %D%/changes.c %D%/entries.c %D%/fixture.c %D%/fixture.h %D%/reports.c \
	%D%/rows.c %D%/sqlite-trouble.c %D%/sqlite.c %D%/store.c $(UNIT_HEADER)
tests_conformance_store_CFLAGS  = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
tests_conformance_store_LDADD   = libfixture.a libstore.a libbase.a $(SQLITE_LIBS) $(GLIB_LIBS) $(CHECK_LIBS)

# One suite for every store driver.
check_PROGRAMS += %D%/store
TESTS          += %D%/store
tests_conformance_store_SOURCES = %D%/store.c $(UNIT_HEADER)
tests_conformance_store_CFLAGS  = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
tests_conformance_store_LDADD   = libstore.a libbase.a $(SQLITE_LIBS) $(GLIB_LIBS) $(CHECK_LIBS)

# What tests ask of a database that a daemon has left behind.
check_PROGRAMS += %D%/check_database
tests_check_check_database_SOURCES = %D%/check_database.c
tests_check_check_database_CFLAGS  = $(AM_CFLAGS) $(GLIB_CFLAGS)
tests_check_check_database_LDADD   = libstore.a libbase.a $(SQLITE_LIBS) $(GLIB_LIBS) -lm

if THREAD_SANITIZED
libtrainer_a_SOURCES += %D%/tsan_queue.c
endif

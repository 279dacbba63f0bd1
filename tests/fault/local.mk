# Tests of a failing disk: SQLite works on one in memory (vfs.h).
workload_sources = %D%/workload.c %D%/workload-check.c %D%/workload.h $(UNIT_HEADER)
fault_sources = %D%/vfs.c %D%/vfs.h %D%/vfs-cut.c %D%/vfs-disk.c %D%/vfs-disk.h \
	$(workload_sources)
fault_tests = %D%/test_damage %D%/test_faults %D%/test_powercut
check_PROGRAMS += $(fault_tests)
TESTS          += $(fault_tests)

tests_fault_test_powercut_SOURCES = %D%/test_powercut.c $(fault_sources)
tests_fault_test_powercut_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS) $(SQLITE_CFLAGS)
tests_fault_test_powercut_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_fault_test_faults_SOURCES = %D%/test_faults.c $(fault_sources)
tests_fault_test_faults_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS) $(SQLITE_CFLAGS)
tests_fault_test_faults_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_fault_test_damage_SOURCES = %D%/test_damage.c $(workload_sources)
tests_fault_test_damage_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS) $(SQLITE_CFLAGS)
tests_fault_test_damage_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

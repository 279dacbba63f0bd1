# Benchmarks: built by make check, run by hand and by scripts/bench.
check_PROGRAMS += %D%/bench_limit %D%/bench_spamd
tests_bench_bench_limit_SOURCES = %D%/bench_limit.c
tests_bench_bench_limit_CFLAGS  = $(AM_CFLAGS) $(GLIB_CFLAGS) $(GMIME_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_limit_LDADD   = libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS)

# The load generator of scripts/bench.
tests_bench_bench_spamd_SOURCES = %D%/bench_spamd.c
tests_bench_bench_spamd_CFLAGS  = $(AM_CFLAGS)

# Offers more than can be borne; for tests/integration/test_overload.py.
check_PROGRAMS += %D%/bench_overload
tests_bench_bench_overload_SOURCES = %D%/bench_overload.c
tests_bench_bench_overload_CFLAGS  = $(AM_CFLAGS)

# Fills databases for measurements.
check_PROGRAMS += %D%/bench_fill
tests_bench_bench_fill_SOURCES = %D%/bench_fill.c
tests_bench_bench_fill_LDADD   = libstore.a libmodel.a libbase.a $(SQLITE_LIBS) $(GLIB_LIBS) -lm

EXTRA_DIST += %D%/growth.py %D%/learning.py %D%/newsletters.py %D%/panels.py %D%/retrain_load.py

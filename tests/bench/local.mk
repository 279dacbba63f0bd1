# The load generator of scripts/bench.
check_PROGRAMS += %D%/bench_spamd
tests_bench_bench_spamd_SOURCES = %D%/bench_spamd.c
tests_bench_bench_spamd_CFLAGS  = $(AM_CFLAGS)

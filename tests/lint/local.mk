dist_check_SCRIPTS = %D%/layers.test %D%/headers.test
TESTS += $(dist_check_SCRIPTS)
TEST_EXTENSIONS = .test
TEST_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)' CC='$(CC)' \
	GLIB_CFLAGS='$(GLIB_CFLAGS) $(GMIME_CFLAGS) $(UV_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)'; \
	export srcdir CC GLIB_CFLAGS;

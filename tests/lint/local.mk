dist_check_SCRIPTS = %D%/layers.test %D%/structure.test %D%/headers.test %D%/settings.test
TESTS += $(dist_check_SCRIPTS)
TEST_EXTENSIONS = .test
TEST_LOG_DRIVER = $(LOG_DRIVER)
# A test hangs when it takes minutes; a machine may be as busy as it likes.
AM_TESTS_ENVIRONMENT = CK_TIMEOUT_MULTIPLIER=60; export CK_TIMEOUT_MULTIPLIER; srcdir='$(srcdir)' CC='$(CC)' \
	GLIB_CFLAGS='$(GLIB_CFLAGS) $(GMIME_CFLAGS) $(UV_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)'; \
	export srcdir CC GLIB_CFLAGS;

noinst_LIBRARIES += liborigin.a
liborigin_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/authentication.c %D%/authentication.h \
	%D%/network.c %D%/network.h \
	%D%/origin.c %D%/origin.h \
	%D%/unsubscribe.c
liborigin_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)

# The places that hamlet.conf(5) names are those of this configure run.
noinst_LIBRARIES += libsettings.a
libsettings_a_SOURCES  = %D%/budget.c %D%/budget.h \
	%D%/complaints.c %D%/complaints.h \
	%D%/service-settings.h %D%/settings.c %D%/settings.h %D%/value.c %D%/value.h
libsettings_a_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS)
libsettings_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSETTINGS_STATE_DIRECTORY='"$(localstatedir)/lib/hamlet"' \
	-DSETTINGS_RUNTIME_DIRECTORY='"$(runstatedir)/hamlet"'

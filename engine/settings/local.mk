# The places that hamlet.conf(5) names are those of this configure run.
noinst_LIBRARIES += libsettings.a
libsettings_a_SOURCES  = %D%/budget.c %D%/budget.h \
	%D%/complaints.c %D%/complaints.h \
	%D%/service-settings.h %D%/load.c %D%/settings.h \
	%D%/table.c %D%/table.h %D%/value.c %D%/value.h
libsettings_a_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS)
libsettings_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSETTINGS_STATE_DIRECTORY='"$(localstatedir)/lib/hamlet"' \
	-DSETTINGS_RUNTIME_DIRECTORY='"$(runstatedir)/hamlet"'

# What people read of the settings is made from their table, and kept: "make
# update-documents" writes it, tests/lint/settings.test compares it. It names the usual
# places.
check_PROGRAMS += %D%/documents
engine_settings_documents_SOURCES  = %D%/documents.c %D%/table.c %D%/value.c
engine_settings_documents_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS)
engine_settings_documents_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSETTINGS_STATE_DIRECTORY='"/var/lib/hamlet"' -DSETTINGS_RUNTIME_DIRECTORY='"/run/hamlet"'
engine_settings_documents_LDADD    = $(GLIB_LIBS)

.PHONY: update-documents
update-documents: %D%/documents$(EXEEXT)
	$(srcdir)/scripts/update-documents %D%/documents$(EXEEXT) $(srcdir)

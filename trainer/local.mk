noinst_LIBRARIES += libtrainer.a
libtrainer_a_SOURCES = \
	%D%/corpus.c %D%/corpus.h \
	%D%/evaluate.c %D%/evaluate.h \
	%D%/import.c %D%/import.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/plot.c %D%/plot.h \
	%D%/progress.c %D%/progress.h
libtrainer_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += hamlet-train
hamlet_train_SOURCES = %D%/main.c
hamlet_train_CFLAGS  = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS) \
	-DDEFAULT_CONFIG='"$(sysconfdir)/hamlet/hamlet.conf"'
hamlet_train_LDADD   = libtrainer.a libsettings.a $(SERVICE_LIBS) $(JANSSON_LIBS)

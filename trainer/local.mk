noinst_LIBRARIES += libtrainer.a
libtrainer_a_SOURCES = \
	%D%/adopt.c %D%/adopt.h \
	%D%/against.c %D%/against.h \
	%D%/bootstrap.c %D%/bootstrap.h \
	%D%/chart.c %D%/chart.h \
	%D%/comparison.c %D%/comparison.h \
	%D%/corpus.c %D%/corpus.h \
	%D%/evaluate.c %D%/evaluate.h \
	%D%/gray.c %D%/gray.h \
	%D%/import.c %D%/import.h \
	%D%/learner.c %D%/learner.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/plot.c %D%/plot.h \
	%D%/progress.c %D%/progress.h \
	%D%/random.c %D%/random.h \
	%D%/report.c %D%/report.h \
	%D%/reporters.c %D%/reporters.h \
	%D%/retrain.c %D%/retrain.h \
	engine/client/exchange.c engine/client/exchange.h
libtrainer_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += hamlet-train
hamlet_train_SOURCES = \
	%D%/commands.h \
	%D%/main.c \
	%D%/retrain-command.c
hamlet_train_CFLAGS  = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS) \
	-DDEFAULT_CONFIG='"$(sysconfdir)/hamlet/hamlet.conf"'
hamlet_train_LDADD   = libtrainer.a libsettings.a $(SERVICE_LIBS) $(JANSSON_LIBS)

noinst_LIBRARIES += libtrainer.a
libtrainer_a_SOURCES = \
	%D%/adopt.c %D%/adopt.h \
	%D%/ahead.c %D%/ahead.h \
	%D%/against.c %D%/against.h \
	%D%/bootstrap.c %D%/bootstrap.h \
	%D%/by-user.c %D%/by-user.h \
	%D%/chart.c %D%/chart.h \
	%D%/comparison.c %D%/comparison.h \
	%D%/corpus.c %D%/corpus.h \
	%D%/evaluate.c %D%/evaluate.h \
	%D%/figures.c %D%/figures.h \
	%D%/findings.c %D%/findings.h \
	%D%/findings-json.c \
	%D%/findings-print.c \
	%D%/gray.c %D%/gray.h \
	%D%/import.c %D%/import.h \
	%D%/learner.c %D%/learner.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/passes.c %D%/passes.h \
	%D%/plot.c %D%/plot.h \
	%D%/progress.c %D%/progress.h \
	%D%/proposal.c %D%/proposal.h \
	%D%/random.c %D%/random.h \
	%D%/replay.c %D%/replay.h \
	%D%/remote.c %D%/remote.h \
	%D%/report.c %D%/report.h \
	%D%/report-data.c %D%/report-data.h \
	%D%/report-json.c \
	%D%/reporters.c %D%/reporters.h \
	%D%/results-file.c %D%/results-file.h \
	%D%/retrain.c %D%/retrain.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/shared-tokens.c %D%/shared-tokens.h \
	engine/client/exchange.c engine/client/exchange.h
libtrainer_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += hamlet-train
hamlet_train_SOURCES = \
	%D%/commands.c %D%/commands.h \
	%D%/evaluate-command.c \
	%D%/expire-command.c \
	%D%/import-command.c \
	%D%/jig-command.c \
	%D%/main.c \
	%D%/retrain-command.c
hamlet_train_CFLAGS  = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS) \
	-DDEFAULT_CONFIG='"$(sysconfdir)/hamlet/hamlet.conf"'
hamlet_train_LDADD   = libtrainer.a libsettings.a $(SERVICE_LIBS) $(JANSSON_LIBS)

noinst_LIBRARIES += libtrainer.a
libtrainer_a_SOURCES = \
	%D%/adopt.c %D%/adopt.h \
	%D%/alone.c %D%/alone.h \
	%D%/corpus.c %D%/corpus.h \
	%D%/import.c %D%/import.h \
	%D%/progress.c %D%/progress.h \
	%D%/evaluate/against.c %D%/evaluate/against.h \
	%D%/evaluate/by-user.c %D%/evaluate/by-user.h \
	%D%/evaluate/evaluate.c %D%/evaluate/evaluate.h \
	%D%/evaluate/figures.c %D%/evaluate/figures.h \
	%D%/evaluate/findings-json.c \
	%D%/evaluate/findings-print.c \
	%D%/evaluate/findings.c %D%/evaluate/findings.h \
	%D%/evaluate/gray.c %D%/evaluate/gray.h \
	%D%/evaluate/replay.c %D%/evaluate/replay.h \
	%D%/evaluate/results-file.c %D%/evaluate/results-file.h \
	%D%/evaluate/schedule.c %D%/evaluate/schedule.h \
	%D%/measure/bootstrap.c %D%/measure/bootstrap.h \
	%D%/measure/chart.c %D%/measure/chart.h \
	%D%/measure/metrics.c %D%/measure/metrics.h \
	%D%/measure/plot.c %D%/measure/plot.h \
	%D%/measure/random.c %D%/measure/random.h \
	%D%/retrain/ahead.c %D%/retrain/ahead.h \
	%D%/retrain/comparison.c %D%/retrain/comparison.h \
	%D%/retrain/learner.c %D%/retrain/learner.h \
	%D%/retrain/passes.c %D%/retrain/passes.h \
	%D%/retrain/proposal.c %D%/retrain/proposal.h \
	%D%/retrain/summary-data.c %D%/retrain/summary-data.h \
	%D%/retrain/summary-json.c \
	%D%/retrain/summary.c %D%/retrain/summary.h \
	%D%/retrain/reporters.c %D%/retrain/reporters.h \
	%D%/retrain/retrain.h %D%/retrain/retraining.c \
	%D%/retrain/shared-tokens.c %D%/retrain/shared-tokens.h \
	engine/client/call.c engine/client/call.h \
	engine/client/exchange.c engine/client/exchange.h \
	engine/client/mail-walk.c engine/client/mail-walk.h
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
hamlet_train_LDADD   = libtrainer.a $(SERVICE_LIBS) $(JANSSON_LIBS)

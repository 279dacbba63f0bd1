noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	%D%/open.c \
	%D%/private.h \
	%D%/secret.c %D%/secret.h \
	%D%/service.h \
	%D%/site.c %D%/site.h \
	%D%/evidence/contribution.c %D%/evidence/contribution.h \
	%D%/evidence/evidence.h \
	%D%/evidence/global.c %D%/evidence/global.h \
	%D%/evidence/table.c %D%/evidence/table.h \
	%D%/evidence/user-cache.c %D%/evidence/user-cache.h \
	%D%/evidence/user-fold.c %D%/evidence/user-fold.h \
	%D%/query/diagnosis.c \
	%D%/query/explain.c \
	%D%/query/judge.c \
	%D%/query/past.c \
	%D%/query/policy.c \
	%D%/query/private.h \
	%D%/query/query.h \
	%D%/query/folds.c \
	%D%/query/verdict.c %D%/query/verdict.h \
	%D%/report/batch.c \
	%D%/report/event.c %D%/report/event.h \
	%D%/report/press.c \
	%D%/report/private.h \
	%D%/report/report.h \
	%D%/scope/entries.c %D%/scope/entries.h \
	%D%/upkeep/entry-list.c %D%/upkeep/entry-list.h \
	%D%/scope/preferences.c %D%/scope/preferences.h \
	%D%/scope/reputation.c %D%/scope/reputation.h \
	%D%/scope/scope.h \
	%D%/scope/user-name.c %D%/scope/user-name.h \
	%D%/upkeep/adoption.c \
	%D%/upkeep/budget.c %D%/upkeep/budget.h \
	%D%/upkeep/change.c %D%/upkeep/change.h \
	%D%/upkeep/checkpoint.c \
	%D%/upkeep/clock-check.c %D%/upkeep/clock-check.h \
	%D%/upkeep/erasure.c \
	%D%/upkeep/expiry.c \
	%D%/upkeep/generation.c %D%/upkeep/generation.h \
	%D%/upkeep/laying-down.c \
	%D%/upkeep/removal.c %D%/upkeep/removal.h \
	%D%/upkeep/renaming.c %D%/upkeep/renaming.h \
	%D%/upkeep/upkeep.h
libservice_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
SERVICE_LIBS = libservice.a liborigin.a libsettings.a libstore.a libmodel.a libbase.a $(TOKENIZER_LIBS) $(SQLITE_LIBS) $(GLIB_LIBS) $(IDN2_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) -lm

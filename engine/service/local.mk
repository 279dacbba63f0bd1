noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/adoption.c %D%/adoption.h \
	%D%/change.c \
	%D%/clock-check.c %D%/clock-check.h \
	%D%/diagnosis.c %D%/diagnosis.h \
	%D%/entries.c %D%/entries.h \
	%D%/entry-list.c %D%/entry-list.h \
	%D%/event.c %D%/event.h \
	%D%/evidence.c %D%/evidence.h \
	%D%/expiry.c %D%/expiry.h \
	%D%/explain.c \
	%D%/generation.c %D%/generation.h \
	%D%/global.c %D%/global.h \
	%D%/inquiry.c \
	%D%/internal.h \
	%D%/network.c %D%/network.h \
	%D%/origin.c %D%/origin.h \
	%D%/preferences.c %D%/preferences.h \
	%D%/query.c %D%/query.h \
	%D%/query-stores.c \
	%D%/removal.c %D%/removal.h \
	%D%/renaming.c %D%/renaming.h \
	%D%/report.c \
	%D%/reputation.c %D%/reputation.h \
	%D%/results.c %D%/results.h \
	%D%/secret.c %D%/secret.h \
	%D%/service.c %D%/service.h \
	%D%/site.c %D%/site.h \
	%D%/unsubscribe.c \
	%D%/user-name.c %D%/user-name.h \
	%D%/user-store.c %D%/user-store.h \
	%D%/users.c %D%/users.h \
	%D%/verdict.c %D%/verdict.h
libservice_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
SERVICE_LIBS = libservice.a libsettings.a libstore.a libmodel.a libbase.a $(TOKENIZER_LIBS) $(SQLITE_LIBS) $(GLIB_LIBS) $(IDN2_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) -lm

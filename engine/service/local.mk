noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	%D%/evidence.c %D%/evidence.h \
	%D%/global.c %D%/global.h \
	%D%/internal.h \
	%D%/query.c \
	%D%/report.c \
	%D%/service.c %D%/service.h \
	%D%/user-store.c \
	%D%/users.c %D%/users.h
libservice_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
SERVICE_LIBS = libservice.a libstore.a libmodel.a libbase.a $(TOKENIZER_LIBS) $(SQLITE_LIBS) $(GLIB_LIBS) -lm

# Never the store, the service or libuv: a client asks the daemon.
bin_PROGRAMS += hamlet
hamlet_SOURCES = \
	%D%/admin.c \
	%D%/call.c %D%/call.h \
	%D%/commands.c %D%/commands.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/main.c \
	%D%/show.c %D%/show.h
hamlet_CPPFLAGS = $(AM_CPPFLAGS) -DDEFAULT_SOCKET='"$(runstatedir)/hamlet/spamd.sock"'
hamlet_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)
hamlet_LDADD    = libbase.a $(TOKENIZER_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) -lm

# The arguments of other programs, for the scripts that call those.
bin_PROGRAMS += hamlet-sa-learn hamlet-bogofilter
compat_libs = libbase.a $(GLIB_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS)
hamlet_sa_learn_SOURCES     = \
	%D%/call.c %D%/call.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/mail-walk.c %D%/mail-walk.h \
	%D%/sa-learn-options.c %D%/sa-learn-options.h \
	%D%/sa-learn.c
hamlet_sa_learn_CPPFLAGS    = $(hamlet_CPPFLAGS)
hamlet_sa_learn_CFLAGS      = $(hamlet_CFLAGS)
hamlet_sa_learn_LDADD       = $(compat_libs)
hamlet_bogofilter_SOURCES   = \
	%D%/bogofilter-options.c %D%/bogofilter-options.h \
	%D%/bogofilter.c \
	%D%/exchange.c %D%/exchange.h \
	%D%/mail-walk.c %D%/mail-walk.h
hamlet_bogofilter_CPPFLAGS  = $(hamlet_CPPFLAGS)
hamlet_bogofilter_CFLAGS    = $(hamlet_CFLAGS)
hamlet_bogofilter_LDADD     = $(compat_libs)

# Feedback that arrives as mail, from a mail server's pipe.
bin_PROGRAMS += hamlet-intake
hamlet_intake_SOURCES = \
	%D%/exchange.c %D%/exchange.h \
	%D%/feedback-mail.c %D%/feedback-mail.h \
	%D%/intake.c
hamlet_intake_CPPFLAGS = $(hamlet_CPPFLAGS)
hamlet_intake_CFLAGS   = $(AM_CFLAGS) $(GMIME_CFLAGS)
hamlet_intake_LDADD    = libbase.a $(GMIME_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS)

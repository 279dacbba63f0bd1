# Never the store, the service or libuv: a client asks the daemon.
bin_PROGRAMS += hamlet
hamlet_SOURCES = \
	%D%/admin.c \
	%D%/commands.c %D%/commands.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/main.c \
	%D%/show.c %D%/show.h
hamlet_CPPFLAGS = $(AM_CPPFLAGS) -DDEFAULT_SOCKET='"$(runstatedir)/hamlet/spamd.sock"'
hamlet_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)
hamlet_LDADD    = libbase.a $(TOKENIZER_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS) -lm

noinst_LIBRARIES += libtokenizer.a
libtokenizer_a_SOURCES = \
	%D%/emit.c %D%/emit.h \
	%D%/entity.c %D%/entity.h \
	%D%/fields.c %D%/fields.h \
	%D%/fold.c %D%/fold.h \
	%D%/header.c %D%/header.h \
	%D%/html.c %D%/html.h \
	%D%/mime.c %D%/mime.h \
	%D%/outline.c %D%/outline.h \
	%D%/text.c %D%/text.h \
	%D%/tokenizer.c %D%/tokenizer.h \
	%D%/trace.c %D%/trace.h \
	%D%/url.c %D%/url.h
libtokenizer_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XXHASH_CFLAGS)
TOKENIZER_LIBS = libtokenizer.a $(GMIME_LIBS) $(XXHASH_LIBS) -lm

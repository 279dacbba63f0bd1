noinst_LIBRARIES += libtokenizer.a
libtokenizer_a_SOURCES = \
	%D%/ascii.c %D%/ascii.h \
	%D%/boundary.c %D%/boundary.h \
	%D%/charset-convert.c %D%/charset-convert.h \
	%D%/decode.c %D%/decode.h \
	%D%/emit.c %D%/emit.h \
	%D%/encoded-word.c %D%/encoded-word.h \
	%D%/entity.c %D%/entity.h \
	%D%/fields.c %D%/fields.h \
	%D%/fold.c %D%/fold.h \
	%D%/header.c %D%/header.h \
	%D%/header-state.c %D%/header-state.h \
	%D%/html.c %D%/html.h \
	%D%/html-names.c %D%/html-names.h \
	%D%/html-style.c %D%/html-style.h \
	%D%/mailbox.c \
	%D%/mime-walk.c %D%/mime.h \
	%D%/mime-charset.c %D%/mime-charset.h \
	%D%/mime-field.c %D%/mime-field.h \
	%D%/mime-text.c %D%/mime-text.h \
	%D%/section.c %D%/section.h \
	%D%/text.c %D%/text.h \
	%D%/tokenize.c %D%/tokenizer.h \
	%D%/trace.c %D%/trace.h \
	%D%/url.c %D%/url.h
libtokenizer_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XXHASH_CFLAGS)
TOKENIZER_LIBS = libtokenizer.a $(GMIME_LIBS) $(XXHASH_LIBS) -lm

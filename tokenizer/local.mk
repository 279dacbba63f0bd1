noinst_LIBRARIES += libtokenizer.a
libtokenizer_a_SOURCES = \
	%D%/tokenizer.c %D%/tokenizer.h
libtokenizer_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XXHASH_CFLAGS)
TOKENIZER_LIBS = libtokenizer.a $(GMIME_LIBS) $(XXHASH_LIBS) -lm

noinst_LIBRARIES += libprotocol.a
libprotocol_a_SOURCES = \
	%D%/spamd.h \
	%D%/spamd-headers.c \
	%D%/spamd-headers.h \
	%D%/spamd-reply.c \
	%D%/spamd-rewrite.c \
	%D%/spamd-rewrite.h \
	%D%/spamd-session.c \
	%D%/spamd-slice.h

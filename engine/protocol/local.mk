noinst_LIBRARIES += libprotocol.a
libprotocol_a_SOURCES = \
	%D%/forged-fields.c %D%/forged-fields.h \
	%D%/milter.h \
	%D%/milter-frame.h \
	%D%/milter-reply.c \
	%D%/milter-session.c \
	%D%/spamd.h \
	%D%/spamd-headers.c \
	%D%/spamd-headers.h \
	%D%/spamd-reply.c \
	%D%/spamd-rewrite.c \
	%D%/spamd-rewrite.h \
	%D%/spamd-session.c \
	%D%/spamd-slice.h

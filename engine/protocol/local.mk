noinst_LIBRARIES += libprotocol.a
libprotocol_a_SOURCES = \
	%D%/spamd.h \
	%D%/spamd-reply.c \
	%D%/spamd-session.c

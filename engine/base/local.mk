noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%D%/account.c %D%/account.h \
	%D%/buffer.c %D%/buffer.h \
	%D%/compression.c %D%/compression.h \
	%D%/domain.c %D%/domain.h \
	%D%/mail-file.c %D%/mail-file.h \
	%D%/mbox.c %D%/mbox.h \
	%D%/message-kind.c %D%/message-kind.h \
	%D%/private-file.c %D%/private-file.h \
	%D%/status.c %D%/status.h \
	%D%/thread-role.c %D%/thread-role.h

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%D%/buffer.c %D%/buffer.h \
	%D%/domain.c %D%/domain.h \
	%D%/private-file.c %D%/private-file.h \
	%D%/status.c %D%/status.h

noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = %D%/model.c %D%/model.h

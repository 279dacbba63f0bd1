noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = %D%/service.h
SERVICE_LIBS = libservice.a libstore.a libmodel.a libbase.a $(TOKENIZER_LIBS) $(SQLITE_LIBS) $(GLIB_LIBS)

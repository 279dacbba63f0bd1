# Each target is one file with LLVMFuzzerTestOneInput. With --enable-fuzz it is
# linked to libFuzzer (scripts/fuzz runs it); otherwise replay_main.c replays
# the corpus, and the bytes of every seed cut short, in plain `make check`.
fuzz_targets = %D%/fuzz_tokenizer %D%/fuzz_html %D%/fuzz_spamd %D%/fuzz_settings \
	%D%/fuzz_milter %D%/fuzz_origin %D%/fuzz_call %D%/fuzz_feedback_mail \
	%D%/fuzz_entity %D%/fuzz_generation %D%/fuzz_http %D%/fuzz_index %D%/fuzz_pack \
	%D%/fuzz_compression %D%/fuzz_message_kind %D%/fuzz_database %D%/fuzz_flow %D%/fuzz_mbox \
	%D%/fuzz_user_name

if FUZZ
noinst_PROGRAMS += $(fuzz_targets)
FUZZ_MAIN    =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
check_PROGRAMS += $(fuzz_targets)
TESTS          += $(fuzz_targets)
FUZZ_MAIN    = tests/fuzz/replay_main.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus"'
FUZZ_CFLAGS   = $(AM_CFLAGS) -Wno-missing-prototypes

tests_fuzz_fuzz_tokenizer_SOURCES  = %D%/fuzz_tokenizer.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tokenizer_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_tokenizer_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_tokenizer_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_tokenizer_LDADD    = $(TOKENIZER_LIBS)

tests_fuzz_fuzz_html_SOURCES  = %D%/fuzz_html.c $(FUZZ_MAIN)
tests_fuzz_fuzz_html_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_html_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_html_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_html_LDADD    = $(TOKENIZER_LIBS)

tests_fuzz_fuzz_spamd_SOURCES  = %D%/fuzz_spamd.c $(FUZZ_MAIN)
tests_fuzz_fuzz_spamd_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_spamd_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_spamd_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_spamd_LDADD    = libprotocol.a libbase.a

tests_fuzz_fuzz_settings_SOURCES  = %D%/fuzz_settings.c $(FUZZ_MAIN)
tests_fuzz_fuzz_settings_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_settings_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_settings_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_settings_LDADD    = libsettings.a libbase.a $(GLIB_LIBS)

tests_fuzz_fuzz_milter_SOURCES  = %D%/fuzz_milter.c $(FUZZ_MAIN)
tests_fuzz_fuzz_milter_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_milter_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_milter_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_milter_LDADD    = libprotocol.a libbase.a

tests_fuzz_fuzz_origin_SOURCES  = %D%/fuzz_origin.c $(FUZZ_MAIN)
tests_fuzz_fuzz_origin_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_origin_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_origin_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_origin_LDADD    = $(SERVICE_LIBS)

tests_fuzz_fuzz_call_SOURCES  = %D%/fuzz_call.c $(FUZZ_MAIN)
tests_fuzz_fuzz_call_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_call_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_call_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_call_LDADD    = $(DAEMON_LIBS)

EXTRA_DIST += $(srcdir)/tests/fuzz/corpus %D%/fuzz_compression.dict %D%/fuzz_database.dict \
	%D%/fuzz_flow.dict %D%/fuzz_spamd.dict %D%/fuzz_tokenizer.dict %D%/fuzz_user_name.dict

tests_fuzz_fuzz_feedback_mail_SOURCES  = %D%/fuzz_feedback_mail.c \
	engine/client/feedback-mail.c $(FUZZ_MAIN)
tests_fuzz_fuzz_feedback_mail_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_feedback_mail_CFLAGS   = $(FUZZ_CFLAGS) $(GMIME_CFLAGS)
tests_fuzz_fuzz_feedback_mail_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_feedback_mail_LDADD    = libbase.a $(GMIME_LIBS)

tests_fuzz_fuzz_entity_SOURCES  = %D%/fuzz_entity.c $(FUZZ_MAIN)
tests_fuzz_fuzz_entity_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_entity_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_entity_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_entity_LDADD    = $(TOKENIZER_LIBS)

tests_fuzz_fuzz_generation_SOURCES  = %D%/fuzz_generation.c %D%/memory_file.h $(FUZZ_MAIN)
tests_fuzz_fuzz_generation_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_generation_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS)
tests_fuzz_fuzz_generation_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_generation_LDADD    = $(SERVICE_LIBS) $(GLIB_LIBS)

tests_fuzz_fuzz_http_SOURCES  = %D%/fuzz_http.c $(FUZZ_MAIN)
tests_fuzz_fuzz_http_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_http_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS)
tests_fuzz_fuzz_http_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_http_LDADD    = $(DAEMON_LIBS)

tests_fuzz_fuzz_index_SOURCES  = %D%/fuzz_index.c %D%/memory_file.h $(FUZZ_MAIN)
tests_fuzz_fuzz_index_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_index_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS)
tests_fuzz_fuzz_index_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_index_LDADD    = libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS)

tests_fuzz_fuzz_pack_SOURCES  = %D%/fuzz_pack.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pack_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_pack_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_pack_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_pack_LDADD    = libstore.a libbase.a $(GLIB_LIBS)

tests_fuzz_fuzz_compression_SOURCES  = %D%/fuzz_compression.c $(FUZZ_MAIN)
tests_fuzz_fuzz_compression_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_compression_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_compression_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_compression_LDADD    = libbase.a $(ZLIB_LIBS) $(ZSTD_LIBS)

tests_fuzz_fuzz_message_kind_SOURCES  = %D%/fuzz_message_kind.c $(FUZZ_MAIN)
tests_fuzz_fuzz_message_kind_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_message_kind_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_message_kind_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_message_kind_LDADD    = libbase.a $(ZLIB_LIBS) $(ZSTD_LIBS)

tests_fuzz_fuzz_database_SOURCES  = %D%/fuzz_database.c %D%/use_service.h %D%/require.h $(FUZZ_MAIN)
tests_fuzz_fuzz_database_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_database_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS)
tests_fuzz_fuzz_database_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_database_LDADD    = $(DAEMON_LIBS)

tests_fuzz_fuzz_flow_SOURCES  = %D%/fuzz_flow.c %D%/use_service.h %D%/require.h $(FUZZ_MAIN)
tests_fuzz_fuzz_flow_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_flow_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS)
tests_fuzz_fuzz_flow_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_flow_LDADD    = $(DAEMON_LIBS)

tests_fuzz_fuzz_mbox_SOURCES  = %D%/fuzz_mbox.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mbox_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_mbox_CFLAGS   = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_mbox_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_mbox_LDADD    = libbase.a

tests_fuzz_fuzz_user_name_SOURCES  = %D%/fuzz_user_name.c %D%/require.h $(FUZZ_MAIN)
tests_fuzz_fuzz_user_name_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_user_name_CFLAGS   = $(FUZZ_CFLAGS) $(GLIB_CFLAGS)
tests_fuzz_fuzz_user_name_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_user_name_LDADD    = $(SERVICE_LIBS)

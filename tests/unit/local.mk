UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -Wno-missing-prototypes
UNIT_HEADER = tests/unit/unit.h tests/unit/store-verbs.h

# What the tests share; before the libraries that it uses.
check_LIBRARIES = libfixture.a
libfixture_a_SOURCES = \
	%D%/fixture.c %D%/fixture.h %D%/folder.c %D%/folder.h %D%/made-generation.c \
	%D%/made-generation.h %D%/small-mail.c %D%/small-mail.h $(UNIT_HEADER)
libfixture_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(GLIB_CFLAGS)

unit_tests = \
	%D%/test_adoption \
	%D%/test_answer \
	%D%/test_attacks \
	%D%/test_base \
	%D%/test_change \
	%D%/test_doubt \
	%D%/test_clients \
	%D%/test_clock \
	%D%/test_evaluate \
	%D%/test_event \
	%D%/test_expiry \
	%D%/test_feedback \
	%D%/test_mail_file \
	%D%/test_mbox \
	%D%/test_milter \
	%D%/test_mime \
	%D%/test_http \
	%D%/test_model \
	%D%/test_origin \
	%D%/test_pack \
	%D%/test_proposal \
	%D%/test_recipients \
	%D%/test_retrain \
	%D%/test_sandbox \
	%D%/test_service \
	%D%/test_settings \
	%D%/test_spamd \
	%D%/test_table \
	%D%/test_tokenizer \
	%D%/test_trainer \
	%D%/test_users
check_PROGRAMS += $(unit_tests)
TESTS          += $(unit_tests)

tests_unit_test_base_SOURCES = %D%/test_base.c $(UNIT_HEADER)
tests_unit_test_base_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_base_LDADD   = libbase.a $(IDN2_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(CHECK_LIBS)

tests_unit_test_clients_SOURCES = %D%/test_clients.c $(UNIT_HEADER)
tests_unit_test_clients_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_clients_LDADD   = $(DAEMON_LIBS) $(CHECK_LIBS)

tests_unit_test_http_SOURCES = %D%/test_http.c $(UNIT_HEADER)
tests_unit_test_http_CFLAGS  = $(UNIT_CFLAGS) $(MHD_CFLAGS)
tests_unit_test_http_LDADD   = libdaemon.a $(GLIB_LIBS) $(MHD_LIBS) $(CHECK_LIBS)

tests_unit_test_mail_file_SOURCES = %D%/test_mail_file.c $(UNIT_HEADER)
tests_unit_test_mail_file_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_mail_file_LDADD   = libbase.a $(ZLIB_LIBS) $(ZSTD_LIBS) $(CHECK_LIBS)

tests_unit_test_mbox_SOURCES = %D%/test_mbox.c $(UNIT_HEADER)
tests_unit_test_mbox_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_mbox_LDADD   = libbase.a $(CHECK_LIBS)

tests_unit_test_model_SOURCES = %D%/test_model.c $(UNIT_HEADER)
tests_unit_test_model_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_model_LDADD   = libmodel.a $(CHECK_LIBS) -lm

tests_unit_test_pack_SOURCES = %D%/test_pack.c $(UNIT_HEADER)
tests_unit_test_pack_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_pack_LDADD   = libstore.a libbase.a $(GLIB_LIBS) $(CHECK_LIBS)

tests_unit_test_table_SOURCES = %D%/test_table.c $(UNIT_HEADER)
tests_unit_test_table_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_table_LDADD   = libservice.a libstore.a libbase.a $(GLIB_LIBS) $(CHECK_LIBS)

tests_unit_test_spamd_SOURCES = %D%/test_spamd.c $(UNIT_HEADER)
tests_unit_test_spamd_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_spamd_LDADD   = libprotocol.a libbase.a $(CHECK_LIBS)

tests_unit_test_tokenizer_SOURCES = %D%/test_tokenizer.c $(UNIT_HEADER)
tests_unit_test_tokenizer_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_tokenizer_LDADD   = $(TOKENIZER_LIBS) $(CHECK_LIBS)

tests_unit_test_service_SOURCES = %D%/test_service.c $(UNIT_HEADER)
tests_unit_test_service_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_service_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_settings_SOURCES = %D%/test_settings.c $(UNIT_HEADER)
tests_unit_test_settings_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_settings_LDADD   = libsettings.a libbase.a $(GLIB_LIBS) $(CHECK_LIBS)

tests_unit_test_trainer_SOURCES = %D%/test_trainer.c $(UNIT_HEADER)
tests_unit_test_trainer_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_trainer_LDADD   = libfixture.a libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS)

tests_unit_test_retrain_SOURCES = %D%/test_retrain.c $(UNIT_HEADER)
tests_unit_test_retrain_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_retrain_LDADD   = libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS) -lm

tests_unit_test_evaluate_SOURCES = %D%/test_evaluate.c $(UNIT_HEADER)
tests_unit_test_evaluate_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_evaluate_LDADD   = libfixture.a libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS) -lm

tests_unit_test_clock_SOURCES = %D%/test_clock.c $(UNIT_HEADER)
tests_unit_test_clock_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_clock_LDADD   = $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_event_SOURCES = %D%/test_event.c $(UNIT_HEADER)
tests_unit_test_event_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_event_LDADD   = $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_origin_SOURCES = %D%/test_origin.c $(UNIT_HEADER)
tests_unit_test_origin_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_origin_LDADD   = $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_adoption_SOURCES = %D%/test_adoption.c $(UNIT_HEADER)
tests_unit_test_adoption_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_adoption_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_change_SOURCES = %D%/test_change.c $(UNIT_HEADER)
tests_unit_test_change_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_change_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_doubt_SOURCES = %D%/test_doubt.c $(UNIT_HEADER)
tests_unit_test_doubt_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_doubt_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_answer_SOURCES = %D%/test_answer.c $(UNIT_HEADER)
tests_unit_test_answer_CFLAGS  = $(UNIT_CFLAGS) $(UV_CFLAGS) $(GLIB_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_answer_LDADD   = libfixture.a $(DAEMON_LIBS) $(CHECK_LIBS)

tests_unit_test_recipients_SOURCES = %D%/test_recipients.c $(UNIT_HEADER)
tests_unit_test_recipients_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_recipients_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_feedback_SOURCES = %D%/test_feedback.c $(UNIT_HEADER)
tests_unit_test_feedback_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_feedback_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_milter_SOURCES = %D%/test_milter.c $(UNIT_HEADER)
tests_unit_test_milter_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_milter_LDADD   = libprotocol.a libbase.a $(CHECK_LIBS)

tests_unit_test_expiry_SOURCES = %D%/test_expiry.c $(UNIT_HEADER)
tests_unit_test_expiry_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_expiry_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_proposal_SOURCES = %D%/test_proposal.c $(UNIT_HEADER)
tests_unit_test_proposal_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_proposal_LDADD   = libtrainer.a $(SERVICE_LIBS) $(GLIB_LIBS) $(CHECK_LIBS) -lm

# The tokenizer and the service once more, with their work counted (work.h).
COUNT_WORK = $(AM_LDFLAGS) \
	-Wl,--wrap=memchr -Wl,--wrap=memrchr -Wl,--wrap=memmem -Wl,--wrap=memcpy \
	-Wl,--wrap=memmove -Wl,--wrap=memset -Wl,--wrap=strlen -Wl,--wrap=strnlen \
	-Wl,--wrap=strspn -Wl,--wrap=strcspn -Wl,--wrap=strchr -Wl,--wrap=strrchr \
	-Wl,--wrap=strstr
check_LIBRARIES += libcounted.a
libcounted_a_SOURCES = $(libtokenizer_a_SOURCES) $(libservice_a_SOURCES)
libcounted_a_CFLAGS  = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XXHASH_CFLAGS) -fno-builtin \
	-fsanitize-coverage=trace-pc

tests_unit_test_attacks_SOURCES = %D%/test_attacks.c %D%/work.c %D%/work.h $(UNIT_HEADER)
tests_unit_test_attacks_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_attacks_LDFLAGS = $(COUNT_WORK)
tests_unit_test_attacks_LDADD   = libfixture.a libcounted.a $(SERVICE_LIBS) $(GLIB_LIBS) $(CHECK_LIBS)

tests_unit_test_users_SOURCES = %D%/test_users.c $(UNIT_HEADER)
tests_unit_test_users_CFLAGS  = $(UNIT_CFLAGS) $(GLIB_CFLAGS)
tests_unit_test_users_LDADD   = libfixture.a $(SERVICE_LIBS) $(CHECK_LIBS)

tests_unit_test_mime_SOURCES = %D%/test_mime.c $(UNIT_HEADER)
tests_unit_test_mime_CFLAGS  = $(UNIT_CFLAGS) $(GMIME_CFLAGS)
tests_unit_test_mime_LDADD   = $(TOKENIZER_LIBS) $(CHECK_LIBS)

tests_unit_test_sandbox_SOURCES = %D%/test_sandbox.c $(UNIT_HEADER)
tests_unit_test_sandbox_CFLAGS  = $(UNIT_CFLAGS)
tests_unit_test_sandbox_LDADD   = libfixture.a $(DAEMON_LIBS) $(CHECK_LIBS)

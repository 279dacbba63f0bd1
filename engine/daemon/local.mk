# All but main() is an archive, so that tests can link it.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	%D%/check.c %D%/check.h \
	%D%/confine.c %D%/confine.h \
	%D%/counters.h \
	%D%/log.c %D%/log.h \
	%D%/notify.c %D%/notify.h \
	%D%/peer.c %D%/peer.h \
	%D%/reload.c %D%/reload.h \
	%D%/run.c \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/sandbox-calls.c \
	%D%/sandbox-files.c \
	%D%/server.c %D%/server.h \
	%D%/steps.c %D%/steps.h \
	%D%/upgrade.c %D%/upgrade.h \
	%D%/loop/admission.c %D%/loop/admission.h \
	%D%/loop/connection.c %D%/loop/connection.h \
	%D%/loop/front.h \
	%D%/loop/job.c %D%/loop/job.h \
	%D%/loop/lanes.c %D%/loop/lanes.h \
	%D%/loop/long-work.c %D%/loop/long-work.h \
	%D%/loop/pace.c %D%/loop/pace.h \
	%D%/loop/quota.c %D%/loop/quota.h \
	%D%/loop/sockets.c %D%/loop/sockets.h \
	%D%/loop/state.h \
	%D%/loop/transport.c %D%/loop/transport.h \
	%D%/loop/writer.c %D%/loop/writer.h \
	%D%/task/call.c %D%/task/call.h \
	%D%/task/context.c %D%/task/context.h \
	%D%/task/diagnose.c \
	%D%/task/housekeeping.c %D%/task/housekeeping.h \
	%D%/task/press.c \
	%D%/task/run-call.c \
	%D%/task/scan.c \
	%D%/task/task.c %D%/task/task.h \
	%D%/render/json.c \
	%D%/render/metrics.c \
	%D%/render/render.h \
	%D%/render/stats.c \
	%D%/render/text.c \
	%D%/http/api.c \
	%D%/http/body.c \
	%D%/http/clients.c %D%/http/clients.h \
	%D%/http/exchange.c %D%/http/exchange.h \
	%D%/http/http.c %D%/http/http.h \
	%D%/http/http-private.h \
	%D%/http/listening.c \
	%D%/http/receive.c \
	%D%/http/rspamd.c \
	%D%/http/strict.c %D%/http/strict.h \
	%D%/http/target.c %D%/http/target.h \
	%D%/milter/answer.c %D%/milter/answer.h \
	%D%/milter/milter.c %D%/milter/milter.h \
	%D%/spamd/client.h \
	%D%/spamd/request.c \
	%D%/spamd/spamd.c %D%/spamd/spamd.h
libdaemon_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS) $(JANSSON_CFLAGS) \
	$(MHD_CFLAGS) $(SECCOMP_CFLAGS)
DAEMON_LIBS = libdaemon.a libprotocol.a $(SERVICE_LIBS) \
	$(UV_LIBS) $(JANSSON_LIBS) $(MHD_LIBS) $(SECCOMP_LIBS) $(GLIB_LIBS)

sbin_PROGRAMS += hamletd
hamletd_SOURCES  = %D%/main.c
hamletd_CPPFLAGS = $(AM_CPPFLAGS) -DHAMLET_CONF='"$(sysconfdir)/hamlet/hamlet.conf"'
hamletd_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS)
hamletd_LDADD    = $(DAEMON_LIBS)

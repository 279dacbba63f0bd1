# All but main() is an archive, so that tests can link it.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	%D%/aside.c %D%/aside.h \
	%D%/call.c %D%/call.h \
	%D%/check.c %D%/check.h \
	%D%/confine.c %D%/confine.h \
	%D%/context.c %D%/context.h \
	%D%/counters.h \
	%D%/housekeeping.c %D%/housekeeping.h \
	%D%/job.c %D%/job.h \
	%D%/lanes.c %D%/lanes.h \
	%D%/log.c %D%/log.h \
	%D%/notify.c %D%/notify.h \
	%D%/pace.c %D%/pace.h \
	%D%/peer.c %D%/peer.h \
	%D%/quota.c %D%/quota.h \
	%D%/reload.c %D%/reload.h \
	%D%/render.c %D%/render.h \
	%D%/render-json.c \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/sandbox-calls.c \
	%D%/sandbox-files.c \
	%D%/server.c %D%/server.h \
	%D%/sockets.c %D%/sockets.h \
	%D%/stats.c %D%/stats.h \
	%D%/task.c %D%/task.h \
	%D%/task-call.c \
	%D%/task-internal.h \
	%D%/upgrade.c %D%/upgrade.h \
	%D%/writer.c %D%/writer.h \
	%D%/http/api.c \
	%D%/http/body.c \
	%D%/http/clients.c %D%/http/clients.h \
	%D%/http/exchange.c %D%/http/exchange.h \
	%D%/http/http.c %D%/http/http.h \
	%D%/http/internal.h \
	%D%/http/listening.c \
	%D%/http/metrics.c %D%/http/metrics.h \
	%D%/http/receive.c \
	%D%/http/rspamd.c \
	%D%/http/strict.c %D%/http/strict.h \
	%D%/http/target.c %D%/http/target.h \
	%D%/milter/answer.c %D%/milter/answer.h \
	%D%/milter/connection.c \
	%D%/milter/internal.h \
	%D%/milter/milter.c %D%/milter/milter.h \
	%D%/spamd/answer.c \
	%D%/spamd/connection.c %D%/spamd/connection.h \
	%D%/spamd/internal.h \
	%D%/spamd/listener.c %D%/spamd/listener.h \
	%D%/spamd/request.c %D%/spamd/request.h
libdaemon_a_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS) $(JANSSON_CFLAGS) \
	$(MHD_CFLAGS) $(SECCOMP_CFLAGS)
DAEMON_LIBS = libdaemon.a libprotocol.a $(SERVICE_LIBS) \
	$(UV_LIBS) $(JANSSON_LIBS) $(MHD_LIBS) $(SECCOMP_LIBS) $(GLIB_LIBS)

sbin_PROGRAMS += hamletd
hamletd_SOURCES  = %D%/main.c
hamletd_CPPFLAGS = $(AM_CPPFLAGS) -DHAMLET_CONF='"$(sysconfdir)/hamlet/hamlet.conf"'
hamletd_CFLAGS   = $(AM_CFLAGS) $(GLIB_CFLAGS) $(UV_CFLAGS)
hamletd_LDADD    = $(DAEMON_LIBS)

# What is installed but not compiled. Places are known to make only, hence sed
# here and not in configure.
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
confdir     = $(sysconfdir)/hamlet

noinst_DATA                   = %D%/conf/hamlet.conf
nodist_systemdsystemunit_DATA = \
	%D%/systemd/hamletd.service \
	%D%/systemd/hamlet-retrain.service
dist_systemdsystemunit_DATA   = \
	%D%/systemd/hamletd.socket \
	%D%/systemd/hamlet-retrain.timer

data_inputs = \
	%D%/conf/hamlet.conf.in \
	%D%/systemd/hamletd.service.in \
	%D%/systemd/hamlet-retrain.service.in
data_outputs = \
	%D%/conf/hamlet.conf \
	%D%/systemd/hamletd.service \
	%D%/systemd/hamlet-retrain.service

EXTRA_DIST += \
	%D%/openapi.json \
	$(data_inputs) \
	%D%/systemd/hamlet.sysusers \
	%D%/systemd/hamlet.tmpfiles \
	$(srcdir)/data/sample \
	$(srcdir)/data/examples
CLEANFILES += $(data_outputs)

$(data_outputs): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SED) -e 's|@bindir[@]|$(bindir)|g' \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		-e 's|@localstatedir[@]|$(localstatedir)|g' \
		-e 's|@runstatedir[@]|$(runstatedir)|g' \
		$(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
%D%/conf/hamlet.conf: %D%/conf/hamlet.conf.in
%D%/systemd/hamletd.service: %D%/systemd/hamletd.service.in
%D%/systemd/hamlet-retrain.service: %D%/systemd/hamlet-retrain.service.in

# These get other names, and a configuration that is there already stays.
install-data-hook: install-hamlet-data
uninstall-hook: uninstall-hamlet-data
.PHONY: install-hamlet-data uninstall-hamlet-data
install-hamlet-data:
	$(MKDIR_P) '$(DESTDIR)$(confdir)' '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	test -e '$(DESTDIR)$(confdir)/hamlet.conf' || \
		$(INSTALL_DATA) data/conf/hamlet.conf '$(DESTDIR)$(confdir)/hamlet.conf'
	$(INSTALL_DATA) $(srcdir)/data/systemd/hamlet.sysusers '$(DESTDIR)$(sysusersdir)/hamlet.conf'
	$(INSTALL_DATA) $(srcdir)/data/systemd/hamlet.tmpfiles '$(DESTDIR)$(tmpfilesdir)/hamlet.conf'

uninstall-hamlet-data:
	rm -f '$(DESTDIR)$(sysusersdir)/hamlet.conf' '$(DESTDIR)$(tmpfilesdir)/hamlet.conf'
	if cmp -s data/conf/hamlet.conf '$(DESTDIR)$(confdir)/hamlet.conf'; then \
		rm -f '$(DESTDIR)$(confdir)/hamlet.conf'; fi

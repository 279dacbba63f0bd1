# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/, done as they stand on a machine of their own with Debian's systemd,
mail servers and hamletd's own unit."""
import re
import subprocess

import pytest

from conftest import TOP, make_message, wait_until
from documents import add, blocks, follow, indented, undo
from machine import Machine, why_not

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """With Hamlet installed as README.md says."""
    machine = Machine(tmp_path_factory.mktemp("machine") / "files")
    files = subprocess.run(["git", "-C", TOP, "ls-files", "-z"], stdout=subprocess.PIPE, check=True).stdout
    archive = subprocess.run(["tar", "-C", TOP, "--null", "-T", "-", "-c"], input=files,
                             stdout=subprocess.PIPE, check=True).stdout
    machine.run("mkdir /src && tar -x -C /src", input=archive)
    install = indented("README.md", "Install").splitlines()
    first = next(i for i, line in enumerate(install) if line.startswith("systemctl stop"))
    machine.run("\n".join(install[:first]), folder="/src")
    machine.after_install = "\n".join(install[first:])
    machine.write("/etc/apt/apt.conf.d/90tests",
                  'APT::Install-Recommends "false";\nAcquire::Retries "0";\n')
    # Debian has no npm, so that the sample mail stands in for the corpus.
    machine.run("cp /etc/hamlet/hamlet.conf /root/hamlet.conf.new; useradd --create-home vmail; "
                "rm -f $(type -ap npm)")
    yield machine
    machine.stop()


@pytest.fixture(autouse=True)
def as_installed(machine):
    """Each document is for a site that has done nothing else."""
    yield
    machine.run("cp /root/hamlet.conf.new /etc/hamlet/hamlet.conf && systemctl restart hamletd")


def shows(machine, *words):
    """`journalctl -u hamletd` shows a line with these, soon."""
    wait_until(lambda: any(all(word in line for word in words)
                           for line in machine.log("hamletd").splitlines()), " ".join(words), 60)


def test_readme_installs_and_learns(machine):
    machine.write("/root/message.eml", make_message(1))
    for number in range(20):
        kind = ".Junk/cur" if number % 2 else "cur"
        machine.write("/root/Maildir/%s/%d:2,S" % (kind, number), make_message(number, kind))
    printed = machine.run(machine.after_install, folder="/root")
    for shown in ("learned 20 messages", "successfully un/learned", "1. list", '"personal":true'):
        assert shown in printed
    assert "active" in machine.run("systemctl is-active hamletd hamlet-retrain.timer")
    shows(machine, "event=scan")


def test_quickstart(machine):
    printed = machine.run(indented("README.md", "Try it").splitlines()[0], folder="/src")
    for shown in ("Alice presses", "learned (for this user alone)", "area above the ROC curve", "Done."):
        assert shown in printed


def test_performance(machine):
    """What is here is measured; scripts/test has seen to the packages."""
    follow(machine, "docs/performance.md", shorter=(
        ("setup --test", "setup"), ("bench --install", "bench --build build/install --messages 20"),
        ("100000 1000", "2000 50"), ('retrain_load.py "$folder"', 'retrain_load.py "$folder" 1'),
        ("growth.py", "growth.py --small")))


def test_endurance(machine):
    """The load itself is test_overload.py's, which runs anyway."""
    follow(machine, "docs/endurance.md", shorter=(("pytest -rP", "pytest -rP --collect-only"),))


# People with any name and one password, whose mail is read as vmail.
MAILBOXES = """
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/home/vmail/%u
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = create
  }
}
"""


def dovecot(machine, settings=""):
    """A site with Dovecot, the certificate of which Debian's package recommends to make. PAM is
    not asked: it takes two seconds to say that it does not know somebody."""
    machine.run("mkdir -p /etc/dovecot/private; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost "
                "-out /etc/dovecot/private/dovecot.pem -keyout /etc/dovecot/private/dovecot.key; "
                "sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf")
    machine.write("/etc/dovecot/local.conf", MAILBOXES + settings)
    machine.run("systemctl restart dovecot")


def test_dovecot(machine):
    dovecot(machine)
    follow(machine, "docs/dovecot.md")
    machine.write("/root/move.py", """
import imaplib, sys
box = imaplib.IMAP4("localhost")
box.login("ann@example.org", "secret")
box.append("INBOX", None, None, open("/root/mail", "rb").read())
box.select(sys.argv[1])
print(box.uid("MOVE", "1:*", sys.argv[2]))
box.logout()
""")
    machine.write("/root/mail", make_message(7).replace(b"\n", b"\r\n"))
    machine.run("python3 /root/move.py INBOX Junk")
    shows(machine, "event=report", "label=spam", "outcome=new")
    undo(machine, "docs/dovecot.md")
    machine.run("systemctl is-active dovecot; rm /etc/dovecot/local.conf; systemctl stop dovecot")


def postfix(machine):
    """A site with Postfix: people log in with XCLIENT, which stands for SASL here."""
    machine.write("/etc/postfix/main.cf", """
compatibility_level = 3.6
myhostname = machine.example.org
mydestination = example.org, localhost
alias_maps =
alias_database =
local_recipient_maps =
mynetworks =
inet_interfaces = loopback-only
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_authorized_xclient_hosts = 127.0.0.0/8
home_mailbox = Maildir/
""")
    machine.run("cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf; postconf -e 'maillog_file='; "
                "useradd --create-home --no-user-group ann 2>/dev/null || true; "
                "systemctl restart postfix")


def submit(machine, mail, *recipients, login="", sender="ann@example.org"):
    """Returns what the server says of each recipient and of the message."""
    machine.write("/root/submit.py", """
import smtplib, sys
login, sender, *recipients = sys.argv[1:]
server = smtplib.SMTP("localhost", 25)
server.ehlo("here.example.org")
if login:
    server.docmd("XCLIENT", "LOGIN=" + login)
    server.ehlo("here.example.org")
server.mail(sender)
codes = [server.rcpt(each)[0] for each in recipients]
print(codes, server.data(open("/root/mail", "rb").read()) if 250 in codes else "")
""")
    machine.write("/root/mail", mail)
    return machine.run("python3 /root/submit.py '%s' '%s' %s" % (login, sender, " ".join(recipients)))


def test_feedback_mail(machine):
    machine.run("mkdir -p /var/spool/postfix/private")
    dovecot(machine, """
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
""")
    postfix(machine)
    follow(machine, "docs/feedback-mail.md")
    mail = (b"From: ann@example.org\nSubject: look\nMIME-Version: 1.0\n"
            b'Content-Type: multipart/mixed; boundary="B"\n\n--B\n\nlook\n--B\n'
            b"Content-Type: message/rfc822\n\n" + make_message(8) + b"\n--B--\n")
    assert "554" in submit(machine, mail, "spam@example.org")  # a stranger's
    assert "250" in submit(machine, mail, "spam@example.org", login="ann")
    shows(machine, "event=report", "label=spam", "outcome=new")
    machine.run("systemctl stop postfix dovecot; rm /etc/dovecot/local.conf")


def test_postfix(machine):
    postfix(machine)
    machine.run("postconf -e smtpd_sasl_auth_enable=no")
    follow(machine, "docs/postfix.md")
    wait_until(lambda: "X-Hamlet-Score:" in machine.run("cat /root/Maildir/new/* /var/mail/root || true"),
               "the message arrives", 60)
    shows(machine, "event=scan", "command=milter")
    machine.run("systemctl stop postfix; rm -r /etc/systemd/system/hamletd.service.d; systemctl daemon-reload")


def test_exim(machine):
    packages = sorted((TOP / "build" / "exim").glob("*.deb"))
    if not packages:
        pytest.skip("scripts/setup could not download Exim")
    for package in packages:
        machine.write("/var/cache/apt/archives/" + package.name, package.read_bytes())
    follow(machine, "docs/exim.md")
    session = (b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<root@localhost>\r\nDATA\r\n"
               + make_message(9).replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n")
    assert "X-Hamlet-Score:" in machine.run("exim4 -bh 192.0.2.1", input=session)
    shows(machine, "event=scan", "recipients=1")
    undo(machine, "docs/exim.md")
    assert "X-Hamlet-Score:" not in machine.run("exim4 -bh 192.0.2.1", input=session)
    machine.run("systemctl stop exim4")


# What a person's browser asks Roundcube for: logs in, shows the inbox, presses Junk on its
# only message, and moves it, since markasjunk's answer says so.
PRESS = r"""
import http.cookiejar, imaplib, re, urllib.parse, urllib.request
SITE = "http://localhost/roundcube/"
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
def ask(path, **fields):
    fields = urllib.parse.urlencode(fields).encode() if fields else None
    return browser.open(SITE + path, fields, timeout=300).read().decode()
box = imaplib.IMAP4("localhost")
box.login("eve@example.org", "secret")
box.append("INBOX", None, None, open("/root/mail", "rb").read())
box.select()
uid = box.uid("SEARCH", "ALL")[1][0].decode()
token = re.search('name="_token" value="(.*?)"', ask("")).group(1)
page = ask("?_task=login", _task="login", _action="login", _token=token,
           _user="eve@example.org", _pass="secret")
for script in re.findall('src="(plugins/(?:hamlet|markasjunk)/[^"]*)"', page):
    print("script", script, len(ask(script)))
token = re.search('"request_token":"(.*?)"', page).group(1)
print(ask("?_task=mail&_action=plugin.markasjunk.junk", _uid=uid, _mbox="INBOX", _remote="1", _token=token))
print(ask("?_task=mail&_action=move", _uid=uid, _mbox="INBOX", _target_mbox="Junk", _remote="1", _token=token))
print("junk", box.select("Junk")[1][0].decode())
"""


def roundcube(machine):
    """A site with Dovecot and with Debian's Roundcube in Apache, under /roundcube. The packages
    of this one were installed without Apache: what they do when it is there is done here."""
    dovecot(machine)
    machine.write("/root/press.py", PRESS)
    machine.write("/etc/roundcube/debian-db.php",
                  "<?php $dbtype = 'sqlite3'; $basepath = '/var/lib/roundcube/temp'; $dbname = 'db';\n")
    machine.run("apt-get install -y apache2; a2dismod -q mpm_event; a2enmod -q mpm_prefork php8.2; "
                "sed -i 's/^# *Alias/Alias/' /etc/roundcube/apache.conf; "
                "ln -s /etc/roundcube/apache.conf /etc/apache2/conf-enabled/roundcube.conf")


def test_roundcube(machine):
    packages = TOP / "build" / "roundcube"
    if not packages.exists():
        pytest.skip("scripts/setup could not download what Roundcube needs")
    for package in packages.glob("*.deb"):
        machine.write("/var/cache/apt/archives/" + package.name, package.read_bytes())
    roundcube(machine)
    follow(machine, "docs/roundcube.md")
    press = "python3 /root/press.py"
    machine.write("/root/mail", make_message(11).replace(b"\n", b"\r\n"))
    printed = machine.run(press)
    assert "script plugins/hamlet/hamlet." in printed and "junk 1" in printed
    for command in ("plugin.hamlet.ask", "markasjunk_move"):
        assert command in printed
    shows(machine, "event=report", "label=spam", "outcome=new", "uid=33")

    machine.run("systemctl stop hamletd.socket hamletd.service")
    assert "junk 2" in machine.run(press)
    assert "hamlet: " in machine.run("cat /var/log/roundcube/errors.log")
    machine.run("systemctl start hamletd.socket hamletd.service")

    undo(machine, "docs/roundcube.md")
    printed = machine.run(press)
    assert "hamlet" not in printed and "markasjunk_move" in printed and "junk 3" in printed
    machine.run("systemctl stop apache2 dovecot; rm /etc/dovecot/local.conf")


def test_rspamd_clients(machine):
    """Over TCP test_http.py asks; here the drop-in for it is one that systemd takes."""
    follow(machine, "docs/rspamd-clients.md", but=("TCP", "Undo"))
    shows(machine, "event=report", "label=spam")
    shows(machine, "event=scan", "command=checkv2", "uid=0")
    drop_in = next(block for block in blocks("docs/rspamd-clients.md") if block[1].endswith("tcp.conf"))
    add(machine, *drop_in[1:])
    shown = machine.run("systemctl daemon-reload && systemctl show hamletd "
                        "-p PrivateNetwork -p IPAddressAllow -p RestrictAddressFamilies")
    for line in ("PrivateNetwork=no", "127.0.0.0/8", "::1/128", "AF_INET AF_INET6", "AF_UNIX"):
        assert line in shown
    machine.run("rm %s && systemctl daemon-reload" % drop_in[1])


def test_every_command_of_the_documents_is_run():
    """A document whose blocks nobody follows would be a promise that nobody keeps."""
    followed = set(re.findall(r'follow\(machine, "(.*?)"', open(__file__).read()))
    commands = {str(path.relative_to(TOP)) for path in (TOP / "docs").glob("*.md")
                if blocks(path.relative_to(TOP))}
    assert commands == followed


# The programs of the sources that documents name and that no block runs.
NOT_RUN = {
    "scripts/test": "runs this file",
    "scripts/soak": "builds everything twice, with sanitizers; test_soak.py is what it runs then",
    "scripts/fuzz": "builds everything with clang; make check replays what it found",
    "tests/accuracy/collusion.py": "takes minutes and the corpus; what it found is in docs/model.md",
    "tests/accuracy/held_out.py": "the same; docs/retraining.md",
    "tests/accuracy/poison.py": "the same; docs/retraining.md",
}


def test_every_program_that_the_documents_name_is_run():
    texts = {name: (TOP / name).read_text() for name in
             ["README.md"] + [str(path.relative_to(TOP)) for path in (TOP / "docs").glob("*.md")]}
    for name, text in texts.items():  # an indented block is run in the README alone
        assert name == "README.md" or not re.search(r"\n\n    \S", text), name
    named = set(re.findall(r"(?:scripts/[\w-]+|tests/\w+/(?!test_)\w+\.py)\b", "".join(texts.values())))
    run = "".join(text for name in texts for language, _, text in blocks(name) if language == "sh")
    run += indented("README.md", "Try it").splitlines()[0] + indented("README.md", "Install")
    assert named - {name for name in named if name in run} == set(NOT_RUN)

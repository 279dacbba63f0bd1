# SPDX-License-Identifier: Apache-2.0
"""Debian's Exim with the configuration of data/examples/exim: an SMTP session of
its own (-bh) with the real ACL, spool and scanner interface."""
import json
import re
import shutil
import subprocess

import pytest

from conftest import TOP, let_in
from hamlet_client import ask, tell

EXAMPLES = TOP / "data" / "examples" / "exim"
# Unpacked by scripts/setup, since Postfix is installed and both cannot be.
UNPACKED = TOP / "build" / "exim" / "usr" / "sbin" / "exim4"
EXIM = shutil.which("exim4") or str(UNPACKED)

pytestmark = pytest.mark.skipif(not shutil.which(EXIM), reason="exim4 is not installed")

CONFIG = """
%s
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
primary_hostname = mx.example.org
spool_directory = %s
exim_user = root
exim_group = root
never_users =
log_file_path = %s/%%slog
timezone = UTC
begin acl
acl_check_rcpt:
  accept
acl_check_data:
%s
  accept
begin routers
all:
  driver = accept
  transport = none
begin transports
none:
  driver = appendfile
  file = /dev/null
"""


class Exim:
    def __init__(self, daemon, variant):
        folder = daemon.folder / "exim"
        folder.mkdir()
        main = (EXAMPLES / "hamlet-main.conf").read_text()
        main = main.replace("/run/hamlet/spamd.sock", str(daemon.socket))
        acl = (EXAMPLES / "hamlet-acl.conf").read_text()
        if not variant:
            main = main.replace(" variant=rspamd", "")
        self.acl = acl
        self.config = folder / "exim.conf"
        self.folder, self.main = folder, main
        self.write(acl)

    def write(self, acl):
        self.config.write_text(CONFIG % (self.main, self.folder, self.folder, acl))

    def send(self, message, *recipients):
        """The answer to the end of DATA, and what Exim said meanwhile."""
        lines = [b"EHLO client.example", b"MAIL FROM:<sender@example.com>"]
        lines += [b"RCPT TO:<%s>" % r.encode() for r in recipients]
        lines += [b"DATA", message.replace(b"\n", b"\r\n").rstrip() + b"\r\n.", b"QUIT"]
        done = subprocess.run([EXIM, "-C", self.config, "-bh", "192.0.2.77"],
                              input=b"\r\n".join(lines) + b"\r\n", capture_output=True, timeout=60)
        replies = done.stdout.decode().splitlines()
        after = [line for line in replies if line[:3] in ("250", "550", "451", "452", "421", "554")]
        return after[-1], done.stdout.decode() + done.stderr.decode()


    def deliver(self, message, box, *options):
        """Takes the message over SMTP without a network and delivers it into a file.
        What was said."""
        config = self.folder / "delivering.conf"
        config.write_text(self.config.read_text().replace(
            "file = /dev/null", "file = %s\n  user = nobody" % box))
        let_in(self.folder)
        self.folder.chmod(0o777)
        done = subprocess.run(
            [EXIM, "-C", config, "-odi", "-oMa", "192.0.2.77", *options, "-bs"],
            input=b"EHLO x\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
            + message.replace(b"\n", b"\r\n").rstrip() + b"\r\n.\r\nQUIT\r\n",
            capture_output=True, timeout=60)
        return done.stdout.decode() + done.stderr.decode()


def teach(daemon, message):
    """Global learns what is spam; enough of it to be certain."""
    for number in range(150):
        tell(daemon.socket, "spam" if number % 2 else "ham",
             message(number, "pills casino winner" if number % 2 else "meeting minutes agenda"))


@pytest.fixture
def taught(make_daemon, message):
    daemon = make_daemon(reject_score=5, reject_uncertainty=6).start()
    teach(daemon, message)
    return daemon


def policy(daemon, scope, action):
    reply = ask(daemon.socket, "CALL", json.dumps({
        "call": "change", "scope": scope,
        "entries": [{"kind": "policy", "name": "spam-action", "value": action}]}).encode())
    assert reply.code == 0, reply.status


def test_every_recipient_has_a_say(taught, message):
    exim = Exim(taught, variant=True)
    spam, ham = message(901, "pills casino winner"), message(902, "meeting minutes agenda")
    policy(taught, "strict@example.org", "reject")
    answer, said = exim.send(ham, "strict@example.org", "mild@example.org")
    assert answer.startswith("250 OK"), said
    answer, said = exim.send(spam, "strict@example.org")
    assert answer.startswith("550 5.7.1 Spam message rejected"), said
    answer, said = exim.send(spam, "strict@example.org", "mild@example.org")
    assert answer.startswith("250 OK") and "X-Spam-Flag: YES" in said, said
    policy(taught, "@example.org", "reject")
    answer, said = exim.send(spam, "strict@example.org", "mild@example.org")
    assert answer.startswith("550 "), said
    assert "recipients=2" in taught.log_text()


# However a sender writes it, bob; then names that mean nobody.
SPELLINGS = ["bob@example.org", "BOB@EXAMPLE.ORG", "bob+list@example.org",
             "bob+%s@example.org" % ("x" * 200), "@relay.example:bob@example.org",
             '"bob"@example.org']
NOBODIES = ["%s@example.org" % ("x" * 244), '"@x"@example.org']


@pytest.mark.parametrize("variant", [True, False])
def test_no_spelling_of_a_recipient_keeps_a_message_from_being_judged(taught, message, variant):
    exim = Exim(taught, variant)
    if not variant:  # one user is asked for: let it be the recipient
        exim.write(exim.acl.replace("spam = nobody:true", "spam = $recipients:true"))
    own = message(903, "meeting minutes agenda")
    tell(taught.socket, "spam", own, "bob@example.org")

    def is_spam(mail, *recipients):
        said = exim.send(mail, *recipients)[1]
        found = re.findall("X-Hamlet-Score: (-?[0-9.]+)", said)
        assert len(set(found)) == 1, said
        return float(found[0]) >= 5
    for recipient in SPELLINGS + NOBODIES:
        for others in ([], ["eve@example.org"]):
            assert is_spam(message(901, "pills casino winner"), *others, recipient), recipient
            assert not is_spam(message(902, "meeting minutes agenda"), *others, recipient), recipient
    for recipient in SPELLINGS:
        assert is_spam(own, recipient), recipient
    assert not is_spam(own, "eve@example.org")


@pytest.mark.parametrize("variant", [True, False])
def test_the_policy_decides_in_both_manners(taught, message, variant):
    """In SpamAssassin's, too, though $spam_action is "reject" for all spam there."""
    exim = Exim(taught, variant)
    spam = message(901, "pills casino winner")
    answer, said = exim.send(spam, "bob@example.org")
    assert answer.startswith("250 OK") and "X-Spam-Flag: YES" in said, said
    policy(taught, "", "tag")
    answer, said = exim.send(spam, "bob@example.org")
    assert answer.startswith("250 OK") and "X-Spam-Flag" not in said, said
    policy(taught, "", "reject")
    answer, said = exim.send(spam, "bob@example.org")
    assert answer.startswith("550 5.7.1 Spam message rejected"), said
    answer, said = exim.send(message(902, "meeting minutes agenda"), "bob@example.org")
    assert answer.startswith("250 OK") and "X-Hamlet-Score: " in said, said


@pytest.mark.parametrize("variant", [True, False])
def test_forged_fields_are_removed(taught, message, variant):
    """They are not in what is delivered: here to a file."""
    exim = Exim(taught, variant)
    box = exim.folder / "box"
    forged = (b"X-Spam: Yes\nx-spam-flag: NO\nX-Spam_Flag: NO\nX-Hamlet-Score: -99\nX-Other: stays\n"
              + b"".join(b"X-Spam-A%d: forged\n" % n for n in range(100)) + message(901, "pills casino winner"))
    said = exim.deliver(forged, box)
    assert box.exists(), said
    fields = box.read_text().split("\n\n")[0].lower()
    assert "x-other: stays" in fields and "forged" not in fields and "-99" not in fields
    assert fields.count("x-spam") == 1 and "x-spam-flag: yes" in fields


def test_forged_fields_hide_behind_no_long_header(taught, message):
    """Exim shows an ACL 64 kB of a header."""
    exim = Exim(taught, variant=True)
    box = exim.folder / "box"
    long = b"".join(b"X-P%d: %s\n" % (n, b"y" * 900) for n in range(100))
    said = exim.deliver(long + b"X-Spam-Flag: NO\n" + message(902, "meeting minutes agenda"), box)
    assert "451 4.7.1 Header is too long" in said and not box.exists(), said
    said = exim.deliver(long + message(902, "meeting minutes agenda\nX-Other: in the body"), box)
    assert box.exists(), said


@pytest.mark.parametrize("variant", [True, False])
def test_mail_of_authenticated_clients_is_left_alone(taught, message, variant):
    exim = Exim(taught, variant)
    box = exim.folder / "box"
    policy(taught, "", "reject")
    spam = b"X-Spam-Flag: NO\n" + message(901, "pills casino winner")
    said = exim.deliver(spam, box, "-oMaa", "plain", "-oMai", "ann")
    assert box.exists(), said
    assert "x-spam" not in box.read_text().lower() and "x-hamlet" not in box.read_text().lower()
    assert "event=scan" not in taught.log_text()


@pytest.mark.parametrize("recipients", [["strict@example.org"], ["strict@example.org", "mallory@example.org"],
                                        ["mallory@example.org", "strict@example.org"]])
def test_a_co_recipients_word_helps_nobody(taught, message, recipients):
    exim = Exim(taught, variant=True)
    policy(taught, "", "reject")
    reply = ask(taught.socket, "CALL", json.dumps({
        "call": "change", "scope": "mallory@example.org",
        "entries": [{"kind": "list", "name": "example.com", "value": "allow"}]}).encode())
    assert reply.code == 0, reply.status
    spam = message(901, "pills casino winner")
    assert exim.send(spam, "mallory@example.org")[0].startswith("250 OK")
    answer, said = exim.send(spam, *recipients)
    assert answer.startswith("550 5.7.1 Spam message rejected"), said


def test_very_many_recipients(taught, message):
    exim = Exim(taught, variant=True)
    policy(taught, "", "reject")
    answer, said = exim.send(message(901, "pills casino winner"),
                             *["user%d@example.org" % n for n in range(2500)])
    assert answer.startswith("550 5.7.1 Spam message rejected"), said[-2000:]


@pytest.mark.parametrize("variant", [True, False])
def test_without_a_scorer_mail_flows_or_waits(taught, message, variant):
    exim = Exim(taught, variant)
    taught.stop()
    answer, said = exim.send(message(901, "pills casino winner"), "bob@example.org")
    assert answer.startswith("250 OK"), said
    exim.write(exim.acl.replace("/defer_ok", "").replace(
        "  warn\n    !authenticated = *\n", "  accept authenticated = *\n  require\n"))
    answer, said = exim.send(message(901, "pills casino winner"), "bob@example.org")
    assert answer.startswith("451 "), said
    taught.start()
    answer, said = exim.send(message(902, "meeting minutes agenda"), "bob@example.org")
    assert answer.startswith("250 OK") and "X-Hamlet-Score: " in said, said

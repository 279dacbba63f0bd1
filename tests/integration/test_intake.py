# SPDX-License-Identifier: Apache-2.0
"""Feedback that arrives as mail, through hamlet-intake as a mail server calls it."""
import base64
import email.message
import gzip
import quopri
import subprocess

import pytest

from conftest import BUILD, TOP
from hamlet_client import score, tell

SEEDS = TOP / "tests" / "fuzz" / "corpus" / "fuzz_feedback_mail"


def attach(*messages, subject="see attached", **headers):
    mail = email.message.EmailMessage()
    mail["From"], mail["Subject"] = "Bob <bob@example.org>", subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Please look.")
    head, boundary = mail.as_bytes(), b"=-=next=-="
    text = head[head.index(b"\n\n") + 2:]
    lines = [line for line in head[:head.index(b"\n\n")].split(b"\n")
             if not line.lower().startswith((b"content-", b"mime-"))]
    parts = [b"\n\n" + text] + [b"\nContent-Type: message/rfc822\n\n" + m for m in messages]
    return (b"\n".join(lines) + b'\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="'
            + boundary + b'"\n\n' + b"".join(b"--" + boundary + part + b"\n" for part in parts)
            + b"--" + boundary + b"--\n")


def intake(daemon, mail, *arguments, code=0):
    done = subprocess.run([BUILD / "hamlet-intake", "--socket", daemon.socket, *arguments],
                          input=mail, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert done.stdout == b""
    return done.stderr.decode()


def outcome(daemon, label, message, user):
    return tell(daemon.socket, label, message, user)["outcome"]


def test_what_is_attached_is_what_is_learned(daemon, message):
    html = (b"Content-Type: multipart/alternative; boundary=x\nSubject: offer\n\n"
            b"--x\nContent-Type: text/plain\n\ncheap\n--x\nContent-Type: text/html\n"
            b"Content-Transfer-Encoding: base64\n\nPGI+Y2hlYXA8L2I+\n--x--\n")
    for number, mail in enumerate([message(1), html, message(2).replace(b"\n", b"\r\n")]):
        user = "user%d" % number
        intake(daemon, attach(mail), "--user", user, "--label", "spam")
        assert score(daemon.socket, mail, user)["spam"]
        assert outcome(daemon, "spam", mail, user) == "repeat"  # not an other message


def test_many_messages_in_one_mail(daemon, message):
    mails = [message(n) for n in range(20)]
    intake(daemon, attach(*mails), "--user", "bob", "--label", "ham")
    assert [outcome(daemon, "ham", mail, "bob") for mail in mails] == ["repeat"] * 20


def test_of_very_many_messages_the_first_are_taken(daemon):
    mails = [b"Subject: number %d\n\nx\n" % n for n in range(1003)]
    said = intake(daemon, attach(*mails), "--user", "bob", "--label", "ham")
    assert "of 1003 messages the first 1000 were taken" in said
    assert outcome(daemon, "ham", mails[999], "bob") == "repeat"
    assert outcome(daemon, "ham", mails[1000], "bob") == "new"


@pytest.mark.parametrize("mail,user,label", [
    ("arf", "abuse@isp.example", "spam"),
    ("arf-not-spam", "abuse@isp.example", "ham"),
    ("zimbra", "bob@example.org", "spam"),
    ("nextcloud", "bob@example.org", "ham"),
])
def test_known_programs(daemon, mail, user, label):
    data = (SEEDS / mail).read_bytes()
    intake(daemon, data, "--user-from-mail")
    assert "label=%s outcome=new" % label in daemon.log_text()
    intake(daemon, data, "--user", user)
    assert "label=%s outcome=repeat" % label in daemon.log_text()
    intake(daemon, data, "--user", user, "--label", "ham" if label == "spam" else "spam")
    assert "outcome=flip" in daemon.log_text()


def part(fields, content):
    """A mail with one part that GMime does not take for a message."""
    return (b"From: ann@example.org\nSubject: see attached\nMIME-Version: 1.0\n"
            b'Content-Type: multipart/mixed; boundary="B"\n\n--B\n\nsee below\n--B\n'
            + fields + b"\n\n" + content + b"\n--B--\n")


@pytest.mark.parametrize("fields,encode", [
    (b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", base64.encodebytes),
    (b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable", quopri.encodestring),
    (b"Content-Type: message/global\nContent-Transfer-Encoding: base64", base64.encodebytes),
    (b"Content-Type: message/global", bytes),
    (b'Content-Type: application/octet-stream; name="A.EML"\nContent-Transfer-Encoding: base64',
     base64.encodebytes),
    (b'Content-Type: text/plain\nContent-Disposition: attachment; filename="=?utf-8?q?a=2Eeml?="', bytes),
    (b"Content-Type: text/rfc822-headers", bytes),
])
def test_a_message_is_found_however_it_is_attached(daemon, message, fields, encode):
    mail = message(1)
    intake(daemon, part(fields, encode(mail)), "--user", "bob", "--label", "spam")
    assert outcome(daemon, "spam", mail, "bob") == "repeat"


@pytest.mark.parametrize("field", [
    b"Feedback-Type: abuse", b"feedback-type:\n abuse", b"Feedback-Type : ABUSE",
    b"Feedback-Type: abuse (a (nested) complaint)", b"Feedback-Type: (who) abuse\r",
])
def test_the_type_of_a_report_is_read_as_a_field(daemon, field):
    report = (SEEDS / "arf").read_bytes()
    line = next(line for line in report.split(b"\n") if line.lower().startswith(b"feedback-type"))
    intake(daemon, report.replace(line, field), "--user", "isp")
    assert "label=spam outcome=new" in daemon.log_text()


def test_a_report_that_teaches_nothing_is_taken(daemon, message):
    """Who sends reports by the thousand wants no mail back."""
    other = (SEEDS / "arf-opt-out").read_bytes()
    assert 'type "opt-out"' in intake(daemon, other, "--user", "isp")
    report = (SEEDS / "arf").read_bytes()
    start = report.index(b"\n\n", report.index(b"message/rfc822")) + 2
    empty = report[:start] + b"\n" + report[report.index(b"\n--", start):]
    assert "has no message" in intake(daemon, empty, "--user", "isp")
    assert "event=report" not in daemon.log_text()
    intake(daemon, other, "--user", "isp", "--label", "spam")
    assert "label=spam outcome=new" in daemon.log_text()


@pytest.mark.parametrize("sender", ["", "<>", "MAILER-DAEMON", "mailer-daemon@example.org"])
def test_a_null_sender_teaches_nobody(daemon, message, sender):
    assert "nobody" in intake(daemon, attach(message(1)), "--user", sender, "--label", "spam")
    assert "event=report" not in daemon.log_text()


def test_what_cannot_be_learned_goes_back_with_the_reason(daemon, message):
    plain = (SEEDS / "plain").read_bytes()
    assert "forward it as an attachment" in intake(
        daemon, plain, "--user", "bob", "--label", "spam", code=65)
    assert "does not say whether" in intake(daemon, attach(message(1)), "--user", "bob", code=65)
    nobody = attach(message(1)).replace(b"Bob <bob@example.org>", b"")
    assert "who reports" in intake(daemon, nobody, "--user-from-mail", "--label", "spam", code=65)
    liar = (SEEDS / "zimbra").read_bytes().replace(b"Sender: bob", b"Sender: b\x01b")
    intake(daemon, liar, "--user-from-mail", code=65)
    deep = attach(b"To: " + b"a:" * 200000 + b"\n\nx\n")  # the stack of what reads it
    assert "groups" in intake(daemon, deep, "--user", "bob", "--label", "spam", code=65)
    assert "event=report" not in daemon.log_text()


def test_what_is_too_large_goes_back(daemon, message):
    """It was cut at this size, and learned without its end."""
    mail = attach(message(1)) + bytes(256 << 20)
    assert "more than 256 MiB" in intake(daemon, mail, "--user", "bob", "--label", "spam", code=65)
    assert not score(daemon.socket, message(1), "bob")["spam"]
    packed = gzip.compress(attach(message(2)))
    intake(daemon, packed, "--user", "bob", "--label", "spam")
    assert score(daemon.socket, message(2), "bob")["spam"]


def test_while_hamletd_is_away_the_mail_waits(daemon, message):
    daemon.stop()
    assert "hamletd" in intake(daemon, attach(message(1)), "--user", "bob", "--label", "spam",
                               code=75)


def test_wrong_arguments(daemon):
    for wrong in ([], ["--user", "bob", "--user-from-mail"], ["--user", "b", "--label", "x"]):
        intake(daemon, b"", *wrong, code=64)

# SPDX-License-Identifier: Apache-2.0
"""Debian's Postfix with the configuration of data/examples/postfix: an instance of
the test's own, asked with swaks, delivering into Maildirs."""
import concurrent.futures
import json
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import time

import pytest

from conftest import TOP, let_in, wait_until
from documents import blocks
from hamlet_client import ask, tell
from milter_client import Stamper

POSTFIX = shutil.which("postfix") or "/usr/sbin/postfix"

pytestmark = [
    pytest.mark.skipif(not shutil.which(POSTFIX), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("swaks"), reason="swaks is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix is started by root"),
]

SPAM, HAM = "pills casino winner", "meeting minutes agenda"

MAIN = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
message_size_limit = 50000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/mailboxes
alias_maps =
local_recipient_maps =
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 1
smtpd_recipient_restrictions = permit
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
{example}
"""

MASTER = """
127.0.0.1:{port} inet n - n - 100 smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postfix:
    def __init__(self, folder, milter_port, master="", before=(), **changes):
        nobody = pwd.getpwnam("nobody")
        self.folder, self.port = folder, free_port()
        self.mail = folder / "mail"
        self.config = folder / "etc"
        for name in ("etc", "queue", "data", "mail"):
            (folder / name).mkdir()
        os.chown(folder / "data", pwd.getpwnam("postfix").pw_uid, 0)
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        example = (TOP / "data" / "examples" / "postfix" / "main.cf.hamlet").read_text()
        example = example.replace("inet:127.0.0.1:8891", ", ".join(
            "inet:127.0.0.1:%d" % port for port in [*before, milter_port]))
        example = example.replace("/etc/postfix/header_checks.hamlet", str(self.config / "header_checks"))
        shutil.copy(TOP / "data" / "examples" / "postfix" / "header_checks.hamlet",
                    self.config / "header_checks")
        for key, value in changes.items():
            example += "%s = %s\n" % (key, value)
        (folder / "mailboxes").write_text("".join(
            "%s@example.org %s/\n" % (name, name) for name in ("bob", "eve", "mild", "strict")))
        (self.config / "main.cf").write_text(MAIN.format(
            folder=folder, queue=folder / "queue", data=folder / "data", mail=self.mail,
            uid=nobody.pw_uid, example=example))
        (self.config / "master.cf").write_text(MASTER.format(port=self.port) + master)
        (self.config / "dynamicmaps.cf").write_text("")
        let_in(folder)

    def run(self, word):
        return subprocess.run([POSTFIX, "-c", self.config, word], capture_output=True, timeout=60)

    def start(self):
        started = self.run("start")
        wait_until(self.answers, "Postfix answers: %s" % started.stderr.decode(), 60)
        return self

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                return connection.recv(100).startswith(b"220")
        except OSError:
            return False

    def log(self):
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def talk(self, message, *recipients, login=""):
        """What is said of each RCPT, its argument as it stands, and of the message."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as server:
            server.ehlo("client.example")
            if login:
                server.docmd("XCLIENT", "LOGIN=" + login)
                server.ehlo("client.example")
            server.mail("sender@example.com")
            codes = [server.docmd("RCPT", "TO:" + each)[0] for each in recipients]
            return codes, server.data(message) if 250 in codes else None

    def send(self, message, *recipients):
        """The answer to the end of DATA."""
        path = self.folder / ("message%d" % time.monotonic_ns())
        path.write_bytes(message)
        done = subprocess.run(
            ["swaks", "--server", "127.0.0.1:%d" % self.port, "--from", "sender@example.com",
             "--to", ",".join(recipients), "--data", "@%s" % path, "--suppress-data",
             "--timeout", "60"], capture_output=True, timeout=120)
        path.unlink()
        replies = [line for line in done.stdout.decode(errors="replace").splitlines()
                   if line[:3] in ("<- ", "<**")]
        return replies[-2].split(None, 1)[1] if len(replies) > 1 else done.stderr.decode()

    def delivered(self, user, number=1):
        """The user's mail, once there are so many."""
        folder = self.mail / user / "new"
        wait_until(lambda: folder.exists() and len(list(folder.iterdir())) >= number,
                   "%s has %d messages: %s" % (user, number, self.log()[-2000:]), 60)
        return [path.read_bytes() for path in sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime)]


def policy(daemon, scope, action):
    reply = ask(daemon.socket, "CALL", json.dumps({
        "call": "change", "scope": scope,
        "entries": [{"kind": "policy", "name": "spam-action", "value": action}]}).encode())
    assert reply.code == 0, reply.status


@pytest.fixture
def site(make_daemon, message, tmp_path):
    port = free_port()
    daemon = make_daemon(listen_milter="127.0.0.1:%d" % port, reject_score=5,
                         reject_uncertainty=6, on_failure="tempfail").start()
    for number in range(150):
        tell(daemon.socket, "spam" if number % 2 else "ham", message(number, SPAM if number % 2 else HAM))
    folder = tmp_path / "postfix"
    folder.mkdir()
    postfix = Postfix(folder, port).start()
    yield daemon, postfix
    postfix.run("stop")


def header(mail, name):
    lines = mail.split(b"\n\n", 1)[0].decode(errors="replace").splitlines()
    return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(name.lower() + ": ")]


def test_policies_of_recipients(site, message):
    daemon, postfix = site
    spam = message(901, SPAM)
    policy(daemon, "strict@example.org", "reject")
    assert postfix.send(spam, "strict@example.org").startswith("554 5.7.1 Spam message rejected")
    assert postfix.send(spam, "mild@example.org").startswith("250 ")
    mail = postfix.delivered("mild")[0]
    assert header(mail, "X-Spam-Flag") == ["YES"] and header(mail, "X-Spam-Status")[0].startswith("Yes, score=")
    assert postfix.send(spam, "strict@example.org", "mild@example.org").startswith("250 ")
    assert header(postfix.delivered("mild", 2)[1], "X-Spam-Flag") == ["YES"]
    assert header(postfix.delivered("strict")[0], "X-Spam-Flag") == ["YES"]
    policy(daemon, "mild@example.org", "reject")
    assert postfix.send(spam, "strict@example.org", "mild@example.org").startswith("554 5.7.1 ")
    policy(daemon, "mild@example.org", "tag")
    assert postfix.send(spam, "mild@example.org").startswith("250 ")
    tagged = postfix.delivered("mild", 3)[2]
    assert header(tagged, "X-Spam-Flag") == [] and header(tagged, "X-Spam-Status")[0].startswith("Yes")
    assert postfix.send(message(902, HAM), "strict@example.org").startswith("250 ")
    good = postfix.delivered("strict", 2)[1]
    assert header(good, "X-Spam-Flag") == [] and float(header(good, "X-Hamlet-Score")[0]) < 5


def session(postfix, message, *paths):
    """RCPT TO with these bytes; the replies to them, and that to the end of DATA."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
        client.ehlo("client.example")
        client.docmd("MAIL FROM:<sender@example.com>")
        taken = [client.docmd("RCPT TO:" + path)[0] for path in paths]
        return taken, client.data(message)[0] if 250 in taken else None


def test_no_spelling_of_a_recipient_keeps_a_message_from_being_judged(make_daemon, message, tmp_path):
    port = free_port()
    daemon = make_daemon(listen_milter="127.0.0.1:%d" % port, reject_score=5,
                         reject_uncertainty=6).start()
    for number in range(150):
        tell(daemon.socket, "spam" if number % 2 else "ham", message(number, SPAM if number % 2 else HAM))
    policy(daemon, "@example.org", "reject")
    folder = tmp_path / "postfix"
    folder.mkdir()
    postfix = Postfix(folder, port, recipient_delimiter="+", strict_rfc821_envelopes="no",
                      resolve_dequoted_address="no", smtpd_reject_unlisted_recipient="no").start()
    spam, ham = message(901, SPAM), message(902, HAM)
    long = "x" * 296
    paths = ["<bob@example.org>", "<BOB@EXAMPLE.ORG>", "<bob+list@example.org>",
             "<bob+%s@example.org>" % long, "<@relay.example:bob@example.org>",
             "<@a.example,@b.example:Bob+x@example.org>", "<%s@example.org>" % long,
             '<"bob"@example.org>', '<"@x"@example.org>', '<"b\\\x01b"@example.org>']
    try:
        for path in paths:
            assert session(postfix, spam, path) == ([250], 554), path
            assert session(postfix, spam, "<eve@example.org>", path) == ([250, 250], 554), path
            assert session(postfix, ham, "<eve@example.org>", path) == ([250, 250], 250), path
        tell(daemon.socket, "spam", message(903, HAM), "bob@example.org")
        for path in paths[:6]:
            assert session(postfix, message(903, HAM), path) == ([250], 554), path
        assert session(postfix, message(903, HAM), "<eve@example.org>") == ([250], 250)
    finally:
        postfix.run("stop")


def test_forged_fields_are_removed(site, message):
    _, postfix = site
    forged = (b"X-Spam-Flag: NO\nX-Spam-Status: No, score=-99\nx-spam-flag: NO\n"
              b"X-Hamlet-Score: -99\nX-Other: stays\nX-Spam-Flag: NO\n") + message(901, SPAM)
    assert postfix.send(forged, "bob@example.org").startswith("250 ")
    mail = postfix.delivered("bob")[0]
    assert header(mail, "X-Spam-Flag") == ["YES"]
    assert len(header(mail, "X-Spam-Status")) == len(header(mail, "X-Hamlet-Score")) == 1
    assert b"-99" not in mail and header(mail, "X-Other") == ["stays"]


def allow(daemon, scope, name):
    reply = ask(daemon.socket, "CALL", json.dumps({"call": "change", "scope": scope, "entries": [
        {"kind": "list", "name": name, "value": "allow"}]}).encode())
    assert reply.code == 0, reply.status


def test_no_accomplice_helps_mail_past_another(site, message):
    daemon, postfix = site
    policy(daemon, "@example.org", "reject")
    allow(daemon, "eve@example.org", "example.com")
    spam = message(901, SPAM)
    assert postfix.send(spam, "eve@example.org").startswith("250 ")
    assert postfix.send(spam, "bob@example.org", "eve@example.org").startswith("554 5.7.1 ")
    good = message(902, HAM)
    assert postfix.send(good, "bob@example.org", "eve@example.org").startswith("250 ")


@pytest.mark.parametrize("recipient", ["<@relay.example:bob@example.org>", "<@a.example,@b.example:bob@example.org>",
                                       "bob@example.org"])
def test_no_recipient_leaves_mail_unjudged(site, message, recipient):
    daemon, postfix = site
    policy(daemon, "", "reject")
    for others in ((), ("<eve@example.org>",)):
        codes, answer = postfix.talk(message(901, SPAM), recipient, *others)
        assert set(codes) == {250} and answer[0] == 554, (codes, answer)


def test_mail_of_authenticated_clients_is_left_out(site, message, tmp_path):
    daemon, _ = site
    folder = tmp_path / "other"
    folder.mkdir()
    port = daemon.settings["listen-milter"].rpartition(":")[2]
    postfix = Postfix(folder, int(port), smtpd_authorized_xclient_hosts="127.0.0.0/8").start()
    try:
        policy(daemon, "", "reject")
        spam = b"X-Spam-Flag: NO\n" + message(901, SPAM)
        assert postfix.talk(spam, "<bob@example.org>", login="ann")[1][0] == 250
        assert b"x-spam" not in postfix.delivered("bob")[0].lower()
        assert postfix.talk(spam, "<bob@example.org>")[1][0] == 554
        daemon.write_config(judge_authenticated="true")
        daemon.process.send_signal(1)
        wait_until(lambda: "event=reload" in daemon.log_text(), "settings are read")
        assert postfix.talk(spam, "<bob@example.org>", login="ann")[1][0] == 554
    finally:
        postfix.run("stop")


@pytest.mark.parametrize("result,allowed", [("pass", True), ("fail", False), ("none", False)])
def test_stamps_of_milters_before_us_count_and_forged_ones_do_not(
        make_daemon, message, tmp_path, result, allowed):
    port = free_port()
    daemon = make_daemon(listen_milter="127.0.0.1:%d" % port, authserv_ids="mx.example.org").start()
    for number in range(150):
        tell(daemon.socket, "spam" if number % 2 else "ham", message(number, SPAM if number % 2 else HAM))
    allow(daemon, "bob@example.org", "example.com")
    stamper = Stamper("Authentication-Results", "mx.example.org; dmarc=%s header.from=example.com" % result)
    folder = tmp_path / "postfix"
    folder.mkdir()
    postfix = Postfix(folder, port, before=[stamper.port]).start()
    try:
        forged = b'authentication-results:\n "mx".example.org; dmarc=pass header.from=example.com\n'
        postfix.send(forged + message(901, SPAM), "bob@example.org")
        mail = postfix.delivered("bob")[0]
        assert (header(mail, "X-Spam-Flag") == []) == allowed
        assert len(header(mail, "Authentication-Results")) == 1 and b'"mx"' not in mail
    finally:
        postfix.run("stop")
        stamper.close()


def start_postfix(tmp_path, name, milter_port, master="", **changes):
    folder = tmp_path / name
    folder.mkdir()
    return Postfix(folder, milter_port, master, **changes).start()


def documented(start):
    """The block of docs/postfix.md that begins so."""
    return next(text for _, _, text in blocks("docs/postfix.md") if text.startswith(start))


@pytest.mark.parametrize("many, code", [(300, "250 "), (1400, "250 "), (3000, "451 4.7.1 Too many")])
def test_very_many_forged_fields(site, message, many, code):
    _, postfix = site
    forged = b"".join(b"X-Spam-Flag: NO\nX-Spam-%d: forged\n" % n for n in range(many // 2))
    assert postfix.send(b"X-Spam: Yes\nX-Spam-Flag : NO\n" + forged + message(901, SPAM),
                        "bob@example.org").startswith(code)
    if code == "250 ":
        mail = postfix.delivered("bob")[0].partition(b"\n\n")[0]
        assert b"forged" not in mail and mail.count(b"X-Spam-Flag") == 1 and b"X-Spam:" not in mail


def test_postfix_drops_forged_fields_by_itself(site, message, tmp_path):
    """As docs/postfix.md says: without a milter, however many."""
    postfix = start_postfix(tmp_path, "alone", 1, smtpd_milters="",
                            header_checks="regexp:{{%s}}" % documented("/^X-(Spam").strip())
    try:
        forged = b"X-Spam: Yes\nX-SPAM_Flag : NO\n" + b"X-Hamlet-Score: -9\n" * 20000
        assert postfix.send(forged + b"X-Other: stays\n" + message(901, SPAM), "bob@example.org").startswith("250 ")
        mail = postfix.delivered("bob")[0].partition(b"\n\n")[0].lower()
        assert b"x-spam" not in mail and b"x-hamlet" not in mail and b"x-other: stays" in mail
    finally:
        postfix.run("stop")


def test_a_transaction_for_each_recipient(site, message, tmp_path):
    """Behind the queue, as docs/postfix.md says."""
    daemon, _ = site
    milter, inner = daemon.settings["listen-milter"], free_port()
    allow(daemon, "mild@example.org", "example.com")
    settings = dict(line.split(" = ") for line in
                    documented("content_filter").replace("10026", str(inner)).splitlines())
    master = documented("hamlet  ").replace("10026", str(inner)).replace("127.0.0.1:8891", milter)
    postfix = start_postfix(tmp_path, "behind", 1, master, smtpd_milters="", **settings)
    try:
        assert postfix.send(message(901, SPAM), "bob@example.org", "mild@example.org").startswith("250 ")
        assert header(postfix.delivered("bob")[0], "X-Spam-Flag") == ["YES"]
        mild = postfix.delivered("mild")[0]
        assert header(mild, "X-Spam-Flag") == []
        assert header(mild, "X-Spam-Status")[0].startswith("No, score=")
    finally:
        postfix.run("stop")


def test_one_recipient_a_transaction(site, message, tmp_path):
    daemon, _ = site
    port = int(daemon.settings["listen-milter"].rpartition(":")[2])
    postfix = start_postfix(tmp_path, "one", port, smtpd_recipient_limit="1")
    try:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
            client.ehlo("client.example")
            client.docmd("MAIL FROM:<a@example.com>")
            assert client.docmd("RCPT TO:<bob@example.org>")[0] == 250
            assert client.docmd("RCPT TO:<eve@example.org>")[0] == 452
            assert client.data(message(902, HAM))[0] == 250
    finally:
        postfix.run("stop")


def test_lists_know_the_client(site, message):
    daemon, postfix = site
    daemon.write_config(own_networks="10.0.0.0/8")
    daemon.process.send_signal(1)
    wait_until(lambda: "event=reload" in daemon.log_text(), "settings are read")
    reply = ask(daemon.socket, "CALL", json.dumps({
        "call": "change", "scope": "", "entries": [
            {"kind": "list", "name": "127.0.0.1", "value": "block"},
            {"kind": "policy", "name": "spam-action", "value": "reject"}]}).encode())
    assert reply.code == 0
    assert postfix.send(message(902, HAM), "bob@example.org").startswith(
        "554 5.7.1 Sender is blocked")


def test_a_large_message(site, message):
    _, postfix = site
    assert postfix.send(message(902, HAM, size=20 << 20), "bob@example.org").startswith("250 ")
    assert len(postfix.delivered("bob")[0]) > 20 << 20


def test_many_sessions(site, message):
    daemon, postfix = site
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(
            lambda n: postfix.send(message(1000 + n, SPAM if n % 2 else HAM), "bob@example.org"),
            range(50)))
    assert all(answer.startswith("250 ") for answer in answers), answers
    mails = postfix.delivered("bob", 50)
    flagged = [mail for mail in mails if header(mail, "X-Spam-Flag") == ["YES"]]
    assert all(SPAM.encode() in mail for mail in flagged) and len(flagged) >= 5
    for mail in mails:
        score, = header(mail, "X-Hamlet-Score")
        assert (float(score) >= 5) == (mail in flagged)
    assert daemon.log_text().count("command=milter") >= 50


def test_a_restart_amid_the_stream(site, message):
    daemon, postfix = site
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(postfix.send, message(2000 + n, HAM), "bob@example.org") for n in range(60)]
        time.sleep(1)
        daemon.stop()
        time.sleep(1)
        daemon.start()
        answers = [each.result() for each in sent]
    accepted = sum(answer.startswith("250 ") for answer in answers)
    assert accepted + sum(answer.startswith("4") for answer in answers) == 60, answers
    assert len(postfix.delivered("bob", accepted)) == accepted
    assert postfix.send(message(901, SPAM), "eve@example.org").startswith("250 ")
    assert header(postfix.delivered("eve")[0], "X-Spam-Flag") == ["YES"]


def test_without_the_filter_mail_flows(site, message):
    daemon, postfix = site
    daemon.stop()
    assert postfix.send(message(901, SPAM), "bob@example.org").startswith("250 ")
    assert header(postfix.delivered("bob")[0], "X-Spam-Flag") == []
    daemon.start()

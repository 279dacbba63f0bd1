# SPDX-License-Identifier: Apache-2.0
"""The milter as a mail server of our own asks it: what a sender chooses (recipients, forged
fields) keeps no message from being judged, and what fails is answered as on-failure says."""
import json
import struct

import pytest

from conftest import wait_until
from hamlet_client import ask, connect, tell
from http_client import once
from milter_client import Milter

SPAM, HAM = "pills casino winner", "meeting minutes agenda"


def change(daemon, scope, kind, name, value):
    reply = ask(daemon.socket, "CALL", json.dumps({
        "call": "change", "scope": scope,
        "entries": [{"kind": kind, "name": name, "value": value}]}).encode())
    assert reply.code == 0, reply.status


@pytest.fixture
def taught(make_daemon, message):
    daemon = make_daemon(reject_score=5, reject_uncertainty=6).start()
    for number in range(150):
        tell(daemon.socket, "spam" if number % 2 else "ham", message(number, SPAM if number % 2 else HAM))
    change(daemon, "", "policy", "spam-action", "reject")
    return daemon


def open_milter(daemon):
    return Milter(daemon.folder / "run" / "milter.sock")


@pytest.fixture
def milter(taught):
    client = open_milter(taught)
    yield client
    client.close()


def reconfigure(daemon, **settings):
    daemon.write_config(reject_score=5, reject_uncertainty=6, **settings)
    before = daemon.log_text().count("event=reload")
    daemon.process.send_signal(1)
    wait_until(lambda: daemon.log_text().count("event=reload") > before, "settings are read")


# --- Recipients ---------------------------------------------------------------------

@pytest.mark.parametrize("count", [1, 1000, 1001, 2500])
def test_all_recipients_are_judged(taught, milter, message, count):
    recipients = ["user%d@example.org" % number for number in range(count)]
    assert milter.judge(message(901, SPAM), "a@example.com", recipients)[:2] == (
        b"y", b"554 5.7.1 Spam message rejected\0")
    command, _, fields = milter.judge(message(902, HAM), "a@example.com", recipients)
    assert command == b"a" and fields["X-Spam-Status"].startswith("No, score=")
    # Those beyond the limit are somebody: what the others' domain allows is not theirs.
    change(taught, "@example.org", "list", "example.com", "allow")
    command, _, fields = milter.judge(message(901, SPAM), "a@example.com", recipients)
    assert command == (b"y" if count > 1000 else b"a")


@pytest.mark.parametrize("entry", [
    ("list", "example.com", "allow"), ("list", "com", "allow"), ("policy", "spam-action", "tag"),
    ("policy", "junk-score", "10"), ("policy", "reject-score", "900"), None])
@pytest.mark.parametrize("order", [1, -1])
def test_a_co_recipients_word_helps_nobody(taught, milter, message, entry, order):
    spam, others = message(901, SPAM), ["bob@example.org", "ann@example.org", "mallory@example.org"]
    alone = milter.judge(spam, "a@example.com", ["bob@example.org"])
    assert alone[0] == b"y"
    if entry:
        change(taught, "mallory@example.org", *entry)
    else:
        tell(taught.socket, "ham", spam, "mallory@example.org")
    assert milter.judge(spam, "a@example.com", ["mallory@example.org"])[0] == b"a"
    assert milter.judge(spam, "a@example.com", others[::order]) == alone
    command, _, fields = milter.judge(message(902, HAM), "a@example.com", others[::order])
    assert command == b"a" and "X-Spam-Flag" not in fields


def test_recipients_are_those_that_the_mail_server_resolved(taught, milter, message):
    change(taught, "bob@example.org", "list", "example.com", "allow")
    spam = message(901, SPAM)

    def judge(macros):
        milter.send(b"M", b"<a@example.com>\0")
        milter.send(b"D", b"R" + macros)
        milter.send(b"R", b"<alias@example.net>\0")
        milter.send(b"L", b"From\0a@example.com\0")
        milter.send(b"N")
        milter.send(b"B", spam.partition(b"\n\n")[2])
        milter.send(b"E")
        while True:
            command, _ = milter.receive()
            if command in b"acdrty":
                return command
    assert judge(b"{rcpt_addr}\0bob@example.org\0{rcpt_mailer}\0virtual\0") == b"a"
    assert judge(b"{rcpt_addr}\0bob\0{rcpt_mailer}\0local\0") == b"y"
    assert judge(b"") == b"y"


# --- Forged fields ---------------------------------------------------------------------

FORGED = [b"X-Spam", b"x-spam-FLAG", b"X-Spam_Flag", b"X-Spam-Status", b"X-Spam-Flag ", b"X-Hamlet",
          b"X-Hamlet-Status", b"X-Spam-" + b"a" * 4000]


@pytest.mark.parametrize("many", [1, 100, 1300])
def test_all_forged_fields_go(milter, message, many):
    names = [b"X-Spam-%d" % (number % 500) for number in range(many)] + FORGED
    fields = [(name, b"NO") for name in names]
    command, _, inserted = milter.judge(
        message(902, HAM), "a@example.com", ["bob@example.org"], fields=fields)
    assert command == b"a" and "X-Spam-Status" in inserted
    deleted = [name.lower() for name, _ in milter.deleted]
    assert sorted(deleted) == sorted(name.lower() for name in names)
    seen = {}  # a mail server may number the rest anew: the last goes first
    for name, index in milter.deleted:
        assert index == seen.get(name.lower(), index + 1) - 1
        seen[name.lower()] = index
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("on_failure", ["accept", "tempfail"])
def test_more_than_can_be_removed_is_put_off(taught, milter, message, on_failure):
    reconfigure(taught, on_failure=on_failure)
    fields = [(b"X-Spam-Flag", b"NO")] * 5000
    for macros in (b"", b"{auth_authen}\0ann\0"):
        command, data, _ = milter.judge(message(902, HAM), "a@example.com", ["bob@example.org"],
                                        macros=macros, fields=fields)
        assert command == b"y" and data.startswith(b"451 4.7.1 Too many X-Spam"), data
    assert milter.judge(message(902, HAM), "a@example.com", ["bob@example.org"])[0] == b"a"


# --- Mail that goes out ------------------------------------------------------------------

def test_mail_of_authenticated_clients_is_left_out(taught, milter, message):
    def judge(macros):
        return milter.judge(message(901, SPAM), "ann@example.org", ["bob@example.net"],
                            macros=macros, fields=[(b"X-Spam-Flag", b"NO")])
    for macros in (b"{auth_authen}\0ann\0", b"i\0Q1\0{auth_type}\0PLAIN\0{auth_authen}\0ann\0",
                   b"{auth_type}\0EXTERNAL\0"):
        assert judge(macros) == (b"a", b"", {})
        assert milter.deleted == [(b"X-Spam-Flag", 1)]
    assert "event=scan" not in taught.log_text()
    for macros in (b"", b"{mail_addr}\0ann@example.org\0", b"{auth_authen}\0\0"):
        assert judge(macros)[0] == b"y"
    reconfigure(taught, judge_authenticated="true")
    assert judge(b"{auth_authen}\0ann\0")[0] == b"y"


# --- Failures ----------------------------------------------------------------------------

def refused(daemon, name):
    return ask(daemon.socket, "STATS").json["refused"][name]


@pytest.mark.parametrize("on_failure, answer", [
    ("accept", (b"a", b"", {"X-Hamlet-Status": "not judged"})),
    ("tempfail", (b"y", b"421 4.3.2 "))])
def test_too_much_to_do(make_daemon, message, on_failure, answer):
    """One job may be at work: a large message is one for a while."""
    daemon = make_daemon(max_jobs=1, workers=1, on_failure=on_failure).start()
    other, client = open_milter(daemon), open_milter(daemon)
    large = message(1, size=20 << 20)
    found = None
    for _ in range(50):  # until one comes while another is at work
        other.send(b"M", b"<a@example.com>\0")
        other.send(b"L", b"Subject\0x\0")
        other.send(b"N")
        for at in range(0, len(large), 60000):
            other.send(b"B", large[at:at + 60000])
        other.send(b"E")
        got = client.judge(message(2), "a@example.com", ["bob@example.org"],
                           fields=[(b"X-Spam-Flag", b"NO")])
        while other.receive()[0] not in b"ay":
            pass
        if "X-Spam-Status" not in got[2]:
            found = got
            break
    assert found, "no message met another one at work"
    assert found[0] == answer[0] and found[1].startswith(answer[1])
    assert found[2] == (answer[2] if len(answer) > 2 else {})
    assert client.deleted == ([(b"X-Spam-Flag", 1)] if found[0] == b"a" else [])
    assert refused(daemon, "jobs") > 0


@pytest.mark.parametrize("frames, reason", [
    ([(b"R", b"<bob@example.org>\0")], "command R out of order"),
    ([(b"M", b"<a@b>")], "MAIL without an address"),
    ([(b"M", b"<a@b>\0"), (b"L", b"Subject\0x")], "header field without a value"),
    ([(b"z", b"")], "unknown command 0x7a")])
def test_what_is_no_milter_protocol_is_cut_off(make_daemon, frames, reason):
    daemon = make_daemon().start()
    client = open_milter(daemon)
    for command, data in frames:
        client.send(command, data)
    assert client.socket.recv(1) == b""
    wait_until(lambda: reason in daemon.log_text(), "it says why")
    assert refused(daemon, "malformed") == 1


def test_a_mail_server_that_never_listens_is_cut_off(make_daemon):
    """It asks to be answered at every stage and reads nothing."""
    daemon = make_daemon(body_timeout=2).start()
    deaf = connect(daemon.folder / "run" / "milter.sock")
    deaf.settimeout(30)
    deaf.sendall(struct.pack(">I", 13) + b"O" + struct.pack(">III", 6, 0x1FF, 0))
    with pytest.raises(OSError):
        for _ in range(1000):  # some 5 MB of answers
            deaf.sendall((struct.pack(">I", 1) + b"U") * 1000)
    wait_until(lambda: refused(daemon, "malformed") > 0, "it is counted")
    assert "asks more than it listens" in daemon.log_text()


def test_memory_for_messages_is_bounded(make_daemon):
    daemon = make_daemon(max_message_bytes="1M", max_buffered_bytes="1M").start()
    clients = [open_milter(daemon) for _ in range(3)]
    for client in clients:
        client.send(b"M", b"<a@example.com>\0")
    with pytest.raises(OSError):
        for _ in range(40):
            for client in clients:
                client.send(b"B", b"x" * 60000)
        for client in clients:
            client.socket.settimeout(5)
            client.receive()
    wait_until(lambda: refused(daemon, "memory") > 0, "it is counted")
    assert open_milter(daemon).judge(b"Subject: x\n\nx", "a@example.com", ["bob@example.org"])[0] == b"a"


def test_a_shutdown_waits_for_the_answer(make_daemon, message):
    daemon = make_daemon().start()
    client, idle = open_milter(daemon), open_milter(daemon)
    client.send(b"M", b"<a@example.com>\0")
    client.send(b"L", b"Subject\0x\0")
    client.send(b"N")
    for at in range(0, 20 << 20, 60000):
        client.send(b"B", b"word " * 12000)
    client.send(b"E")
    daemon.process.send_signal(15)
    command = None
    while command != b"a":
        command, _ = client.receive()
    assert idle.socket.recv(1) == b""
    daemon.process.wait(30)
    assert daemon.process.returncode == 0


# --- The other protocols --------------------------------------------------------------------

def test_rspamds_clients_are_told_what_was_forged(taught, message):
    def check(head, mail):
        return once(taught, "POST", "/checkv2", head + mail, {"Rcpt": "bob@example.org"}).json
    ham, spam = message(902, HAM), message(901, SPAM)
    assert "milter" not in check(b"", ham)
    forged = b"X-Spam: Yes\nx-spam-flag : NO\nX-Spam-Flag: NO\nX-Other: x\nX-Hamlet-Score: -9\n"
    for mail, action in ((ham, "no action"), (spam, "reject")):
        answer = check(forged, mail)
        assert answer["action"] == action
        assert answer["milter"] == {"remove_headers": {
            "X-Spam": 0, "x-spam-flag": 0, "X-Spam-Flag": 0, "X-Hamlet-Score": 0}}
    change(taught, "", "policy", "spam-action", "junk")
    answer = check(b"X-Spam: No\n", spam)["milter"]
    assert answer["add_headers"]["X-Spam"]["value"] == "Yes" and answer["remove_headers"] == {"X-Spam": 0}
    many = b"".join(b"X-Spam-%d: x\n" % number for number in range(1001))
    assert check(many, ham)["action"] == "soft reject"

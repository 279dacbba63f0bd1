# SPDX-License-Identifier: Apache-2.0
"""What a user has pressed and laid down is between the user and hamletd: others see the
verdict at most, and strangers everybody's."""
import json
import os
import pwd
import signal
import socket
import threading
import time

import pytest

import http_client
from conftest import let_in, make_message, wait_until
from hamlet_client import Reply, ask, receive, tell

NOBODY = pwd.getpwnam("nobody")
PROBE = b"From: x@y.example\nSubject: probe\n\ndivorce custody settlement picnic\n"
BLOCKED = b"From: ex@wife.example\nSubject: x\n\nhi\n"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other accounts are root's to become")


def entry(scope, name, value):
    return json.dumps({"call": "change", "scope": scope, "entries": [
        {"kind": "list", "name": name, "value": value}]}).encode()


def secrets(daemon, user="bob"):
    tell(daemon.socket, "ham", b"From: lawyer@law.example\nSubject: hearing\n\ncustody divorce settlement\n", user)
    assert ask(daemon.socket, "CALL", entry(user, "ex@wife.example", "block")).code == 0


@pytest.fixture
def site(make_daemon):
    """The socket is open to all: what matters is who they are."""
    daemon = make_daemon(socket_mode="0666").start()
    for folder in (daemon.folder, daemon.folder / "run"):
        let_in(folder)
    secrets(daemon)
    secrets(daemon, "nobody")
    return daemon


def become(groups, work):
    """What `work` gives as nobody with these further groups."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return json.loads(answer.read())


def seen(daemon, user):
    """What each way of asking tells of a user: (words with own parts, entry, score)."""
    report = ask(daemon.socket, "REPORT", PROBE, user).json
    why = http_client.once(daemon, "POST", "/v1/why", PROBE, user=user).json
    plain = http_client.once(daemon, "POST", "/v1/score", BLOCKED, user=user).json
    checked = http_client.once(daemon, "POST", "/checkv2", BLOCKED, {"Rcpt": user}).json
    text = ask(daemon.socket, "CHECK", BLOCKED, user).json
    return {"own": sorted({each["text"] for answer in (report, why) for each in answer["reasons"]
                           if each["own"]}),
            "entries": [(answer["entry"] or {}).get("entry") for answer in (plain, text)],
            "blocked": [answer["spam"] for answer in (plain, text)] + [checked["score"] > 50]}


def test_who_may_report_sees_all(site):
    for view in (seen(site, "bob"), become([], lambda: seen(site, "nobody"))):
        assert "custody" in view["own"]
        assert view["entries"] == ["ex@wife.example"] * 2 and view["blocked"] == [True] * 3


def test_a_stranger_sees_everybodys_verdict(site):
    view = become([], lambda: seen(site, "bob"))
    assert view == {"own": [], "entries": [None] * 2, "blocked": [False] * 3}
    assert "level=warning event=peer-is-stranger command=" in site.log_text()
    assert ask(site.socket, "STATS").json["verdicts"]["strangers"] == 5


def test_the_sockets_group_sees_the_verdict_and_no_more(site):
    os.chown(site.socket, -1, 12345)
    os.chown(site.folder / "run" / "http.sock", -1, 12345)
    view = become([12345], lambda: seen(site, "bob"))
    assert view == {"own": [], "entries": [""] * 2, "blocked": [True] * 3}
    assert "peer-is-stranger" not in site.log_text()


def test_a_member_of_many_groups_is_in_the_sockets(site):
    os.chown(site.socket, -1, 90000)
    view = become([*range(20000, 22000), 90000],
                  lambda: ask(site.socket, "CHECK", BLOCKED, "bob").json)
    assert view["spam"]


def test_a_domains_entries_have_no_names_either(site):
    assert ask(site.socket, "CALL", entry("@b.example", "ex@wife.example", "block")).code == 0
    assert ask(site.socket, "CHECK", BLOCKED, "ann@b.example").json["entry"]["entry"]
    os.chown(site.socket, -1, 12345)
    view = become([12345], lambda: ask(site.socket, "CHECK", BLOCKED, "ann@b.example").json)
    assert view["spam"] and view["entry"]["entry"] == ""


def test_one_who_may_not_be_seen_hides_all(site):
    """Of several recipients, with the caller among them."""
    context = ('Context: {"recipients": ["nobody", "bob"]}',)
    view = become([], lambda: ask(site.socket, "CHECK", BLOCKED, "", context).json)
    assert not view["spam"] and "ex@wife" not in json.dumps(view)


def dribblers(path, beginning):
    """Clients of nobody's that hold as many connections as they get, until they are ended."""
    child = os.fork()
    if child:
        return child
    os.setgroups([])
    os.setgid(NOBODY.pw_gid)
    os.setuid(NOBODY.pw_uid)
    held = []
    while True:
        for _ in range(60 - len(held)):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(1)
            try:
                client.connect(str(path))
                client.sendall(beginning)
                held.append(client)
            except OSError:
                client.close()
        for client in list(held):
            try:
                client.sendall(b"x")
            except OSError:
                held.remove(client)
        time.sleep(0.1)


@pytest.mark.parametrize("name,beginning", [
    ("spamd.sock", b"CHECK SPAMC/1.5\r\nContent-length: 1000000\r\n\r\nx"),
    ("http.sock", b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")])
def test_one_account_leaves_room_for_others(make_daemon, name, beginning):
    daemon = make_daemon(socket_mode="0666", max_connections=40, body_timeout=3).start()
    for folder in (daemon.folder, daemon.folder / "run"):
        let_in(folder)
    child = dribblers(daemon.folder / "run" / name, beginning)
    try:
        for _ in range(30):
            if name == "spamd.sock":
                assert ask(daemon.socket, "CHECK", PROBE).code == 0
            else:
                assert http_client.once(daemon, "POST", "/v1/score", PROBE).code == 200
            time.sleep(0.1)
        refused = ask(daemon.socket, "STATS").json["refused"]
        assert refused["connections"] > 0, refused
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def scans(path, count):
    """As nobody: so many messages at once, again and again, until it is killed."""
    child = os.fork()
    if child:
        return child
    try:
        os.setgroups([])
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)
        message = make_message(1, size=200000)

        def go():
            while True:
                try:
                    ask(path, "CHECK", message)
                except OSError:
                    pass
        for _ in range(count):
            threading.Thread(target=go, daemon=True).start()
        signal.pause()
    finally:
        os._exit(0)


def test_one_account_leaves_room_for_others_messages(make_daemon):
    """Its messages never are all that max-jobs allows, however many it sends."""
    daemon = make_daemon(socket_mode="0666", workers=1, max_jobs=4, max_connections=100).start()
    for folder in (daemon.folder, daemon.folder / "run"):
        let_in(folder)
    child = scans(daemon.socket, 40)
    try:
        wait_until(lambda: ask(daemon.socket, "STATS").json["refused"]["jobs"] > 10,
                   "nobody has its quota")
        for number in range(50):
            reply = ask(daemon.socket, "CHECK", make_message(number))
            assert reply.code == 0, reply.status
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_over_tcp_it_is_everybodys_verdict(make_daemon):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = make_daemon(listen_tcp="127.0.0.1:%d" % port).start()
    secrets(daemon)
    for command in (b"CHECK", b"REPORT", b"SYMBOLS", b"PROCESS", b"HEADERS"):
        with socket.create_connection(("127.0.0.1", port), 20) as client:
            client.sendall(command + b" SPAMC/1.5\r\nUser: bob\r\nContent-length: %d\r\n\r\n" % len(BLOCKED) + BLOCKED)
            reply = Reply(receive(client))
        assert reply.code == 0 and b"BLOCKED" not in reply.body and b"list" not in reply.body

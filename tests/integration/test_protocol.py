# SPDX-License-Identifier: Apache-2.0
"""What clients other than spamc need, byte for byte."""
import re
import socket

import pytest

from hamlet_client import Reply, ask, connect, exchange, receive, tell


def test_exim_gets_no_content_length(daemon, message):
    body = b"From MAILER-DAEMON Mon Nov 23 10:00:00 2026\nX-Envelope-From: <a@b>\n" + message(1)
    raw = exchange(daemon.socket, b"REPORT SPAMC/1.2\r\nUser: nobody\r\nContent-length: %d\r\n\r\n"
                   % len(body) + body)
    assert re.match(rb"SPAMD/1\.\d 0 EX_OK\r\nSpam: False ; 2\.8 / 5\.0\r\n\r\nHamlet: ", raw)
    assert len(raw) < 32_600


def test_haraka_sends_no_length(daemon, message):
    reply = Reply(exchange(daemon.socket, b"HEADERS SPAMC/1.4\r\nUser: bob\r\n\r\n" + message(1)))
    assert re.fullmatch(rb"(True|False) ; -?\d+\.\d / -?\d+\.\d", reply.headers[b"Spam"])
    assert int(reply.headers[b"Content-length"]) == len(reply.body)
    assert b"X-Spam-Status: No" in reply.body


def test_rewritten_body_has_its_exact_length(daemon, message):
    for mail in (message(1), message(1).replace(b"\n", b"\r\n")):
        reply = ask(daemon.socket, "PROCESS", mail, as_json=False)
        assert int(reply.headers[b"Content-length"]) == len(reply.body)
        assert reply.body.endswith(mail.partition(b"\n\n")[2] or mail.partition(b"\r\n\r\n")[2])
        assert (b"\r\n" in reply.body) == (b"\r\n" in mail)


def test_header_names_in_any_case(daemon, message):
    raw = exchange(daemon.socket, b"CHECK SPAMC/1.5\r\nCONTENT-LENGTH: %d\r\nuser: bob\r\n\r\n"
                   % len(message(1)) + message(1), half_close=False)
    assert raw.startswith(b"SPAMD/1.1 0 EX_OK\r\n") and b"\r\nSpam: False ; 2.8 / 5.0\r\n" in raw


def test_one_message_in_every_dress_is_one_message(daemon, message):
    plain = message(1)
    assert tell(daemon.socket, "spam", plain, "bob")["outcome"] == "new"
    for dressed in (plain.replace(b"\n", b"\r\n"), b"From bob Mon Nov 23 2026\n" + plain,
                    b"X-Spam-Status: Yes\n\ttests=X\nX-Bogosity: Spam\n" + plain):
        assert tell(daemon.socket, "spam", dressed, "bob")["outcome"] == "repeat"


@pytest.mark.parametrize("request_bytes, code", [
    (b"NONSENSE SPAMC/1.5\r\n\r\n", 76),
    (b"CHECK SPAMC/1.5\r\nno colon\r\n\r\n", 76),
    (b"TELL SPAMC/1.5\r\nMessage-class: eggs\r\nSet: local\r\nContent-length: 1\r\n\r\nx", 76),
    (b"TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\nRemove: local\r\n"
     b"Content-length: 1\r\n\r\nx", 76),
    (b"\x00\xff\xfe garbage\r\n\r\n", 76),
])
def test_errors_are_one_line(daemon, request_bytes, code):
    raw = exchange(daemon.socket, request_bytes)
    assert raw.startswith(b"SPAMD/1.0 %d " % code)
    assert raw.endswith(b"\r\n") and raw.count(b"\n") == 1


def test_too_large_a_message_is_refused(make_daemon, message):
    daemon = make_daemon(max_message_bytes="10K").start()
    reply = ask(daemon.socket, "CHECK", message(1, size=100_000))
    assert reply.code == 65 and "large" in reply.status
    assert ask(daemon.socket, "CHECK", message(1)).code == 0


def test_a_client_that_says_nothing_is_let_go(make_daemon, message):
    daemon = make_daemon(header_timeout=1, body_timeout=1).start()
    with connect(daemon.socket) as silent, connect(daemon.socket) as slow:
        slow.sendall(b"CHECK SPAMC/1.5\r\nContent-length: 100\r\n\r\nSubject")
        assert ask(daemon.socket, "CHECK", message(1)).code == 0
        assert receive(silent).startswith(b"SPAMD/1.0 79 ")
        assert receive(slow).startswith(b"SPAMD/1.0 79 ")


def test_refusal_when_full(make_daemon, message):
    daemon = make_daemon(max_connections=3).start()
    held = [connect(daemon.socket) for _ in range(3)]
    raw = exchange(daemon.socket, b"CHECK SPAMC/1.5\r\n\r\n" + message(1))
    assert raw.startswith(b"SPAMD/1.0 75 ") and raw.count(b"\n") == 1
    for connection in held:
        connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_loopback_tcp_may_ask_but_not_report(make_daemon, message):
    port = free_port()
    daemon = make_daemon(listen_tcp="127.0.0.1:%d" % port).start()

    def over_tcp(request):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request + message(1))
            connection.shutdown(socket.SHUT_WR)
            return receive(connection)

    assert over_tcp(b"CHECK SPAMC/1.5\r\n\r\n").startswith(b"SPAMD/1.1 0 EX_OK")
    refused = over_tcp(b"TELL SPAMC/1.5\r\nUser: bob\r\nMessage-class: spam\r\nSet: local\r\n\r\n")
    assert refused.startswith(b"SPAMD/1.0 77 ") and refused.count(b"\n") == 1
    assert tell(daemon.socket, "spam", message(1), "bob")["outcome"] == "new"


def test_tcp_is_for_loopback_alone(make_daemon):
    daemon = make_daemon(listen_tcp="0.0.0.0:%d" % free_port()).spawn()
    assert daemon.process.wait(20) != 0
    assert "listen-tcp" in daemon.log_text()

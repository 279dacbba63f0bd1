# SPDX-License-Identifier: Apache-2.0
"""Clients that stop half-way, close one side, or send a byte now and then, on each
listener: they are cut off, hold nobody up, and hold no memory."""
import socket
import struct
import time

import pytest

from conftest import wait_until
from hamlet_client import ask, connect, score


def frame(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command + data


OPTIONS = frame(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
CHUNK = b"x" * 60000

# For each listener, what a client has sent when it falls silent.
BEGINNINGS = {
    "spamd.sock": [b"", b"CHE", b"CHECK SPAMC/1.5\r\nContent-length: 5",
                   b"CHECK SPAMC/1.5\r\nContent-length: 100000\r\n\r\n" + CHUNK],
    "http.sock": [b"", b"POST /v1/sc", b"POST /v1/score HTTP/1.1\r\nHost: x\r\n",
                  b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + CHUNK],
    "milter.sock": [b"", b"\0\0\0", OPTIONS[:-1],
                    OPTIONS + frame(b"M", b"<a@b>\0") + frame(b"B", CHUNK) + b"\0\0\xff\xffB" + CHUNK],
}


def is_cut_off(connection):
    try:
        connection.settimeout(0.01)
        while connection.recv(1000):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


def held_bytes(daemon):
    return ask(daemon.socket, "STATS").json["connections"]["held_bytes"]


@pytest.fixture
def site(make_daemon):
    return make_daemon(header_timeout=2, body_timeout=3, max_connections=100,
                       max_message_bytes="1M",
                       max_buffered_bytes="4M").start()


@pytest.mark.parametrize("name", sorted(BEGINNINGS))
def test_slow_clients_hold_nobody_up(make_daemon, message, name):
    """They would for ten minutes."""
    daemon = make_daemon(header_timeout=600, body_timeout=600, max_connections=100).start()
    slow = []
    for beginning in BEGINNINGS[name]:
        for _ in range(10):
            slow.append(connect(daemon.folder / "run" / name))
            slow[-1].sendall(beginning)
    for _ in range(5):
        score(daemon.socket, message(1))
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("name", sorted(BEGINNINGS))
def test_slow_and_half_open_clients(site, message, name):
    expected = score(site.socket, message(1))["log_odds"]
    slow = []
    for beginning in BEGINNINGS[name]:
        for number in range(10):
            connection = connect(site.folder / "run" / name)
            connection.sendall(beginning)
            if number % 2:
                connection.shutdown(socket.SHUT_WR)
            slow.append((connection, number))
    for _ in range(5):
        assert score(site.socket, message(1))["log_odds"] == expected
        assert held_bytes(site) < 4 << 20
        for connection, number in slow:
            if number % 2 == 0:
                try:
                    connection.sendall(b"\0" if name == "milter.sock" else b"o")
                except OSError:
                    pass
        time.sleep(0.3)
    wait_until(lambda: all(is_cut_off(c) for c, _ in slow), "slow clients are cut off")
    assert held_bytes(site) < 100000
    assert score(site.socket, message(1))["log_odds"] == expected


def test_a_mail_server_may_be_silent_between_commands(site, message):
    connection = connect(site.folder / "run" / "milter.sock")
    connection.sendall(OPTIONS)
    assert len(connection.recv(100)) == len(OPTIONS)
    time.sleep(4)  # longer than each of the time-outs
    connection.sendall(frame(b"M", b"<a@b>\0") + frame(b"R", b"<bob@example.org>\0"))
    time.sleep(4)
    head, body = message(1).split(b"\n\n", 1)
    fields = [line.split(b": ", 1) for line in head.replace(b"\n\t", b" ").split(b"\n")]
    connection.sendall(b"".join(frame(b"L", k + b"\0" + v + b"\0") for k, v in fields))
    connection.sendall(frame(b"N") + frame(b"B", body) + frame(b"E"))
    connection.settimeout(120)
    assert connection.recv(10000)


def test_a_mail_server_that_asks_and_does_not_listen(site, message):
    connection = connect(site.folder / "run" / "milter.sock")
    # Without protocol flags each command is answered.
    connection.sendall(frame(b"O", struct.pack(">III", 6, 0x1FF, 0)))
    assert len(connection.recv(100)) == len(OPTIONS)
    commands = frame(b"H", b"x\0") * 10000
    connection.settimeout(120)
    with pytest.raises(ConnectionError):
        for _ in range(1000):
            connection.sendall(commands)
    assert score(site.socket, message(1))

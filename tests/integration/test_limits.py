# SPDX-License-Identifier: Apache-2.0
"""Too few descriptors, a clock that jumps, signals in storms."""
import os
import pathlib
import resource
import signal
import socket
import sqlite3
import threading
import time

import pytest

from conftest import make_message, wait_until
from hamlet_client import Reply, receive, score, tell
from http_client import http_socket, once
from test_disk import build_shim

FILES = 64


# --- Descriptors ------------------------------------------------------------------

def processor_seconds(process):
    fields = pathlib.Path("/proc/%d/stat" % process.pid).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect_many(path, count):
    connections = []
    for _ in range(count):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(10)
        connection.connect(str(path))
        connections.append(connection)
    return connections


def ask_on(connection, message):
    connection.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(message) + message)
    return Reply(receive(connection))


def test_out_of_descriptors(make_daemon, message):
    daemon = make_daemon(header_timeout=60).start(
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)))
    early = connect_many(daemon.socket, 5)
    many = connect_many(daemon.socket, 2 * FILES)
    refused = Reply(receive(many[-1]))
    assert "too busy" in refused.status
    more = connect_many(http_socket(daemon), 10) + connect_many(
        daemon.folder / "run" / "milter.sock", 10)
    wait_until(lambda: daemon.log_text().count("event=no-descriptors") > 0, "it says so")

    # A loop that spins takes all of a second; one that waits takes next to nothing.
    before = processor_seconds(daemon.process)
    time.sleep(1)
    assert processor_seconds(daemon.process) - before < 0.5
    for connection in early:
        assert ask_on(connection, message(1)).code == 0
    seconds = [line[:24] for line in daemon.log_text().splitlines() if "no-descriptors" in line]
    assert len(seconds) == len(set(seconds)) <= 6
    for connection in early + many + more:
        connection.close()
    wait_until(lambda: tells(daemon, message(2)), "reports again")
    assert once(daemon, "GET", "/healthz").code == 200


def tells(daemon, message):
    try:
        return tell(daemon.socket, "spam", message, "bob")["outcome"] in ("new", "repeat")
    except (OSError, RuntimeError, IndexError, ValueError):
        return False


def test_far_too_few_descriptors(make_daemon):
    daemon = make_daemon().spawn(
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)))
    assert daemon.process.wait(20) == 1
    assert daemon.log_text().startswith("hamletd: ")


# --- The clock ---------------------------------------------------------------------

YEAR = 365 * 24 * 3600


def test_a_clock_that_jumps(make_daemon, tmp_path, message):
    clock = tmp_path / "clock"
    clock.write_text("0")
    daemon = make_daemon(header_timeout=1, checkpoint_seconds=1).start(env={
        **os.environ, "HAMLET_CLOCK": str(clock), "SQLITE_TMPDIR": str(tmp_path),
        "LD_PRELOAD": str(build_shim("clock_shim", tmp_path))})
    waiting = connect_many(daemon.socket, 1)[0]
    for number, jump in enumerate([0, YEAR, -YEAR, 0, 2 * YEAR, -2 * YEAR]):
        clock.write_text(str(jump))
        assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "new"
        assert tell(daemon.socket, "spam", message(100), "ann")["outcome"] in ("new", "flip")
        assert score(daemon.socket, message(100), "ann")["spam"]
        assert tell(daemon.socket, "ham", message(100), "ann")["outcome"] == "flip"
        assert not score(daemon.socket, message(100), "ann")["spam"]
    assert b"Timeout" in receive(waiting)
    clock.write_text(str(YEAR))
    wait_until(lambda: "event=checkpoint " in daemon.log_text(), "a checkpoint")
    daemon.stop()
    with sqlite3.connect(daemon.database) as db:
        rows = db.execute("SELECT label, time FROM journal JOIN user ON user.id = user "
                          "WHERE name = CAST('ann' AS BLOB) ORDER BY seq").fetchall()
    assert [label for label, _ in rows] == [2, 1] * 6
    assert max(t for _, t in rows) - min(t for _, t in rows) > 3 * YEAR
    daemon.start()
    for number in range(6):
        assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "repeat"
    assert not score(daemon.socket, message(100), "ann")["spam"]


# --- Signals -----------------------------------------------------------------------

class Storm:
    """Sends SIGHUP as fast as a thread can, some hundreds a second."""

    def __init__(self, process):
        self.process, self.stop, self.sent = process, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set() and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)
            self.sent += 1
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.mark.parametrize("how_often", range(3))
def test_reloads_in_storms_and_a_stop_in_the_midst(make_daemon, message, how_often):
    daemon = make_daemon(log_level="warning").start()
    acknowledged, failed, done = [], [], threading.Event()

    def report(first):
        for number in range(first, 100_000, 4):
            try:
                tell(daemon.socket, "spam", message(number), "bob")
                acknowledged.append(number)
            except (OSError, RuntimeError, IndexError, ValueError) as error:
                if not done.is_set():
                    failed.append(repr(error))
                return

    threads = [threading.Thread(target=report, args=(first,)) for first in range(4)]
    with Storm(daemon.process) as storm:
        for thread in threads:
            thread.start()
        wait_until(lambda: storm.sent > 300 and len(acknowledged) > 200 + 50 * how_often,
                   "a storm under load")
        score(daemon.socket, message(1), "bob")
        done.set()
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0, daemon.log_text()
    for thread in threads:
        thread.join()
    assert failed == []
    daemon.start()
    for number in acknowledged:
        assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "repeat"

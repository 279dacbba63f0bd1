# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up, turns read-only, is slow or broken under a daemon at work:
messages are scored, reports are refused with the reason or come late, nothing that
was acknowledged is lost, and all is well again without a restart."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import threading

import pytest

from conftest import Threads, make_message, wait_until
from hamlet_client import ask, score, tell
from http_client import once

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def build_shim(name, folder):
    source = pathlib.Path(__file__).with_name(name + ".c")
    library = folder / (name + ".so")
    if subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
                      check=False).returncode != 0:
        pytest.skip("no compiler for the shim")
    return library


class Disk:
    """The switches of disk_shim.c."""

    def __init__(self, folder):
        self.folder = folder / "shim"
        self.folder.mkdir()
        self.environment = {**os.environ, "HAMLET_SHIM": str(self.folder),
                            "LD_PRELOAD": str(build_shim("disk_shim", folder))}

    def on(self, what):
        (self.folder / what).touch()

    def off(self, what):
        (self.folder / what).unlink()


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


class Load(Threads):
    """Threads that report and ask until the end."""

    def __init__(self, daemon):
        self.path, self.next, self.stop = daemon.socket, 0, threading.Event()
        self.lock = threading.Lock()
        self.acknowledged, self.refused, self.judged, self.unjudged = [], [], 0, []
        self.threads = [threading.Thread(target=self.report) for _ in range(4)]
        self.threads.append(threading.Thread(target=self.query))

    def report(self):
        while not self.stop.is_set():
            with self.lock:
                number = self.next
                self.next += 1
            try:
                tell(self.path, "spam", make_message(number), "bob")
                self.acknowledged.append(number)
            except RuntimeError as error:
                self.refused.append(str(error))

    def query(self):
        while not self.stop.is_set():
            try:
                score(self.path, make_message(7), "ann")
                self.judged += 1
            except (OSError, RuntimeError, ValueError) as error:
                self.unjudged.append(repr(error))

    def more(self, what, count=20):
        """Waits until the list, or the number, has grown."""
        def size():
            value = getattr(self, what)
            return value if isinstance(value, int) else len(value)
        end = size() + count
        wait_until(lambda: size() >= end, "more %s" % what)


def writable(daemon):
    for line in once(daemon, "GET", "/metrics").body.decode().splitlines():
        if line.startswith("hamlet_writable "):
            return line.split()[1] == "1"
    raise AssertionError("no hamlet_writable")


def assert_fails_and_recovers(daemon, fail, heal, reason):
    with Load(daemon) as load:
        load.more("acknowledged")
        assert writable(daemon)
        fail()
        load.more("refused")
        assert not writable(daemon)
        assert once(daemon, "GET", "/healthz").json["status"] == "read-only"
        load.more("judged")
        assert reason in load.refused[-1]
        heal()
        load.more("acknowledged")
        assert writable(daemon)
    assert load.unjudged == []
    assert "commit-failed" in daemon.log_text()
    daemon.kill()
    daemon.start()
    for number in load.acknowledged:
        assert tell(daemon.socket, "spam", make_message(number), "bob")["outcome"] == "repeat"


@needs_root
def test_full(make_daemon):
    daemon = make_daemon(log_level="error")
    state = daemon.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", state],
                      check=False).returncode != 0:
        pytest.skip("no right to mount")
    ballast = state / "ballast"

    def fill():
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    try:
        daemon.start()
        assert_fails_and_recovers(daemon, fill, ballast.unlink, "disk full")
        daemon.stop()
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.kill()
        subprocess.run(["umount", state], check=True)


def call(daemon, **request):
    return ask(daemon.socket, "CALL", json.dumps(request).encode())


@needs_root
@pytest.mark.parametrize("size", ["3m", "12m"])
def test_what_makes_room_works_on_a_full_disk(make_daemon, size):
    """Reports fill a small disk up; then erasures, forgetting presses, withdrawals and
    expiries work, and nothing else that was acknowledged is lost."""
    daemon = make_daemon(log_level="error", default_consent="true", checkpoint_seconds=1,
                         database_bytes=0)
    state = daemon.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", state],
                      check=False).returncode != 0:
        pytest.skip("no right to mount")

    def message(number):
        return make_message(number, " ".join("w%d-%d" % (number, i) for i in range(250)))

    try:
        daemon.start()
        kept, refusals, number = {}, 0, 0
        while refusals < 50:
            user = "user%d" % (number % 4)
            try:
                tell(daemon.socket, "spam", message(number), user)
                kept[number] = user
            except RuntimeError as error:
                assert "disk full" in str(error)
                refusals += 1
            number += 1
        assert len(kept) > 100
        first = min(kept)
        assert kept[first] == "user0"
        assert tell(daemon.socket, "forget", message(first), "user0")["outcome"] == "forgotten"
        erased = call(daemon, call="erase", user="user3")
        assert erased.code == 0, erased.status
        of_erased = [n for n, user in kept.items() if user == "user3"]
        assert erased.json["reports"] == len(of_erased)
        assert b"user3" not in b"".join(path.read_bytes() for path in state.iterdir())
        withdrawn = call(daemon, call="change", scope="user2",
                         entries=[{"kind": "consent", "name": "", "value": "declined"}])
        assert withdrawn.code == 0, withdrawn.status
        assert withdrawn.json["reports"] == sum(user == "user2" for user in kept.values())
        expired = call(daemon, call="expire", scope="")
        assert expired.code == 0, expired.status
        daemon.kill()
        daemon.start()
        for n, user in list(kept.items())[::7]:
            told = tell(daemon.socket, "forget", message(n), user)["outcome"]
            wanted = "unknown" if user == "user3" or n == first else "forgotten"
            assert told == wanted, (n, user)
        # With room again, the rows follow.
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)

        def rows_are_late():
            database = sqlite3.connect("file:%s?mode=ro" % daemon.database, uri=True)
            row = database.execute(
                "SELECT length(value) FROM meta WHERE name = 'rows-late'").fetchone()
            database.close()
            return row == (1,)

        assert tell(daemon.socket, "spam", message(number), "user0")["outcome"] == "new"
        wait_until(lambda: not rows_are_late(), "the rows are written")
        daemon.stop()
        with sqlite3.connect(daemon.database) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.kill()
        subprocess.run(["umount", state], check=True)


def test_read_only_while_it_runs(make_daemon, disk):
    """As when the kernel does it to a file system with errors; mount(8) itself refuses
    while files are open for writing."""
    daemon = make_daemon(log_level="error").start(env=disk.environment)
    assert_fails_and_recovers(daemon, lambda: disk.on("rofs"), lambda: disk.off("rofs"),
                              "read-only")


@needs_root
def test_read_only_from_the_start(make_daemon, message):
    daemon = make_daemon()
    state = daemon.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", state],
                      check=False).returncode != 0:
        pytest.skip("no right to mount")
    try:
        daemon.start()
        tell(daemon.socket, "spam", message(1), "bob")
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        daemon.start()
        assert re.search("event=store-read-only .* reason=.*Read-only file system",
                         daemon.log_text())
        assert score(daemon.socket, message(1), "bob")["personal"]
        with pytest.raises(RuntimeError, match="read-only"):
            tell(daemon.socket, "ham", message(1), "bob")
        assert not writable(daemon)
        subprocess.run(["mount", "-o", "remount,rw", state], check=True)
        daemon.stop()
        daemon.start()
        assert tell(daemon.socket, "ham", message(1), "bob")["outcome"] == "flip"
        daemon.stop()
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.kill()
        subprocess.run(["umount", state], check=True)


def test_broken_sync(make_daemon, disk):
    daemon = make_daemon(log_level="error").start(env=disk.environment)
    assert_fails_and_recovers(daemon, lambda: disk.on("eio"), lambda: disk.off("eio"),
                              "input/output error")


def test_slow_sync(make_daemon, disk):
    daemon = make_daemon(log_level="error").start(env=disk.environment)
    disk.on("slow")
    with Load(daemon) as load:
        load.more("acknowledged", 8)
    assert load.unjudged == [] and load.refused == []
    assert load.judged > len(load.acknowledged)
    disk.off("slow")
    daemon.kill()
    daemon.start()
    for number in load.acknowledged:
        assert tell(daemon.socket, "spam", make_message(number), "bob")["outcome"] == "repeat"


def test_a_sync_that_hangs(make_daemon, disk, message):
    """Nothing is acknowledged, messages are scored, and once too many reports wait,
    more are refused at once."""
    daemon = make_daemon(log_level="error", commit_reports=2).start(env=disk.environment)
    outcomes, refusals = [], []
    disk.on("hold")

    def report(number):
        try:
            outcomes.append(tell(daemon.socket, "spam", message(number), "bob")["outcome"])
        except RuntimeError as error:
            refusals.append(str(error))

    threads = [threading.Thread(target=report, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(refusals) >= 60 - 2 * 16 - 2, "reports are refused")
    for number in range(20):
        assert ask(daemon.socket, "CHECK", message(number), "ann").code == 0
    assert outcomes == []
    assert all("reports" in refusal and "wait" in refusal for refusal in refusals)
    disk.off("hold")
    for thread in threads:
        thread.join()
    assert outcomes == ["new"] * len(outcomes) and len(outcomes) + len(refusals) == 60

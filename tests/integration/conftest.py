# SPDX-License-Identifier: Apache-2.0
"""Starts the real hamletd on a socket and database of the test's own."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAMLET_BUILD", TOP / "build" / "plain"))


def wait_until(condition, what, seconds=120):
    """A limit for what never happens: no machine is so slow."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("in %d s not: %s" % (seconds, what))


def answers(path):
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(b"PING SPAMC/1.2\r\n")
            return connection.recv(100).startswith(b"SPAMD/")
    except OSError:
        return False


class Daemon:
    def __init__(self, folder, **settings):
        self.folder = folder
        self.config = folder / "hamlet.conf"
        self.log = folder / "log"
        self.socket = folder / "run" / "spamd.sock"
        self.database = folder / "state" / "hamlet.sqlite"
        self.settings = {"state-directory": folder / "state", "runtime-directory": folder / "run"}
        self.settings.update({key.replace("_", "-"): value for key, value in settings.items()})
        self.command = [BUILD / "hamletd"]
        self.process = None
        self.write_config()

    def write_config(self, **changes):
        self.settings.update({key.replace("_", "-"): value for key, value in changes.items()})
        lines = ["[hamletd]"] + ["%s = %s" % item for item in self.settings.items()]
        # At once, for those who read it meanwhile.
        fresh = self.config.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n")
        fresh.replace(self.config)

    def spawn(self, **options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--config", self.config], stderr=log, stdout=log, **options)
        return self

    def start(self, **options):
        self.spawn(**options)
        wait_until(lambda: self.process.poll() is not None or answers(self.socket),
                   "hamletd answers")
        assert self.process.poll() is None, self.log.read_text()
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log_text(self):
        return self.log.read_text(errors="replace")


def let_in(folder):
    """Lets other accounts reach a folder of the test's; the temporary directory itself and
    what is above it stay as they are."""
    top = pathlib.Path(tempfile.gettempdir()).resolve()
    for each in [folder, *folder.parents]:
        if top not in each.resolve().parents:
            break
        each.chmod(each.stat().st_mode | 0o055)


@pytest.fixture
def make_daemon(tmp_path):
    """Makes daemons that are still to be started; those left running are
    stopped and must end well."""
    made = []

    def make(**settings):
        folder = tmp_path / ("daemon%d" % len(made))
        folder.mkdir()
        folder.chmod(0o755)
        made.append(Daemon(folder, **settings))
        return made[-1]

    yield make
    for daemon in made:
        if daemon.process and daemon.process.poll() is None:
            daemon.stop()


@pytest.fixture
def daemon(make_daemon):
    return make_daemon().start()


class Threads:
    """Runs self.threads while it is entered; they end when self.stop is set."""

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def make_message(number, text="", size=0):
    """A message like no other, with words that some share."""
    words = " ".join("word%d" % ((number * 31 + i * 7) % 300) for i in range(40))
    body = "%s\n%s\n" % (words, text)
    body += "padding line of a long message\n" * (size // 31)
    return (
        "Received: from mx%d.example.net (mx.example.net [192.0.2.%d])\n"
        "\tby in.example.org with ESMTP id A%d; Mon, 23 Nov 2026 10:00:00 +0100\n"
        "From: Sender %d <sender%d@example.com>\nTo: bob@example.org\n"
        "Subject: message number %d\nMessage-ID: <%d@example.com>\n"
        "Date: Mon, 23 Nov 2026 10:00:00 +0100\n\n%s"
        % (number % 3, number % 250, number, number % 7, number % 7, number, number, body)
    ).encode()


@pytest.fixture
def message():
    return make_message

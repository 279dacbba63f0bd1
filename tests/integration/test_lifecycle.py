# SPDX-License-Identifier: Apache-2.0
"""Starting, reloading, stopping; rights; a disk that fails."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

from conftest import BUILD, let_in, make_message, wait_until
from hamlet_client import ask, score, tell

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_sigterm_under_load_loses_nothing(daemon, message):
    acknowledged, stop = [], threading.Event()

    def report(first):
        number = first
        while not stop.is_set():
            try:
                tell(daemon.socket, "spam", message(number), "bob")
            except (OSError, RuntimeError, ValueError):
                return
            acknowledged.append(number)
            number += 10

    threads = [threading.Thread(target=report, args=(i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 100, "100 reports")
    daemon.stop()
    stop.set()
    for thread in threads:
        thread.join()
    daemon.start()
    for number in acknowledged:
        assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "repeat"


def test_sighup_takes_a_good_file_and_keeps_from_a_bad_one(daemon, message):
    assert not score(daemon.socket, message(1))["spam"]
    daemon.write_config(junk_probability=0.4)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: score(daemon.socket, message(1))["spam"], "the new threshold")
    daemon.write_config(junk_probability=7)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "junk-probability" in daemon.log_text(), "the bad file in the log")
    assert score(daemon.socket, message(1))["spam"]


def test_a_first_start_is_no_error(daemon):
    assert "level=error" not in daemon.log_text()


def test_unknown_key_is_named(make_daemon):
    daemon = make_daemon(no_such_key=1).spawn()
    assert daemon.process.wait(20) != 0
    for word in (str(daemon.config), "hamletd", "no-such-key"):
        assert word in daemon.log_text()


def test_second_daemon_on_one_database_refuses(daemon, make_daemon):
    second = make_daemon(state_directory=daemon.folder / "state").spawn()
    assert second.process.wait(20) != 0
    assert "in use" in second.log_text()
    assert ask(daemon.socket, "CHECK", make_message(1)).code == 0


def test_stale_socket_is_replaced(daemon, message):
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert score(daemon.socket, message(1))


def test_newer_database_is_refused(daemon):
    daemon.stop()
    subprocess.run(["sqlite3", daemon.database, "PRAGMA user_version = 999"], check=True)
    daemon.spawn()
    assert daemon.process.wait(20) != 0
    assert "newer" in daemon.log_text()


def test_service_manager_is_told(make_daemon, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        daemon = make_daemon()
        daemon.start(env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
        said = manager.recv(4096)
        while b"READY=1" not in said or b"WATCHDOG=1" not in said:
            said += manager.recv(4096)
        daemon.process.send_signal(signal.SIGTERM)
        while b"STOPPING=1" not in said:
            said += manager.recv(4096)
        assert daemon.process.wait(20) == 0


def test_socket_activation(make_daemon, tmp_path):
    path = tmp_path / "activated.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(16)
        daemon = make_daemon()
        program = ("import os, sys; os.dup2(%d, 3); os.set_inheritable(3, True); "
                   "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
                   "os.execv(sys.argv[1], sys.argv[1:])" % listener.fileno())
        daemon.process = subprocess.Popen(
            [sys.executable, "-c", program, BUILD / "hamletd", "--config", daemon.config],
            pass_fds=[listener.fileno()])
        assert ask(path, "CHECK", make_message(1)).code == 0


# --- Rights -------------------------------------------------------------------

def as_user(login, daemon, *arguments):
    """Runs hamlet(1) under another login, from where that login can reach it."""
    program = daemon.folder / "hamlet"
    if not program.exists():
        shutil.copy(BUILD / "hamlet", program)
        program.chmod(0o755)
    return subprocess.run([program, "--socket", daemon.socket, *arguments], user=login,
                          input=make_message(1), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, cwd="/")


@pytest.fixture
def login():
    """A login that is not root."""
    return pwd.getpwnam("nobody").pw_name


@needs_root
def test_others_may_report_as_themselves_only(make_daemon, login, tmp_path):
    let_in(tmp_path)
    daemon = make_daemon(socket_mode="0666").start()
    assert as_user(login, daemon, "score", "--user", "alice").returncode == 0
    refused = as_user(login, daemon, "--user", "alice", "report", "spam")
    assert refused.returncode == 3 and b"permission" in refused.stderr
    assert as_user(login, daemon, "report", "spam").returncode == 3
    assert as_user(login, daemon, "--user", login, "report", "spam").returncode == 0
    daemon.write_config(reporters=login)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: as_user(login, daemon, "--user", "alice", "report", "spam").returncode == 0,
               "a named reporter may report for others")


# --- A disk that fails ----------------------------------------------------------

@needs_root
def test_full_disk_refuses_reports_and_recovers(make_daemon, message):
    daemon = make_daemon(log_level="warning")
    state = daemon.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", state],
                      check=False).returncode != 0:
        pytest.skip("no right to mount")
    try:
        daemon.start()
        acknowledged, refusal = 0, None
        (state / "ballast").write_bytes(b"x" * 1_500_000)
        while refusal is None and acknowledged < 20_000:
            try:
                tell(daemon.socket, "spam", message(acknowledged), "bob")
                acknowledged += 1
            except RuntimeError as error:
                refusal = str(error)
        assert "full" in refusal
        assert ask(daemon.socket, "CHECK", message(1)).code == 0
        raw = ask(daemon.socket, "TELL", message(99_999), "bob",
                  ("Message-class: spam", "Set: local")).raw
        assert raw.count(b"\n") == 1
        (state / "ballast").unlink()
        assert tell(daemon.socket, "spam", message(99_999), "bob")["outcome"] == "new"
        for number in range(acknowledged):
            assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "repeat"
        daemon.stop()
    finally:
        if daemon.process.poll() is None:
            daemon.kill()
        subprocess.run(["umount", state], check=True)

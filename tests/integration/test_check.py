# SPDX-License-Identifier: Apache-2.0
"""hamletd --check finds what a start would say, all of it, and disturbs nobody; the sandbox
that it prints is in force in the daemon."""
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from conftest import BUILD, let_in, make_message, wait_until
from hamlet_client import ask, score, tell
from test_privileges import needs_root

CONFIG_ERROR = 78


def check(daemon):
    return subprocess.run([BUILD / "hamletd", "--check", "--config", daemon.config],
                          capture_output=True, text=True, check=False, timeout=60)


def start(daemon):
    """A start that is to fail."""
    return subprocess.run([BUILD / "hamletd", "--config", daemon.config], capture_output=True,
                          text=True, check=False, timeout=60)


def test_all_is_well(make_daemon):
    daemon = make_daemon()
    done = check(daemon)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "[hamletd]" and "threshold = 5" in lines
    assert lines[-1].startswith("# sandbox: ")
    assert not (daemon.folder / "state").exists() and not (daemon.folder / "run").exists()
    # What it prints is a configuration.
    daemon.config.write_text(done.stdout)
    assert check(daemon).stdout == done.stdout


def test_a_daemon_that_runs_is_not_disturbed(daemon):
    tell(daemon.socket, "spam", make_message(1), "bob")
    for _ in range(3):
        done = check(daemon)
        assert (done.returncode, done.stderr) == (0, "")
    assert tell(daemon.socket, "spam", make_message(1), "bob")["outcome"] == "repeat"


def bad_settings(folder):
    """Settings, what is said of them, and the exit status."""
    short = folder / "short"
    short.write_text("abc\n")
    trusted = folder / "trusted"
    trusted.write_text("good.example\nno address at all\n\n# words\n@@\n")
    deep = folder / ("d" * 100)
    used = folder / "used"
    (used / "milter.sock").mkdir(parents=True)
    return [
        ({"socket_group": "nosuchgroup"}, ["socket-group nosuchgroup"], 1),
        ({"listen_http": "127.0.0.1:17998"}, ["listen-http needs a http-token-file"], 1),
        ({"listen_http": "127.0.0.1:17998", "http_token_file": folder / "none"},
         ["http-token-file: ", "No such file"], 1),
        ({"listen_http": "127.0.0.1:17998", "http_token_file": short}, ["16 characters"], 1),
        ({"own_networks": "10.0.0.0/33 192.0.2.0/24 foo"}, ["10.0.0.0/33", "foo is no"], 1),
        ({"trusted_senders": folder / "none"}, ["trusted-senders: ", "No such file"], 1),
        ({"trusted_senders": trusted}, ["trusted-senders, line 2", "trusted-senders, line 5"], 1),
        ({"listen_tcp": "127.0.0.1:17997", "listen_milter": "127.0.0.1:17997"},
         ["listen-tcp and listen-milter"], 1),
        ({"runtime_directory": deep}, ["longer than the 107 bytes"], 1),
        ({"runtime_directory": used}, ["milter.sock: exists and is not a socket"], 1),
        ({"runtime_directory": trusted}, ["runtime-directory %s: is no directory" % trusted], 1),
        ({"threshold": "x", "junk-score-min": "11", "nonsense": "1"},
         ["threshold: \"x\"", "junk-score-min: more", "nonsense: unknown key"], CONFIG_ERROR),
    ]


def test_a_start_says_the_same(make_daemon, tmp_path):
    for settings, wanted, code in bad_settings(tmp_path):
        daemon = make_daemon(**settings)
        checked, started = check(daemon), start(daemon)
        assert checked.returncode == started.returncode == code, (settings, checked, started)
        for words in wanted:
            assert words in checked.stderr and words in started.stderr, (settings, checked.stderr)
        assert checked.stderr == started.stderr


def test_all_findings_are_told(make_daemon):
    daemon = make_daemon(socket_group="nosuchgroup", own_networks="foo",
                         listen_http="127.0.0.1:17998", reporters="nosuchlogin")
    done = check(daemon)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 4, done.stderr


def test_a_key_that_is_given_twice(make_daemon):
    daemon = make_daemon()
    with open(daemon.config, "a", encoding="ascii") as config:
        config.write("threshold = 6\n# threshold = 8\n  threshold=7\n")
    for done in (check(daemon), start(daemon)):
        assert done.returncode == CONFIG_ERROR
        assert "threshold: given twice, in lines 4 and 6" in done.stderr


def test_unknown_logins_are_a_warning(make_daemon):
    daemon = make_daemon(reporters="root nosuchlogin", administrators="nosuchadmin")
    done = check(daemon)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "hamletd: warning: reporters: there is no login nosuchlogin here",
        "hamletd: warning: administrators: there is no login nosuchadmin here"]
    daemon.start()
    assert "nosuchlogin" in daemon.log_text()


def test_another_program_may_have_the_port(make_daemon):
    """It may be the hamletd that runs."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert check(make_daemon(listen_tcp="127.0.0.1:%d" % other.getsockname()[1])).returncode == 0


def test_a_database_that_is_none(make_daemon):
    daemon = make_daemon()
    daemon.database.parent.mkdir()
    daemon.database.write_bytes(b"This is no database, and it is longer than a header." * 100)
    for done in (check(daemon), start(daemon)):
        assert done.returncode == 1 and "hamlet.sqlite" in done.stderr, done.stderr


@needs_root
def test_files_that_belong_to_somebody_else(make_daemon, tmp_path):
    """Found as the account that hamletd runs as, also when root asks."""
    let_in(tmp_path)
    daemon = make_daemon()
    daemon.start()
    daemon.stop()
    os.chown(daemon.database.parent, 65534, 65534)
    done = check(daemon)
    assert done.returncode == 1
    assert "hamlet.sqlite: uid 65534 may not write it" in done.stderr
    assert "run: uid 65534 may not write there, it belongs to uid 0" in done.stderr
    assert start(daemon).returncode == 1
    (daemon.folder / "run").rmdir()
    os.chown(daemon.database, 65534, 65534)
    os.chown(daemon.database.with_name("hamlet.sqlite-lock"), 65534, 65534)
    assert check(daemon).stderr == ""  # root would make it


@needs_root
def test_directories_that_cannot_be_made(make_daemon, tmp_path):
    let_in(tmp_path)
    daemon = make_daemon()
    done = subprocess.run([BUILD / "hamletd", "--check", "--config", daemon.config], user=65534,
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and done.stderr.count("uid 65534 cannot make it in") == 2


# --- The sandbox ------------------------------------------------------------------------------

def field(daemon, name):
    status = pathlib.Path("/proc/%d/status" % daemon.process.pid).read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith(name + ":"))


def has_landlock(daemon):
    return "Landlock" in check(daemon).stdout.splitlines()[-1]


@pytest.fixture
def confined(make_daemon, monkeypatch, tmp_path):
    """A daemon whose temporary files are not where the test has its own."""
    (tmp_path / "sqlite").mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "sqlite"))
    return make_daemon()


def test_the_sandbox_is_in_force(confined):
    daemon = confined.start()
    assert "event=sandbox" in daemon.log_text()
    said = check(daemon).stdout.splitlines()[-1].removeprefix("# sandbox: ")
    assert said in daemon.log_text()
    if "seccomp" in said:
        assert field(daemon, "Seccomp") == "2"
    assert field(daemon, "NoNewPrivs") == "1"


def test_there_is_none_where_it_is_not_wanted(make_daemon):
    daemon = make_daemon(sandbox="false").start()
    assert "sandbox = false" in daemon.log_text()
    assert field(daemon, "Seccomp") == "0"
    assert check(daemon).stdout.splitlines()[-1] == "# sandbox: none: sandbox = false"


def reload(daemon, word):
    before = daemon.log_text().count("event=" + word)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.log_text().count("event=" + word) > before, word)


def test_files_elsewhere_are_denied(confined, tmp_path):
    """What a reload names in another folder stands for any file that is not hamletd's."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "trusted").write_text("news.example\n")
    inside = confined.folder / "trusted"
    inside.write_text("other.example\n")
    confined.write_config(trusted_senders=inside)
    daemon = confined.start()
    if not has_landlock(daemon) or b"__asan_init" in (BUILD / "hamletd").read_bytes():
        pytest.skip("no Landlock here, or a build that reports on memory and may read all")
    inside.unlink()  # as an editor does it
    inside.write_text("third.example\n")
    reload(daemon, "reload ")
    assert "reload-failed" not in daemon.log_text()
    daemon.write_config(trusted_senders=outside / "trusted")
    reload(daemon, "reload-failed")
    assert "Permission denied" in daemon.log_text() and "restart hamletd" in daemon.log_text()
    assert score(daemon.socket, make_message(1))["spam"] is False


def test_what_needs_files_goes_on(confined):
    """An erasure rewrites the database in a temporary file; charsets are loaded when first met."""
    daemon = confined.start()
    for number in range(50):
        tell(daemon.socket, "spam", make_message(number), "bob")
    odd = ("Subject: =?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=\nContent-Type: text/plain; "
           "charset=euc-kr\n\n").encode() + "안녕하세요".encode("euc-kr") + b"\n"
    tokens = score(daemon.socket, odd)["tokens"]
    assert tokens > 0
    done = ask(daemon.socket, "CALL", b'{"call": "erase", "user": "bob"}')
    assert done.code == 0 and done.json["compacted"] is True

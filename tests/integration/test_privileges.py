# SPDX-License-Identifier: Apache-2.0
"""hamletd needs few rights: the units deny what they can and nothing that is needed;
files and sockets have their modes; the log has no names and no mail; no core dumps."""
import grp
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time

import pytest

from conftest import BUILD, answers, let_in, make_message, wait_until
from hamlet_client import ask, connect, exchange, receive, score, tell
from http_client import once

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
SOCKETS = ("spamd.sock", "http.sock", "milter.sock")


# --- A session with everything in it ------------------------------------------------------

def frame(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command + data


def milter(daemon, message):
    head, body = message.split(b"\n\n", 1)
    fields = [line.split(b": ", 1) for line in head.replace(b"\n\t", b" ").split(b"\n")]
    with connect(daemon.folder / "run" / "milter.sock") as connection:
        connection.sendall(frame(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)) +
                           frame(b"M", b"<ann@secret.example>\0") +
                           frame(b"R", b"<bob@secret.example>\0") +
                           b"".join(frame(b"L", k + b"\0" + v + b"\0") for k, v in fields) +
                           frame(b"N") + frame(b"B", body) + frame(b"E") + frame(b"Q"))
        return receive(connection)


def call(daemon, **members):
    return ask(daemon.socket, "CALL", json.dumps(members).encode())


def stats(daemon):
    return ask(daemon.socket, "STATS").json


def session(daemon, train, text=""):
    """Score, learn, checkpoint, expire, erase, retrain, adopt, reload."""
    for number in range(300):
        tell(daemon.socket, "spam" if number % 2 else "ham", make_message(number, text))
    for user in ("bob@secret.example", "eve@secret.example"):
        assert tell(daemon.socket, "spam", make_message(1, text), user)["outcome"] == "new"
        assert score(daemon.socket, make_message(1, text), user)["spam"]
        once(daemon, "POST", "/v1/report", make_message(2, text), user=user, label="ham")
        assert once(daemon, "POST", "/v1/diagnose", make_message(2, text), user=user).code == 200
    assert b"X-Hamlet-Score" in milter(daemon, make_message(3, text))
    assert ask(daemon.socket, "REPORT", make_message(3, text), "bob@secret.example").code == 0
    assert once(daemon, "GET", "/metrics").code == 200
    assert call(daemon, call="change", scope="bob@secret.example", entries=[
        {"kind": "list", "name": "spammer@secret.example", "value": "block"}]).code == 0
    assert call(daemon, call="export", user="bob@secret.example").code == 0
    wait_until(lambda: stats(daemon)["engine"]["checkpoint_seq"] == stats(daemon)["engine"]["last_seq"],
               "a checkpoint")
    train("retrain")
    train("expire")
    assert any(call(daemon, call="adopt", scope="", generation=generation).code == 0
               for generation in ("previous", "challenger"))
    assert call(daemon, call="expire", scope="").code == 0
    assert call(daemon, call="erase", user="eve@secret.example").code == 0


# --- System calls ---------------------------------------------------------------------------

def unit_settings(name):
    """Lists of values by key; the unit is as it will be installed."""
    values = {}
    for line in (BUILD / "data" / "systemd" / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            values.setdefault(key, []).append(value)
    return values


def syscall_sets():
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True,
                             capture_output=True, text=True).stdout
    sets, members = {}, None
    for line in listing.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.add(line.strip())
    return sets


def resolve(word, sets):
    if not word.startswith("@"):
        return {word}
    return set().union(*(resolve(member, sets) for member in sets[word]))


def allowed_calls(unit):
    """What systemd makes of the lines of SystemCallFilter=; @default is always in."""
    sets = syscall_sets()
    allowed = resolve("@default", sets)
    for line in unit["SystemCallFilter"]:
        for word in line.lstrip("~").split():
            if line.startswith("~"):
                allowed -= resolve(word, sets)
            else:
                allowed |= resolve(word, sets)
    return allowed


def made_calls(trace):
    """(name, arguments) of each call in the log of strace -f."""
    calls = re.findall(r"^(?:\d+ +)?([a-z0-9_]+)\((.*)", trace.read_text(errors="replace"), re.M)
    assert len(calls) > 500
    return calls


def assert_allowed(calls, unit):
    denied = {name for name, _ in calls} - allowed_calls(unit)
    # It would ask for what it has, and goes on without.
    if unit.get("CPUSchedulingPolicy") == ["batch"]:
        denied -= {"sched_setscheduler"}
    if unit.get("Nice") == ["19"]:
        denied -= {"setpriority"}
    assert denied == set()
    families = unit["RestrictAddressFamilies"][0].split()
    for name, arguments in calls:
        if name in ("socket", "socketpair"):  # RestrictAddressFamilies=
            assert arguments.split(",")[0] in families, arguments
        if name in ("mmap", "mprotect", "pkey_mprotect"):  # MemoryDenyWriteExecute=
            assert not ("PROT_EXEC" in arguments and
                        (name != "mmap" or "PROT_WRITE" in arguments)), arguments
        if name in ("clone", "clone3", "unshare", "setns"):  # RestrictNamespaces=
            assert "CLONE_NEW" not in arguments, arguments
        if name in ("chmod", "fchmod", "fchmodat", "open", "openat", "mkdir"):
            mode = re.search(r", (0[0-7]+)\b", arguments)  # RestrictSUIDSGID=
            assert not mode or int(mode.group(1), 8) & 0o6000 == 0, arguments
        if name == "sched_setscheduler":  # RestrictRealtime=
            assert "SCHED_BATCH" in arguments, arguments
    assert "personality" not in {name for name, _ in calls}


@pytest.fixture
def low(make_daemon, tmp_path):
    """A daemon that runs as nobody, as the unit lets it: with no rights of root."""
    let_in(tmp_path)
    nobody = pwd.getpwnam("nobody")
    daemon = make_daemon(log_level="debug", checkpoint_seconds=1, default_consent="true",
                         socket_group=grp.getgrgid(nobody.pw_gid).gr_name,
                         administrators="root")
    os.chown(daemon.folder, nobody.pw_uid, nobody.pw_gid)
    for program in ("hamletd", "hamlet-train"):
        shutil.copy(BUILD / program, daemon.folder)
    daemon.command = [daemon.folder / "hamletd"]
    return daemon


def traced(command, log):
    return ["strace", "-A", "-f", "-qq", "-s", "0", "-u", "nobody", "-o", log, *command]


@needs_root
def test_units_deny_nothing_that_is_needed(low, tmp_path):
    logs = [tmp_path / "hamletd.trace", tmp_path / "hamlet-train.trace"]
    for log in logs:
        log.touch()
    low.command = traced(low.command, logs[0])

    def train(command, *arguments):
        done = subprocess.run(traced(
            [low.folder / "hamlet-train", command, "--quiet", "--config", low.config, *arguments],
            logs[1]), capture_output=True, timeout=60)
        assert done.returncode in (0, 3), done.stderr

    low.start()
    pid = int(subprocess.check_output(["pgrep", "-P", str(low.process.pid)]))
    try:
        session(low, train)
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: "event=reload" in low.log_text(), "the reload")
    finally:
        os.kill(pid, signal.SIGTERM)
        assert low.process.wait(30) == 0
    for log, name in zip(logs, ("hamletd.service", "hamlet-retrain.service")):
        assert_allowed(made_calls(log), unit_settings(name))


@pytest.mark.parametrize("name, exposure", [("hamletd.service", 6), ("hamlet-retrain.service", 3)])
def test_exposure_of_the_units(name, exposure):
    """In tenths, as systemd 252 counts them: 0 is nothing, 100 all."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager",
         "--threshold=%d" % exposure, BUILD / "data" / "systemd" / name],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]


# --- Modes --------------------------------------------------------------------------------------

def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0, 0o077])
@pytest.mark.parametrize("socket_mode", [0o660, 0o666])
def test_modes_under_any_umask(make_daemon, message, umask, socket_mode):
    daemon = make_daemon(socket_mode="%04o" % socket_mode, checkpoint_seconds=1)
    daemon.start(umask=umask)
    state, run = daemon.folder / "state", daemon.folder / "run"
    tell(daemon.socket, "spam", message(1), "bob")
    assert (mode(state), mode(run)) == (0o700, 0o755)
    assert {name: mode(run / name) for name in SOCKETS} == dict.fromkeys(SOCKETS, socket_mode)
    names = {path.name for path in state.iterdir()}
    assert {"hamlet.sqlite", "hamlet.sqlite-wal", "hamlet.sqlite-lock"} <= names
    assert {path.name: oct(mode(path)) for path in state.iterdir()
            if mode(path) & 0o177} == {}


# --- The log ------------------------------------------------------------------------------------

SECRETS = ("confidentialword", "secret.example", "Sender ", "message number", "spammer",
           "word1", "liarname")


def odd_requests(daemon):
    """What is refused, in as many ways, each with something that is nobody's business."""
    text = b"Subject: confidentialword\n\nconfidentialword secret.example\n"
    for raw in (b"CHECK SPAMC/1.5\r\nconfidentialword\r\n\r\n", text,
                b"confidentialword SPAMC/1.5\r\n\r\n",
                b"CHECK SPAMC/1.5\r\nUser: liarname\x01\r\nContent-length: x\r\n\r\n",
                b"CHECK SPAMC/1.5\r\nContent-length: 1\r\n\r\n" + text,
                b"TELL SPAMC/1.5\r\nUser: " + b"liarname" * 100 + b"\r\n\r\n"):
        exchange(daemon.socket, raw)
    for body in (text, b'{"call": "confidentialword", "user": "liarname"}',
                 b'{"call": "erase", "user": {"liarname": 1}}', b'{"confidentialword": 1}',
                 b'{"call": "entries", "user": "liarname", "kind": "confidentialword"}'):
        ask(daemon.socket, "CALL", body)
    for entry in ({"kind": "list", "name": "liarname spammer", "value": "block"},
                  {"kind": "policy", "name": "junk-score", "value": "confidentialword"},
                  {"kind": "confidentialword", "name": "x", "value": ""}):
        call(daemon, call="change", scope="liarname@secret.example", entries=[entry])
    for path in ("/confidentialword", "/v1/confidentialword?user=liarname"):
        once(daemon, "GET", path)
    once(daemon, "POST", "/v1/report", text, user="liarname", label="confidentialword")
    once(daemon, "POST", "/v1/report", text, user="liarname" * 200, label="spam")
    once(daemon, "POST", "/v1/report", text, user="liarname", label="spam", event="confidentialword")
    once(daemon, "POST", "/v1/entries", text, scope="liarname")
    once(daemon, "POST", "/checkv2", text, {"Rcpt": "liarname", "Host": "confidentialword"})
    ask(daemon.socket, "CHECK", text, headers=['Context: {"recipients": "liarname"}'])
    for data in (frame(b"M", b"liarname"), frame(b"O", b"confidentialword"),
                 b"confidentialword" * 10):
        with connect(daemon.folder / "run" / "milter.sock") as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            receive(connection)


def test_the_log_has_no_names_and_no_mail(make_daemon):
    daemon = make_daemon(log_level="debug", log_users="false", checkpoint_seconds=1,
                         default_consent="true")
    daemon.command.append("--verbose")
    daemon.start()

    def train(command, *arguments):
        done = subprocess.run(
            [BUILD / "hamlet-train", command, "--config", daemon.config, *arguments],
            capture_output=True, timeout=60)
        assert done.returncode in (0, 3), done.stderr

    session(daemon, train, "confidentialword")
    odd_requests(daemon)
    time.sleep(1.1)  # beyond the refusals that are shown in a second
    for _ in range(3):
        odd_requests(daemon)
        time.sleep(1.1)
    daemon.stop()
    log = daemon.log_text()
    assert log.count("event=refused") > 20 and log.count("event=report") > 300
    assert [secret for secret in SECRETS if secret.lower() in log.lower()] == []
    daemon.write_config(log_users="true")
    daemon.start()
    tell(daemon.socket, "spam", make_message(5), "bob@secret.example")
    assert "user=bob@secret.example" in daemon.log_text()


# --- Core dumps -----------------------------------------------------------------------------------

def core_limit(pid):
    with open("/proc/%d/limits" % pid, encoding="ascii") as limits:
        return next(line.split()[4] for line in limits if line.startswith("Max core file size"))


@needs_root
@pytest.mark.parametrize("allowed", [False, True])
def test_core_dumps(low, allowed):
    """A process that may not be dumped belongs to root in /proc, see proc(5)."""
    nobody = pwd.getpwnam("nobody")
    if allowed:
        low.command.append("--core-dumps")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    low.start(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    pid = low.process.pid
    assert answers(low.socket)
    assert core_limit(pid) == ("unlimited" if allowed else "0")
    assert os.stat("/proc/%d/mem" % pid).st_uid == (nobody.pw_uid if allowed else 0)


# --- What root does beside it ---------------------------------------------------------------

def in_folder(folder):
    return {path.name: path.stat() for path in folder.iterdir()}


@needs_root
def test_commands_of_root_lock_nobody_out(low, tmp_path):
    """Neither before the first start nor after it: what root makes is the account's."""
    nobody = pwd.getpwnam("nobody")
    state = low.folder / "state"
    state.mkdir()
    os.chown(state, nobody.pw_uid, nobody.pw_gid)
    mail = tmp_path / "mail"
    for label in ("spam", "ham"):
        (mail / label).mkdir(parents=True)
        for number in range(20):
            (mail / label / str(number)).write_bytes(make_message(number, label))

    def train(*words):
        return subprocess.run([BUILD / "hamlet-train", *words, "--config", low.config],
                              capture_output=True, check=False, timeout=60)

    done = train("import", "--spam", mail / "spam", "--ham", mail / "ham")
    assert done.returncode == 0, done.stderr
    low.start(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert stats(low)["engine"]["last_seq"] == 40
    assert tell(low.socket, "spam", make_message(99), "ann")["outcome"] == "new"
    assert train("retrain", "--quiet").returncode in (0, 3)
    for generation in ("previous", "challenger"):
        call(low, call="adopt", scope="", generation=generation)
    low.stop()
    made = in_folder(state)
    assert {"hamlet.sqlite", "hamlet.sqlite-lock", "hamlet.sqlite-retrain-lock"} <= set(made)
    assert any(name.startswith("hamlet.sqlite-generation-") for name in made)
    assert {name for name, found in made.items() if found.st_uid != nobody.pw_uid} == set()


@needs_root
def test_a_file_with_a_second_name_is_not_given_away(low):
    """The account may lay somebody else's file where root writes."""
    nobody = pwd.getpwnam("nobody")
    state = low.folder / "state"
    state.mkdir()
    os.chown(state, nobody.pw_uid, nobody.pw_gid)
    theirs = low.folder / "theirs"
    theirs.write_text("secret")
    os.link(theirs, state / "hamlet.sqlite-lock")
    subprocess.run([BUILD / "hamlet-train", "expire", "--config", low.config],
                   capture_output=True, check=False, timeout=60)
    assert theirs.stat().st_uid == 0


# --- What an account lays in its own folder, for root to fall over --------------------------

def as_nobody(work):
    """Does it as the account that the folder belongs to."""
    nobody = pwd.getpwnam("nobody")
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


class Trap:
    """A folder of nobody's with a database in it, and one of root's that nobody cannot write."""

    def __init__(self, low, tmp_path):
        nobody = pwd.getpwnam("nobody")
        self.low, self.state, self.nobody = low, low.folder / "state", nobody
        self.state.mkdir(mode=0o700)
        os.chown(self.state, nobody.pw_uid, nobody.pw_gid)
        self.victim = tmp_path / "victim"
        self.victim.mkdir(mode=0o755)
        self.shadow = self.victim / "shadow"
        self.shadow.write_text("root:secret\n")
        self.shadow.chmod(0o600)
        self.mail = tmp_path / "mail"
        for label in ("spam", "ham"):
            (self.mail / label).mkdir(parents=True)
            for number in range(20):
                (self.mail / label / str(number)).write_bytes(make_message(number, label))
        self.mail.chmod(0o700)  # root's alone: importing it is what root is for

    def train(self, *words):
        return subprocess.run([BUILD / "hamlet-train", *words, "--config", self.low.config],
                              capture_output=True, check=False, timeout=60)

    def import_mail(self):
        return self.train("import", "--spam", self.mail / "spam", "--ham", self.mail / "ham")

    def commands(self):
        return [self.import_mail(), self.train("retrain", "--quiet"), self.train("expire"),
                self.train("rollback")]

    def start_as_root(self):
        return subprocess.run([BUILD / "hamletd", "--config", self.low.config],
                              capture_output=True, check=False, timeout=60)

    def assert_untouched(self):
        assert self.shadow.read_text() == "root:secret\n"
        found = self.shadow.stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o600)
        assert [path.name for path in self.victim.iterdir()] == ["shadow"]
        theirs = {path.name for path in self.state.iterdir() if path.lstat().st_uid == 0}
        assert theirs == set()


@pytest.fixture
def trap(low, tmp_path):
    return Trap(low, tmp_path)


@needs_root
@pytest.mark.parametrize("name", ["hamlet.sqlite-lock", "hamlet.sqlite"])
@pytest.mark.parametrize("target", ["shadow", "not-there"])
def test_root_follows_no_link_to_a_database(trap, name, target):
    as_nobody(lambda: os.symlink(trap.victim / target, trap.state / name))
    for done in (trap.import_mail(), trap.start_as_root()):
        assert done.returncode == 1
        assert b"symbolic link" in done.stderr or b"Permission denied" in done.stderr, done.stderr
    trap.assert_untouched()


@needs_root
@pytest.mark.parametrize("name", [
    "hamlet.sqlite-wal", "hamlet.sqlite-shm", "hamlet.sqlite-journal", "hamlet.sqlite-reserve",
    "hamlet.sqlite-retrain-lock", "hamlet.sqlite-generation-challenger",
    "hamlet.sqlite-generation-previous"])
@pytest.mark.parametrize("target", ["shadow", "not-there"])
def test_root_follows_no_link_beside_a_database(trap, name, target):
    assert trap.import_mail().returncode == 0
    (trap.state / name).unlink(missing_ok=True)
    as_nobody(lambda: os.symlink(trap.victim / target, trap.state / name))
    trap.commands()
    trap.assert_untouched()


@needs_root
def test_root_writes_no_page_through_a_link(trap):
    """Of a page in the account's folder, too, neither the file nor a folder is a link."""
    assert trap.import_mail().returncode == 0
    as_nobody(lambda: (os.symlink(trap.shadow, trap.state / "page.html"),
                       os.symlink(trap.victim, trap.state / "pages")))
    for option, page in (("--report", "pages/page.html"), ("--json", "pages/page.json"),
                         ("--report", "page.html")):
        trap.train("retrain", option, trap.state / page)
    trap.assert_untouched()
    assert not (trap.state / "page.html").is_symlink()  # the page has taken its place


@needs_root
def test_root_follows_no_link_of_others_to_the_folder(trap):
    """The state directory is root's, but the way to it leads through a folder that is not."""
    as_nobody(lambda: os.symlink(trap.victim, trap.state / "inner"))
    trap.low.write_config(state_directory=trap.state / "inner")
    done = trap.import_mail()
    assert done.returncode == 1 and b"symbolic link that uid" in done.stderr, done.stderr
    started = trap.start_as_root()
    assert started.returncode != 0 and b"symbolic link that uid" in started.stderr
    trap.assert_untouched()


@needs_root
def test_root_follows_its_own_links(trap, tmp_path):
    """To a state directory on another disk, say; the database is its owner's there too."""
    (tmp_path / "link").symlink_to("daemon0/state")
    trap.low.write_config(state_directory=tmp_path / "link")
    done = trap.import_mail()
    assert done.returncode == 0 and b"learned 40" in done.stdout, done.stderr
    trap.assert_untouched()


@needs_root
def test_a_daemon_that_root_starts_is_the_owner_of_its_folder(trap):
    daemon = trap.low
    os.chown(daemon.folder, 0, 0)
    daemon.start()
    assert os.stat("/proc/%d/mem" % daemon.process.pid).st_uid == 0  # it may not be dumped
    status = (pathlib.Path("/proc") / str(daemon.process.pid) / "status").read_text()
    uids, groups = (re.search(r"^%s:\s+(.*)$" % key, status, re.M).group(1).split()
                    for key in ("Uid", "Gid"))
    assert set(uids) == {str(trap.nobody.pw_uid)} and set(groups) == {str(trap.nobody.pw_gid)}
    assert tell(daemon.socket, "spam", make_message(1), "bob")["outcome"] == "new"
    daemon.stop()
    trap.assert_untouched()

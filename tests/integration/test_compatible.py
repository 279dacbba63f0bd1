# SPDX-License-Identifier: Apache-2.0
"""The front end that takes bogofilter's arguments."""
import os
import subprocess

import pytest

from conftest import BUILD
from hamlet_client import score


@pytest.fixture
def call(daemon):
    def run(program, *words, data=b"", user="bob", code=0):
        environment = dict(os.environ, HAMLET_SOCKET=str(daemon.socket), HAMLET_USER=user)
        done = subprocess.run([BUILD / program, *map(str, words)], input=data,
                              capture_output=True, timeout=60, env=environment)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout
    return run


def test_bogofilter(daemon, call, message):
    mail = b"X-Bogosity: Ham, forged\n" + message(1)
    call("hamlet-bogofilter", data=mail, code=2)  # nothing known
    call("hamlet-bogofilter", "-s", data=mail)
    assert call("hamlet-bogofilter", "-v", data=mail).startswith(
        b"X-Bogosity: Spam, tests=bogofilter, spamicity=0.9")
    assert call("hamlet-bogofilter", "-T", data=mail).startswith(b"S 0.9")
    passed = call("hamlet-bogofilter", "-p", "-e", data=mail)
    head, body = passed.split(b"\n\n", 1)
    assert head.count(b"X-Bogosity: ") == 1 and b"forged" not in head
    assert body == message(1).split(b"\n\n", 1)[1]
    call("hamlet-bogofilter", "-Sn", data=mail)
    call("hamlet-bogofilter", data=mail, code=1)
    call("hamlet-bogofilter", "-N", data=mail)
    call("hamlet-bogofilter", data=mail, code=2)
    call("hamlet-bogofilter", "-u", "-v", data=mail, code=2)
    assert score(daemon.socket, message(1), "bob")["known"] == 0


def test_bogofilter_loses_no_mail(daemon, call, message, tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(message(number))
    call("hamlet-bogofilter", "-s", "-B", *paths)
    lines = call("hamlet-bogofilter", "-T", "-B", *paths).decode().splitlines()
    assert [line.split()[1] for line in lines] == ["S"] * 3
    call("hamlet-bogofilter", "-s", "-n", data=message(1), code=3)
    daemon.stop()
    assert call("hamlet-bogofilter", "-p", data=message(1), code=3) == message(1)
    daemon.start()


@pytest.mark.parametrize("options", [
    ["--register-spam"], ["--register-spam", "--unicode=yes"], ["-y", "3", "-s"], ["-l", "-L", "tag", "-s"],
    ["-s", "-H", "-D", "-m", "0.1"], ["--register-spam", "--bogofilter-dir", "/x"]])
def test_bogofilter_takes_what_mail_programs_give(daemon, call, message, options):
    call("hamlet-bogofilter", *options, data=message(1))
    assert call("hamlet-bogofilter", "--terse", data=message(1)).startswith(b"S ")
    assert b"version" in call("hamlet-bogofilter", "--version")
    assert b"version" in call("hamlet-bogofilter", "-V")
    call("hamlet-bogofilter", "--no-such-option", data=message(1), code=3)


def test_bogofilter_reads_names_and_answers_each_at_once(daemon, call, message, tmp_path):
    paths = [tmp_path / str(n) for n in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(message(number))
    os.mkfifo(tmp_path / "pipe")
    names = "".join("%s\n" % path for path in paths).encode()
    call("hamlet-bogofilter", "-s", "-b", data=names)
    lines = call("hamlet-bogofilter", "-T", "-b", data=names).decode().splitlines()
    assert [line.split()[:2] for line in lines] == [[str(path), "S"] for path in paths]
    call("hamlet-bogofilter", "-Sn", "-b", data=names)
    assert call("hamlet-bogofilter", "-T", data=message(1), code=1).startswith(b"H ")
    call("hamlet-bogofilter", "-T", "-B", tmp_path / "pipe", code=3)  # does not wait for somebody to write
    call("hamlet-bogofilter", "-s", "-I", paths[0], "-O", tmp_path / "out")


def test_bogofilter_passes_any_size_through(daemon, call, message, tmp_path):
    mail = message(1) + b"padding line of a long message\n" * (40 << 15)
    assert call("hamlet-bogofilter", "-p", data=mail, code=3) == mail

# SPDX-License-Identifier: Apache-2.0
"""What calls bogofilter: mail programs with names on standard input, procmail with mail of
any size, scripts with long options."""
import gzip
import os
import subprocess

import pytest

from conftest import BUILD
from hamlet_client import score


@pytest.fixture
def run(daemon):
    def call(*words, data=b"", code=0):
        environment = dict(os.environ, HAMLET_SOCKET=str(daemon.socket), HAMLET_USER="bob")
        done = subprocess.run([BUILD / "hamlet-bogofilter", *map(str, words)], input=data,
                              capture_output=True, timeout=120, env=environment)
        assert done.returncode == code, (done.returncode, done.stdout[:500], done.stderr)
        return done.stdout
    return call


def test_names_on_input(daemon, run, message, tmp_path):
    spam, ham = tmp_path / "spam", tmp_path / "ham mail"
    spam.write_bytes(message(1))
    ham.write_bytes(b"From: ann@example.net\nSubject: minutes\n\nThese are of our last meeting.\n")
    run("-s", "-b", data=b"%s\n" % bytes(spam))
    run("-n", "-b", data=b"%s\n" % bytes(ham))
    environment = dict(os.environ, HAMLET_SOCKET=str(daemon.socket), HAMLET_USER="bob")
    with subprocess.Popen([BUILD / "hamlet-bogofilter", "-T", "-b"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=environment) as process:
        for path, letter in (spam, b"S"), (ham, b"H"):  # each is answered at once
            process.stdin.write(bytes(path) + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b"%s %s 0." % (bytes(path), letter))
        process.stdin.close()
        assert process.wait(20) == 1
    run("-Sn", "-b", data=bytes(spam))
    assert not score(daemon.socket, message(1), "bob")["spam"]
    lines = run("-T", "-b", data=b"/no/such\n%s\n%s" % (b"x" * 9000, bytes(ham)), code=3)
    assert lines.startswith(bytes(ham) + b" H ") and lines.count(b"\n") == 1


def test_folders(daemon, run, message, tmp_path):
    for name in ("cur", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "cur" / "1").write_bytes(message(1))
    (tmp_path / "new" / "2").write_bytes(gzip.compress(message(2)))
    os.mkfifo(tmp_path / "cur" / "pipe")
    run("-s", "-B", tmp_path)
    assert score(daemon.socket, message(1), "bob")["spam"]
    assert score(daemon.socket, message(2), "bob")["known"] > 0
    run("-T", "-B", tmp_path / "cur" / "pipe", code=3)
    assert run("-TB", tmp_path / "new").startswith(bytes(tmp_path) + b"/new/2 S ")


def test_learns_each_message_of_an_mbox(daemon, run, message, tmp_path):
    """As bogofilter -s < mbox, which needs no -M."""
    mbox = b"".join(b"From x@y Mon Nov 23 10:00:00 2026\n" + message(n) + b"\n" for n in range(6))
    run("-s", data=mbox[:len(mbox) // 2])
    assert all(score(daemon.socket, message(n), "bob")["spam"] for n in range(2))
    assert run("-p", "-s", data=mbox).count(b"\nX-Bogosity: Spam") == 6
    run("-S", data=mbox)
    assert not any(score(daemon.socket, message(n), "bob")["spam"] for n in range(6))
    (tmp_path / "box").write_bytes(mbox)
    run("-s", "-B", tmp_path / "box")
    assert score(daemon.socket, message(5), "bob")["spam"]


def test_formats(daemon, run, message, tmp_path):
    """Lines of bogofilter 1.2.5: -T has %g, -t has %f and no name."""
    (tmp_path / "1").write_bytes(message(1))
    run("-s", data=message(1))
    spamicity = score(daemon.socket, message(1), "bob")["probability"]
    assert run("-T", data=message(1)) == b"S %g\n" % spamicity
    assert run("-TT", data=message(1)) == b"%.16f\n" % spamicity
    for words in ("-t", "-tv"):
        assert run(words, data=message(1)) == b"S %f\n" % spamicity
    assert run("-t", "-B", tmp_path / "1") == b"S %f\n" % spamicity
    name = bytes(tmp_path / "1")
    assert run("-T", "-b", data=name) == b"%s S %g\n" % (name, spamicity)
    assert run("-v", "-b", data=name).startswith(b"%s X-Bogosity: Spam, tests=bogofilter" % name)
    assert run("-T", "-B", "/dev/stdin", data=message(1)) == b"/dev/stdin S %g\n" % spamicity
    run("-TTT", data=message(1), code=3)


def test_mbox(run, message, tmp_path):
    mbox = b"".join(b"From x@y Mon Nov 23 10:00:00 2026\n" + message(n) + b"\n" for n in range(3))
    run("-s", "-M", data=mbox)
    assert run("-TM", data=mbox).count(b"S ") == 3
    # An answer for each name that is given, without -M.
    (tmp_path / "box").write_bytes(mbox)
    assert run("-T", "-B", tmp_path / "box").count(b"\n") == 1
    assert run("-T", data=mbox).count(b"\n") == 1
    passed = run("-p", "-M", data=mbox)
    fields = [line for line in passed.splitlines(True) if line.startswith(b"X-Bogosity: Spam")]
    assert len(fields) == 3
    for field in fields:
        passed = passed.replace(field, b"", 1)
    assert passed == mbox


OPTIONS = ["-l", "-q", "-U", "-C", "-H", "-D", "-u", "-W", "-R", "-P", "-y 3", "-m 0.1,0.2",
           "-o0.9,0.3", "-k 4", "-c /no/such", "-d /no/such", "-x abc", "-L tag", "-E 1",
           "--unicode=yes", "--spam-cutoff=0.9", "--bogofilter-dir=/x",
           "--update-as-scored", "--use-syslog", "--db-cachesize 3", "--quiet", "--report-unsure"]


def test_options(run, message, tmp_path):
    run("--register-spam", *" ".join(OPTIONS).split(), data=message(1))
    assert run("--fixed-terse-format", *" ".join(OPTIONS).split(), data=message(1))[:2] == b"S "
    assert b"version" in run("-V") and b"version" in run("--version")
    assert b"-p" in run("-h") and run("--help") == run("-h")
    assert b"user = bob" in run("-Q")
    assert run("-TT", data=message(1)).startswith(b"0.9")
    run("--unregister-spam", "--register-ham", data=message(1))
    run("-e", data=message(1))
    run("-p", data=message(1), code=1)
    for wrong in ("-sn", "-sS", "-nN", "-SN", "-Z", "--no-such=1", "-m", "file"):
        run(wrong, data=message(1), code=3)
    (tmp_path / "in").write_bytes(message(1))
    assert run("-p", "-e", "-I", tmp_path / "in", "-O", tmp_path / "out") == b""
    assert b"\nX-Bogosity: Ham" in (tmp_path / "out").read_bytes()
    run("-p", "-I", tmp_path / "in", "-O", tmp_path / "in", code=3)
    assert (tmp_path / "in").read_bytes() == message(1)


def test_passthrough_loses_nothing(run, message, tmp_path):
    passed = run("-p", "-s", data=message(1))  # the genuine one adds its field as well
    field = passed[passed.index(b"X-Bogosity: Spam"):].splitlines(True)[0]
    assert passed.replace(field, b"") == message(1)
    assert run("-pe", data=b"Subject: x").startswith(b"Subject: x\nX-Bogosity: ")
    huge = tmp_path / "huge"
    with open(huge, "wb") as file:
        file.write(message(1))
        file.truncate((256 << 20) + 100000)
        file.seek(0, os.SEEK_END)
        file.write(b"the end\n")
    run("-uep", "-I", huge, "-O", tmp_path / "out", code=3)
    subprocess.run(["cmp", huge, tmp_path / "out"], check=True)
    huge.unlink()
    (tmp_path / "out").unlink()
    run("-p", "-O", "/dev/full", data=message(1), code=3)

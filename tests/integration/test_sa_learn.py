# SPDX-License-Identifier: Apache-2.0
"""hamlet-sa-learn: the arguments, paths and exit codes of sa-learn."""
import gzip
import os
import subprocess
import threading

import pytest

from conftest import BUILD, make_message
from hamlet_client import score

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def run(daemon):
    """Runs it for bob and asks for an exit code; gives what it prints and what it tells."""
    def call(*words, data=b"", code=0, user="bob"):
        environment = dict(os.environ, HAMLET_SOCKET=str(daemon.socket), HAMLET_USER=user)
        done = subprocess.run([BUILD / "hamlet-sa-learn", *map(str, words)], input=data,
                              capture_output=True, timeout=60, env=environment)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout.decode(), done.stderr.decode()
    return call


@pytest.fixture
def mail(tmp_path, message):
    """Writes messages with these numbers below the test's folder."""
    def write(*numbers, folder="mail"):
        paths = []
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            paths.append(tmp_path / folder / str(number))
            paths[-1].write_bytes(message(number))
        return paths
    return write


def said(learned, examined, verb="Learned"):
    return "%s tokens from %d message(s) (%d message(s) examined)\n" % (verb, learned, examined)


def magic(text):
    return {line.split(": ")[1]: int(line.split()[2]) for line in text.splitlines()}


def test_learns_and_forgets(daemon, run, message):
    assert run("--spam", data=message(1)) == (said(1, 1), "")
    assert score(daemon.socket, message(1), "bob")["spam"]
    assert run("--spam", "--no-sync", data=message(1))[0] == said(0, 1)
    assert run("--forget", data=message(1))[0] == said(1, 1, "Forgot")
    assert not score(daemon.socket, message(1), "bob")["spam"]
    assert run("--spam", "-q", data=message(1)) == ("", "")


@pytest.mark.parametrize("words", [
    "--siteconfigpath /x", "-C /x", "-c /x", "--configpath=/x", "--config-file /x",
    "-p /x", "--prefspath=/x", "--prefs-file=/x", "--cf x", "--pre x", "--dbpath /x", "--db /x",
    "--use-ignores", "--no-rebuild", "--mbx", "--regexp x", "--randseed 1", "--learnprob 0.5",
    "-D", "-Dbayes", "-D bayes,learn", "--debug", "--debug=all", "--siteconf /x", "--use-ign"])
def test_takes_what_means_nothing(run, mail, words):
    printed, told = run("--spam", *words.split(), *mail(1))
    assert printed == said(1, 1)
    assert told.startswith("hamlet-sa-learn: -") and told.endswith(" means nothing here\n")


def test_takes_what_harms_nothing(run, mail):
    words = "--sync --no-sync --nosync -L --local --progress --showdots --dir --file --single"
    assert run("--nonspam", *words.split(), *mail(1)) == (said(1, 1), "")
    assert run("--sync") == ("", "")
    for word in "--force-expire", "--expire", "--rebuild":
        assert run(word) == ("", "hamlet-sa-learn: %s means nothing here\n" % word)


def test_prints_version_and_help(run):
    assert run("--version")[0].startswith("hamlet-sa-learn ")
    assert run("-V") == run("--version")
    assert run("--help", code=64)[0].startswith("Usage: ")  # sa-learn's code for it
    assert run("-h", code=64) == run("--help", code=64) == run("-?", code=64)


@pytest.mark.parametrize("words, tells", [
    ("", "--spam"), ("--spam --no-such-option", "no-such-option"), ("--spam --s", "ambiguous"),
    ("--spam --max-size x", "number of bytes"), ("--spam --max-size -1", "number of bytes"),
    ("--dump tokens", "magic"), ("--spam -u bob --site", "one of"), ("--clear", "hamlet user erase"),
    ("--backup", "hamlet user export"), ("--restore x", "hamlet-train import"),
    ("--import", "hamlet-train import"), ("--spam --clear", "hamlet user erase")])
def test_refuses(run, words, tells):
    assert tells in run(*words.split(), code=64)[1]


def test_label_counts_for_the_paths_after_it(run, mail):
    spam, ham = mail(1, 2)
    assert run("--spam", spam, "--ham", ham)[0] == said(2, 2)
    counted = magic(run("--dump", "magic")[0])
    assert (counted["nspam"], counted["nham"]) == (1, 1)
    assert "last one" in run("--spam", "--ham", ham)[1]


def test_dump(run, mail):
    run("--spam", *mail(1, 2))
    run("--ham", *mail(3))
    printed = run("--dump", "magic")[0]
    assert printed.splitlines()[0] == \
        "0.000          0          3          0  non-token data: bayes db version"
    counted = magic(printed)
    assert (counted["nspam"], counted["nham"]) == (2, 1)
    assert run("--dump")[0] == printed == run("--dump=all")[0]
    assert run("--dump", "data")[0] == ""
    assert magic(run("--dump", "magic", "-u", "ann")[0])["nspam"] == 0


def test_bad_paths_do_not_stop_the_others(run, mail, tmp_path):
    good, = mail(1)
    printed, told = run("--spam", tmp_path / "none", good, tmp_path / "gone")
    assert printed == said(1, 1) and "/none: No such file" in told and "/gone: No" in told
    assert run("--spam", tmp_path / "none", code=74)[0] == said(0, 0)
    (tmp_path / "empty").mkdir()
    assert run("--spam", tmp_path / "empty") == (said(0, 0), "")


def test_expands_patterns(run, mail, tmp_path):
    mail(1, 2, folder="a")
    mail(3, folder="b")
    assert run("--spam", tmp_path / "{a,b}" / "*") == (said(3, 3), "")
    assert "No such file" in run("--spam", tmp_path / "c*", code=74)[1]
    # What is there is no pattern.
    (tmp_path / "[a]").write_bytes(b"From: x@example.com\n\nword\n")
    assert run("--spam", tmp_path / "[a]")[0] == said(1, 1)


def test_reads_what_is_mail(run, mail, message, tmp_path):
    for part in "cur", "new":
        mail(*((1, 2) if part == "cur" else (3,)), folder="Maildir/" + part)
    (tmp_path / "Maildir" / "dovecot-uidlist").write_text("3 V1 N4\n1 :1\n")
    os.mkfifo(tmp_path / "Maildir" / "cur" / "pipe")
    (tmp_path / "Maildir" / "cur" / "4").write_bytes(gzip.compress(message(4)))
    printed, told = run("--spam", tmp_path / "Maildir")
    assert printed == said(4, 4) and "cur/pipe" in told
    # A pipe that is named is no reason to wait, unless somebody writes to it.
    assert "pipe" in run("--spam", tmp_path / "Maildir" / "cur" / "pipe", code=74)[1]


def test_mbox(run, message, tmp_path):
    mails = b"".join(b"From x@example.com Mon Nov 23 10:00:00 2026\n" + message(n) + b"\n"
                     for n in range(3))
    (tmp_path / "Junk").write_bytes(mails)
    assert run("--spam", tmp_path / "Junk")[0] == said(3, 3)
    assert run("--spam", "--mbox", tmp_path / "Junk")[0] == said(0, 3)
    assert run("--spam", data=mails)[0] == said(0, 3)
    assert run("--spam", "-", data=gzip.compress(mails))[0] == said(0, 3)


def test_pipes_that_are_named(run, message, tmp_path):
    assert run("--spam", "/dev/stdin", data=message(1))[0] == said(1, 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    mails = b"".join(b"From x@y Mon Nov 23 10:00:00 2026\n" + message(n, size=100000) + b"\n"
                     for n in range(4))
    writer = threading.Thread(target=pipe.write_bytes, args=(mails,))
    writer.start()
    assert run("--spam", pipe)[0] == said(4, 4)
    writer.join()
    assert "nobody writes to" in run("--spam", pipe, code=74)[1]


def test_what_is_no_mail_is_told(run, message, tmp_path):
    kinds = {"form": b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nFrom: a\r\n--x--',
             "json": b'{"message": "From: a"}', "binary": b"\2\16\21 x\200\377\30" * 9,
             "uids": b"3 V1720755020 N4 G0\n1 :1\n", "Box": b"*mbx*\r\n5e7f0000\r\n",
             "RMAIL": b"BABYL OPTIONS: -*- rmail -*-\n", "u.1": b"2 M1e C5f3a\n\1\2N  2A5\n"}
    folder = tmp_path / "mail"
    folder.mkdir()
    for name, content in kinds.items():
        (folder / name).write_bytes(content)
        assert "%s is no mail but " % name in run("--spam", folder / name, code=65)[1]
    (folder / "mmdf").write_bytes(b"".join(b"\1\1\1\1\n" + message(n) + b"\1\1\1\1\n"
                                           for n in range(3)))
    printed, told = run("--spam", folder)
    assert printed == said(3, 3) and told.count("is no mail but") == len(kinds)


def test_text_separates_no_messages(run, message, tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "Junk").write_bytes(
        b"From x@y Mon Nov 23 10:00:00 2026\n" + message(1) + b"\nFrom here on all is cheap\n"
        b"word\nFrom a@b.example Mon Nov 23 10:00:00 2026\nword\n\n>From a Mon Nov 23\n")
    assert run("--spam", tmp_path / "mail" / "Junk")[0] == said(1, 1)
    assert run("--spam", "--mbox", tmp_path / "mail")[0] == said(0, 1)


def test_folders(run, mail, tmp_path):
    one, two, three = mail(1, 2, 3)
    (tmp_path / "list").write_text("%s\n\n%s\n" % (one, two))
    assert run("--spam", "-f", tmp_path / "list", three)[0] == said(3, 3)
    (tmp_path / "list").write_text("ham:detect:%s\nspam::%s\n" % (one, two))
    assert run("--folders=%s" % (tmp_path / "list"))[0] == said(1, 2)
    assert "/none" in run("--spam", "-f", tmp_path / "none", code=66)[1]
    (tmp_path / "list").write_text("%s\n" % one)
    assert "say --spam, --ham" in run("-f", tmp_path / "list", code=64)[1]


def test_max_size(run, message, tmp_path):
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(message(1, size=600000))
    small.write_bytes(message(2))
    printed, told = run("--spam", large, small)
    assert printed == said(1, 1) and "large: a message of 6" in told
    # Nobody may delete what was not looked at.
    run("--spam", large, code=65)
    assert run("--spam", "--max-size", "0", large) == (said(1, 1), "")
    assert run("--spam", "--max-size=100", large, small, code=65)[0] == said(0, 0)


def test_tells_what_was_not_kept(daemon, run, message, mail, tmp_path):
    good, = mail(1)
    daemon.stop()
    assert "is hamletd running" in run("--spam", good, code=74)[1]
    daemon.write_config(max_message_bytes="100K")
    daemon.start()
    (tmp_path / "large").write_bytes(message(2, size=200000))
    printed, told = run("--spam", tmp_path / "large", good, code=65)
    assert printed == said(1, 2) and "large: hamletd refused" in told


@needs_root
def test_full_disk_is_no_success(make_daemon, tmp_path):
    daemon = make_daemon(database_bytes=0)
    state = daemon.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", state],
                      check=False).returncode != 0:
        pytest.skip("no right to mount")
    environment = dict(os.environ, HAMLET_SOCKET=str(daemon.socket))
    try:
        daemon.start()
        with pytest.raises(OSError), open(state / "fill", "wb", buffering=0) as fill:
            while fill.write(bytes(4096)):
                pass
        for number in range(200):
            words = " ".join("w%d-%d" % (number, i) for i in range(250))
            (tmp_path / str(number)).write_bytes(make_message(number, words))
        done = subprocess.run(
            [BUILD / "hamlet-sa-learn", "-u", "bob", "--spam", *map(str, range(200))],
            cwd=tmp_path, env=environment, capture_output=True, timeout=300, check=False)
        assert done.returncode in (74, 75) and b"disk full" in done.stderr
        assert b"(200 message(s) examined)" in done.stdout
    finally:
        daemon.kill()
        subprocess.run(["umount", state], check=True)


@needs_root
def test_root_says_whose_filter_learns(daemon, run, message):
    told = run("--spam", data=message(1), user="", code=64)[1]
    assert "-u USER" in told and "--site" in told
    assert "--site" in run("--spam", "-u", "", data=message(1), code=64)[1]
    assert run("--spam", "-u", "ann", data=message(1), user="")[0] == said(1, 1)
    assert score(daemon.socket, message(1), "ann")["spam"]
    assert magic(run("--dump", "magic", user="")[0])["nspam"] == 0


def test_site(daemon, run, mail, message):
    paths = mail(*range(4))
    assert run("--site", "--spam", *paths)[0] == said(4, 4)
    assert score(daemon.socket, message(2), "zoe")["spam"]
    counted = magic(run("--dump", "magic", "--site")[0])
    assert counted["nspam"] == 4 and counted["ntokens"] > 0

# SPDX-License-Identifier: Apache-2.0
"""hamlet(1) and hamlet-train(1) as a person uses them."""
import gzip
import json
import mailbox
import os
import socket
import subprocess
import xml.dom.minidom

import pytest

from conftest import BUILD, make_message


def run(program, *arguments, data=b"", **options):
    return subprocess.run([BUILD / program, *map(str, arguments)], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)


@pytest.fixture
def hamlet(daemon):
    return lambda *arguments, data=b"": run("hamlet", "--socket", daemon.socket, *arguments,
                                            data=data)


def test_score_and_exit_status(hamlet, message):
    assert hamlet("score", data=message(1)).returncode == 0
    assert b"learned" in hamlet("--user", "bob", "report", "spam", "-", data=message(1)).stdout
    done = hamlet("--user", "bob", "score", data=message(1))
    assert done.returncode == 1 and done.stdout.startswith(b"spam ")


def test_several_files_are_named(hamlet, message, tmp_path):
    paths = [tmp_path / "one", tmp_path / "two"]
    for number, path in enumerate(paths):
        path.write_bytes(message(number))
    lines = hamlet("score", *paths).stdout.decode().splitlines()
    assert [line.split(":")[0] for line in lines] == list(map(str, paths))
    done = hamlet("score", paths[0], tmp_path / "missing", paths[1])
    assert done.returncode == 3 and b"missing" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_messages_of_an_mbox_file_are_numbered(hamlet, message, tmp_path):
    box = tmp_path / "box.gz"
    box.write_bytes(gzip.compress(b"".join(
        b"From x@y Mon Nov 23 10:00:00 2026\n" + message(n) + b"\n" for n in range(3))))
    assert hamlet("--user", "bob", "report", "spam", box).stdout.count(b"learned") == 3
    done = hamlet("--user", "bob", "score", box)
    assert done.returncode == 1
    assert [line.split(": ")[0] for line in done.stdout.decode().splitlines()] == \
        ["%s:%d" % (box, n) for n in (1, 2, 3)]
    assert hamlet("score", "-", data=b"From x Mon Nov 23\n" + message(1)).stdout.count(b"-") == 0
    (tmp_path / "form").write_bytes(b'{"message": "From: a"}')
    done = hamlet("score", tmp_path / "form")
    assert done.returncode == 3 and b"form is no mail but JSON" in done.stderr


def test_why_explains(hamlet, message):
    hamlet("report", "spam", data=message(1))
    hamlet("--user", "bob", "report", "spam", data=message(1))
    text = hamlet("--user", "bob", "why", data=message(1)).stdout.decode()
    assert "both       body               word1" in text and "a score of" in text
    why = json.loads(hamlet("--user", "bob", "--json", "why", data=message(1)).stdout)
    assert {"reasons", "others", "bias", "margin", "score"} <= set(why)


def test_mistakes_are_told_and_leave_nothing(hamlet, tmp_path):
    assert b"there is report spam, report ham" in hamlet("report", "spem").stderr
    (tmp_path / "conf").write_text("log-level = info\n")
    assert b"[hamletd]" in run("hamletd", "--config", tmp_path / "conf").stderr
    database = tmp_path / "state" / "hamlet.sqlite"
    database.parent.mkdir()
    for words in (["import", "--spam", tmp_path / "missing"], ["retrain"]):
        done = run("hamlet-train", words[0], "--database", database, *words[1:])
        assert done.returncode == 1 and b"No such file" in done.stderr and not done.stdout
    assert list(database.parent.iterdir()) == []


def test_names_may_be_utf_8_and_begin_with_a_dash(hamlet):
    assert hamlet("--user", "jürgen@exämple.org", "list", "allow", "--", "-x.org").returncode == 0
    shown = hamlet("user", "show", "jürgen@exämple.org").stdout.decode()
    assert "-x.org" in shown and "-- " not in shown


def test_hostile_text_is_escaped(hamlet):
    hostile = b"Subject: \x1b[31mred \x07bell\n\n\x1b]0;title\x07 body\xc2\x9b31m\n"
    hamlet("report", "spam", data=hostile)
    for command in ("tokens", "why"):
        shown = hamlet(command, data=hostile).stdout
        assert not any(byte < 0x20 and byte != 0x0A or byte == 0x7F for byte in shown)
        assert b"\xc2\x9b" not in shown


def test_tokens_need_no_daemon(message):
    shown = run("hamlet", "tokens", data=message(1)).stdout.decode()
    assert any(line.split() == ["subject", "message"] for line in shown.splitlines())
    tokens = json.loads(run("hamlet", "--json", "tokens", data=message(1)).stdout)
    assert {"field": "subject", "text": "message"} in tokens


def test_stats_ping_and_forget(hamlet, message):
    assert hamlet("ping").returncode == 0
    hamlet("report", "ham", data=message(1))
    assert b"forgotten" in hamlet("forget", data=message(1)).stdout
    stats = json.loads(hamlet("--json", "stats").stdout)
    assert stats["reports"]["new"] == 1 and stats["reports"]["forgotten"] == 1


def test_errors_say_what_to_do(tmp_path, message):
    done = run("hamlet", "--socket", tmp_path / "none", "score", data=message(1))
    assert done.returncode == 3 and b"is hamletd running?" in done.stderr
    for arguments in ([], ["dance"], ["report"], ["--no-such-option"], ["ping", "file"]):
        done = run("hamlet", *arguments)
        assert done.returncode == 2 and b"--help" in done.stderr


# --- hamlet-train -----------------------------------------------------------------

def fill(tmp_path):
    maildir = mailbox.Maildir(tmp_path / "ham", create=True)
    mbox = mailbox.mbox(tmp_path / "spam.mbox")
    for number in range(30):
        maildir.add(make_message(number, "see you at the meeting"))
        mbox.add(make_message(100 + number, "cheap pills buy now"))
    mbox.flush()


def test_import_teaches_everybody_once(make_daemon, tmp_path):
    daemon = make_daemon()
    fill(tmp_path)
    arguments = ("import", "--config", daemon.config, "--spam", tmp_path / "spam.mbox", "--ham",
                 tmp_path / "ham")
    daemon.database.parent.mkdir()
    done = run("hamlet-train", *arguments)
    assert done.returncode == 0 and b"learned 60 messages" in done.stdout
    assert b"learned 0 messages" in run("hamlet-train", *arguments).stdout
    daemon.start()
    spam, ham = (json.loads(run("hamlet", "--socket", daemon.socket, "--json", "score",
                                data=make_message(500, text)).stdout)
                 for text in ("cheap pills buy now", "see you at the meeting"))
    assert spam["probability"] > 0.5 > ham["probability"]
    assert spam["known"] > 0 and not spam["personal"]
    busy = run("hamlet-train", *arguments)
    assert busy.returncode == 1 and b"in use" in busy.stderr


def take_in(tmp_path, *words):
    return run("hamlet-train", "import", "--database", tmp_path / "hamlet.sqlite", *words,
               timeout=60)


def test_import_reads_the_mail_of_a_maildir_alone(tmp_path):
    fill(tmp_path)
    inbox = tmp_path / "ham"
    mailbox.Maildir(inbox / ".Junk", create=True).add(make_message(300, "cheap pills"))
    for name in ("dovecot-uidlist", "dovecot-keywords", "dovecot.index.log", "maildirfolder",
                 "subscriptions", "cur/.nfs01"):
        (inbox / name).write_text("3 V1 N2\nno mail at all\n")
    done = take_in(tmp_path, "--ham", inbox)
    assert done.returncode == 0 and not done.stderr
    assert b"learned 30 messages" in done.stdout and b"skipped" not in done.stdout


def test_import_says_when_a_path_gave_no_message(tmp_path):
    mailbox.Maildir(tmp_path / "Maildir", create=True)
    mailbox.Maildir(tmp_path / "Maildir" / ".Junk", create=True).add(make_message(1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "1").write_bytes(make_message(2))
    done = take_in(tmp_path, "--spam", tmp_path / "Maildir", "--ham", tmp_path / "other")
    assert done.returncode == 1 and b"learned 1 messages" in done.stdout
    assert b"Maildir: no messages found; folders such as" in done.stderr
    assert b"Maildir/.Junk are" in done.stderr
    (tmp_path / "empty").mkdir()
    done = take_in(tmp_path, "--spam", tmp_path / "empty")
    assert done.returncode == 1 and done.stderr.endswith(b"empty: no messages found\n")
    # One empty Junk folder of many is no mistake.
    done = take_in(tmp_path, "--spam", tmp_path / "empty", "--ham", tmp_path / "other")
    assert done.returncode == 0 and done.stderr.endswith(b"empty: no messages found\n")
    assert take_in(tmp_path, "--spam", tmp_path / "Maildir" / ".Junk").returncode == 0


def test_import_for_a_name_that_nobody_could_ask_for(tmp_path):
    (tmp_path / "mail").write_bytes(make_message(1))
    done = take_in(tmp_path, "--user", "a\nb", "--spam", tmp_path / "mail")
    assert done.returncode == 1 and b"control characters" in done.stderr


def test_import_passes_over_what_is_no_mail(tmp_path):
    folder = tmp_path / "bob" / "mail"
    folder.mkdir(parents=True)
    (folder / "1").write_bytes(make_message(1))
    (folder / "z").write_bytes(make_message(2))
    os.mkfifo(folder / "a-pipe")
    (folder / "loop").symlink_to("..")
    (folder / "zero\x1b[31m").symlink_to("/dev/zero")
    (folder / "nowhere").symlink_to("missing")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket"))
    done = take_in(tmp_path, "--spam", folder)
    assert done.returncode == 0, done.stderr
    assert b"mail/a-pipe is neither a file nor a folder" in done.stderr
    assert b"loop/mail leads to a folder that was read" in done.stderr
    assert b"learned 2 messages" in done.stdout and b", 5 skipped\n" in done.stdout
    assert b"zero?[31m is neither" in done.stderr


def test_import_refuses_a_path_that_is_no_mail(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        done = take_in(tmp_path, "--spam", path)
        assert done.returncode == 1 and b"neither a file nor a folder" in done.stderr
        assert not done.stdout and not (tmp_path / "hamlet.sqlite").exists()


def test_evaluate_and_jig_do_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "index").write_text("spam pipe\n")
    database = tmp_path / "jig.sqlite"
    assert run("hamlet-train", "jig", "--database", database, "initialize").returncode == 0
    for words in (["evaluate", tmp_path / "index"],
                  ["jig", "--database", database, "classify", tmp_path / "pipe"]):
        done = run("hamlet-train", *words, timeout=60)
        assert done.returncode == 1 and b"pipe is not a regular file" in done.stderr


def test_evaluate_gives_all_figures(tmp_path):
    lines = []
    for number in range(40):
        label = "spam" if number % 2 else "ham"
        text = "cheap pills buy now" if number % 2 else "see you at the meeting"
        (tmp_path / str(number)).write_bytes(make_message(number, text))
        lines.append("%s %d %s" % (label, number, "bob" if number % 4 == 0 else ""))
    index = tmp_path / "index"
    index.write_text("\n".join(lines) + "\n")
    done = run("hamlet-train", "evaluate", index, "--json", "--plot", tmp_path / "roc.svg")
    assert set(json.loads(done.stdout)) == {
        "messages", "spam", "ham", "one_minus_roca_percent", "one_minus_roca_percent_second_half",
        "spam_missed_percent_at_0_1_percent_ham_lost", "ham_lost_percent", "spam_missed_percent",
        "log_loss", "calibration_error", "messages_per_second"}
    assert xml.dom.minidom.parse(str(tmp_path / "roc.svg")).documentElement.tagName == "svg"
    same = [run("hamlet-train", "evaluate", index, "--json", "--wrong-labels", 20, "--seed", 3)
            for _ in range(2)]
    figures = [json.loads(one.stdout) for one in same]
    for one in figures:
        del one["messages_per_second"]
    assert figures[0] == figures[1]
    none = json.loads(run("hamlet-train", "evaluate", index, "--json", "--labelled", 0).stdout)
    assert none["one_minus_roca_percent"] == 50
    assert run("hamlet-train", "evaluate", tmp_path / "missing").returncode == 1


def test_evaluate_measures_a_part_held_out(tmp_path):
    lines = []
    for number in range(60):
        label = "spam" if number % 2 else "ham"
        text = "cheap pills buy now" if number % 2 else "see you at the meeting"
        (tmp_path / str(number)).write_bytes(make_message(number, text))
        lines.append("%s %d" % (label, number))
    index = tmp_path / "index"
    index.write_text("\n".join(lines) + "\n")
    online, retrained = [json.loads(run(
        "hamlet-train", "evaluate", index, "--json", "--held-out", "20", *more).stdout)
        for more in ([], ["--retrain"])]
    assert online["messages"] == retrained["messages"] == 12
    assert retrained["log_loss"] != online["log_loss"]  # which is better real mail has to say
    assert run("hamlet-train", "evaluate", index, "--retrain").returncode == 2

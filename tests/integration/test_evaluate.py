# SPDX-License-Identifier: Apache-2.0
"""hamlet-train evaluate and jig, beyond the plain figures."""
import hashlib
import json
import pathlib
import re
import stat
import subprocess

import pytest

from conftest import BUILD

MEASURES = ("one_minus_roca_percent", "ham_lost_percent", "spam_missed_percent", "log_loss")
TEXTS = {"spam": ("cheap pills", "Buy now and save money."),
         "ham": ("our meeting", "See you at noon in the office.")}


def make_message(number, label):
    """Easier to tell apart than real mail is."""
    subject, body = TEXTS[label]
    return ("From: sender%d@example.com\nTo: bob@example.org\nSubject: %s %d\n"
            "Message-ID: <%d@example.com>\n\n%s Number %d.\n"
            % (number % 7, subject, number, number, body, number)).encode()


def train(*arguments, **options):
    return subprocess.run([BUILD / "hamlet-train", *map(str, arguments)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def figures(*arguments):
    done = train("evaluate", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    del found["messages_per_second"]
    return found


def complaint(*arguments):
    done = train("evaluate", *arguments)
    assert done.returncode == 2
    return done.stderr.decode()


@pytest.fixture
def write_index(tmp_path):
    """Writes messages and an index of lines (label, number, user)."""
    def write(lines, name="index"):
        for label, number, _ in lines:
            path = tmp_path / str(number)
            if not path.exists():
                path.write_bytes(make_message(number, label.lower()))
        index = tmp_path / name
        index.write_text("".join("%s %d %s\n" % line for line in lines))
        return index

    return write


@pytest.fixture
def index(write_index):
    return write_index([(("ham", "spam")[number % 2], number, "") for number in range(60)])


def teach(database, index, count, wrong=False):
    """A database that learned the first lines of an index."""
    for label in ("spam", "ham"):
        folder = database.parent / ("%s-%s" % (database.stem, label))
        folder.mkdir()
        for line in index.read_text().splitlines()[:count]:
            given, name = line.split()[:2]
            if given == label:
                (folder / name).write_bytes((index.parent / name).read_bytes())
    spam, ham = (database.parent / ("%s-%s" % (database.stem, label)) for label in
                 (("ham", "spam") if wrong else ("spam", "ham")))
    done = train("import", "--database", database, "--spam", spam, "--ham", ham)
    assert done.returncode == 0, done.stderr


def test_plain_figures_do_not_change(index):
    plain = figures(index)
    more = figures(index, "--bootstrap", 50, "--per-user", "--gray-mail")
    assert set(more) - set(plain) == {"intervals", "per_user", "gray_mail"}
    assert {key: more[key] for key in plain} == plain
    text = train("evaluate", index).stdout.decode().splitlines()
    assert len(text) == 11


def test_intervals_hold_the_figures(index):
    found = figures(index, "--bootstrap", 100, "--seed", 7)
    assert found == figures(index, "--bootstrap", 100, "--seed", 7)
    intervals = found["intervals"]
    assert intervals["resamples"] == 100 and intervals["of"] == "messages"
    for key in MEASURES:
        low, high = intervals[key]
        assert low <= found[key] <= high
    assert intervals["log_loss"][0] < intervals["log_loss"][1]
    assert b"95 % intervals, 100 resamples of messages" in train(
        "evaluate", index, "--bootstrap", 100).stdout
    assert "intervals" not in figures(index, "--bootstrap", 0)


def test_users_are_told_apart(write_index):
    lines = []
    for number in range(60):
        label = ("ham", "spam")[number % 2]
        lines.append((label, number, ("alice", "alice", "alice", "alice", "bob", "")[number % 6]))
    index = write_index(lines)
    found = figures(index, "--per-user")["per_user"]
    assert [(user["user"], user["messages"], user["spam"]) for user in found["listed"]] == [
        ("alice", 40, 20), ("bob", 10, 0)]
    assert found["users"] == 2 and found["messages_of_no_user"] == 10
    assert found["rest"]["users"] == found["rest"]["messages"] == 0
    bob = found["listed"][1]
    assert bob["spam_missed_percent"] is None and bob["one_minus_roca_percent"] is None
    alice = found["listed"][0]
    assert found["mean"]["ham_lost_percent"] == pytest.approx(
        (alice["ham_lost_percent"] + bob["ham_lost_percent"]) / 2)
    assert found["worst_tenth"]["log_loss"] == max(alice["log_loss"], bob["log_loss"])
    text = train("evaluate", index, "--per-user").stdout.decode()
    assert re.search(r"^alice +40 +20 ", text, re.M) and "mean of the worst tenth" in text


def test_many_users_are_resampled_whole(write_index):
    lines = [(("ham", "spam")[number % 2], number, "user%d" % (number // 4))
             for number in range(48)]
    found = figures(write_index(lines), "--bootstrap", 50, "--per-user")
    assert found["intervals"]["of"] == "users" and found["per_user"]["users"] == 12


def test_gray_mail_has_an_own_error(write_index):
    lines = []
    for number in range(20):
        label = ("ham", "spam")[number % 2]
        lines.append((label, number, "alice"))
        lines.append(("spam" if number < 4 else label, number, "bob"))
        lines.append((label, number, "carol"))
    index = write_index(lines)
    gray = figures(index, "--gray-mail")["gray_mail"]
    # Messages 0 and 2, on which bob alone differs: one label of three.
    assert gray["messages"] == 2 and gray["labels"] == 6
    assert gray["best_single_opinion_wrong_percent"] == pytest.approx(100 / 3)
    assert 0 < gray["wrong_percent"] <= 100
    assert 0 <= gray["other_mail_wrong_percent"] < gray["wrong_percent"]
    assert b"gray mail" in train("evaluate", index, "--gray-mail").stdout


def test_folds_score_each_message_once(write_index, tmp_path):
    lines = [(("ham", "spam")[number % 2], number, "user%d" % (number % 5))
             for number in range(60)]
    index = write_index(lines)
    found = figures(index, "--folds", 5, "--bootstrap", 20, "--print-results",
                    tmp_path / "results")
    assert found["messages"] == 60 and found["intervals"]["of"] == "messages"
    each = found["folds"]["each"]
    assert [fold["messages"] for fold in each] == [12] * 5
    assert found["folds"]["mean"]["log_loss"] == pytest.approx(
        sum(fold["log_loss"] for fold in each) / 5)
    assert found["folds"]["standard_deviation"]["log_loss"] > 0
    files = re.findall(r"^file=(\S+) ", (tmp_path / "results").read_text(), re.M)
    assert sorted(files) == sorted(str(tmp_path / str(number)) for number in range(60))
    assert found["folds"] == figures(index, "--folds", 5)["folds"]
    assert found["folds"] != figures(index, "--folds", 5, "--seed", 2)["folds"]
    wrong = figures(index, "--folds", 5, "--wrong-labels", 100)
    assert wrong["one_minus_roca_percent"] > found["one_minus_roca_percent"]
    assert figures(index, "--folds", 5, "--retrain")["log_loss"] != found["log_loss"]
    assert figures(index, "--folds", 5, "--group-by", "user")["messages"] == 60
    many = train("evaluate", index, "--folds", 6, "--group-by", "user")
    assert many.returncode == 1 and b"more than there are users (5)" in many.stderr
    assert b"over 5 folds" in train("evaluate", index, "--folds", 5).stdout


def test_labels_that_come_late_teach_late(index):
    at_once, late, never = (figures(index, "--delay", delay) for delay in (0, 20, 1000))
    assert at_once == figures(index)
    assert never == figures(index, "--labelled", 0)
    assert at_once["log_loss"] < late["log_loss"] < never["log_loss"]


def test_an_index_for_delayed_feedback_is_read_as_it_is(write_index, index):
    labels = [line.split()[:2] for line in index.read_text().splitlines()]
    lines = []
    for position, (label, number) in enumerate(labels):
        lines.append((label.capitalize(), int(number), ""))
        if position >= 20:
            before, number = labels[position - 20]
            lines.append((before.upper(), int(number), ""))
    assert figures(write_index(lines, "delayed")) == figures(index, "--delay", 20)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_databases_are_compared_and_not_written(index, tmp_path):
    good, bad, same = (tmp_path / (name + ".sqlite") for name in ("good", "bad", "same"))
    teach(good, index, 30)
    teach(same, index, 30)
    teach(bad, index, 30, wrong=True)
    before = [digest(path) for path in (good, bad)]
    alone = figures("--database", good, index)
    assert alone["messages"] == 60 and alone["one_minus_roca_percent"] < 5
    found = figures("--database", good, "--against", bad, index)
    assert found["intervals"]["resamples"] == 1000
    comparison = found["comparison"]
    assert comparison["better"] == "database" and comparison["database"] == str(good)
    assert comparison["sentence"].startswith("%s is better than %s: " % (good, bad))
    loss = comparison["log_loss"]
    assert loss["database"] == pytest.approx(found["log_loss"])
    assert 0 < loss["low"] <= loss["difference"] <= loss["high"]
    other = figures("--database", bad, "--against", good, index)["comparison"]
    assert other["better"] == "against" and other["log_loss"]["high"] < 0
    # Each has a secret of its own, and the same evidence.
    alike = figures("--database", good, "--against", same, index)["comparison"]
    assert alike["better"] == "none" and "cannot be told apart on these 60 " in alike["sentence"]
    assert alike["log_loss"]["difference"] == pytest.approx(0, abs=1e-9)
    text = train("evaluate", "--database", good, "--against", bad, index).stdout.decode()
    assert text.splitlines()[-1] == comparison["sentence"]
    assert [digest(path) for path in (good, bad)] == before
    missing = train("evaluate", "--database", tmp_path / "none.sqlite", index)
    assert missing.returncode == 1 and not (tmp_path / "none.sqlite").exists()


def test_a_database_is_scored_beside_the_daemon(daemon, index):
    found = figures("--database", daemon.database, index)
    assert found["messages"] == 60 and found["one_minus_roca_percent"] == 50
    assert daemon.process.poll() is None


def test_a_database_knows_its_users(write_index, tmp_path):
    index = write_index([("ham", 1, "bob"), ("ham", 1, "alice")])
    database = tmp_path / "users.sqlite"
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1").write_bytes((tmp_path / "1").read_bytes())
    assert train("import", "--database", database, "--user", "bob", "--spam",
                 tmp_path / "mail").returncode == 0
    train("evaluate", "--database", database, "--print-results", tmp_path / "results", index)
    assert re.findall(r"class=(\w+) .*user=(\w+)", (tmp_path / "results").read_text()) == [
        ("spam", "bob"), ("ham", "alice")]


def test_what_does_not_go_together_is_refused(index):
    assert "choose one" in complaint(index, "--folds", 3, "--delay", 2)
    assert "choose one" in complaint(index, "--database", "x", "--held-out", 10)
    assert "at least 2" in complaint(index, "--folds", 1)
    assert "number of messages" in complaint(index, "--delay", -1)
    assert "for --folds" in complaint(index, "--group-by", "user")
    assert "message or user" in complaint(index, "--folds", 2, "--group-by", "sender")
    assert "wants a --database" in complaint(index, "--against", "x")
    assert "cannot tell" in complaint(index, "--database", "x", "--against", "y", "--bootstrap", 0)
    assert "nothing is learned" in complaint(index, "--database", "x", "--labelled", 10)
    assert "at most" in complaint(index, "--bootstrap", 1000000)
    assert "held-out" in complaint(index, "--retrain")


# --- The toolkit of the TREC spam track -------------------------------------------------

# What the toolkit's run script does with a filter, in a few lines: the commands are called in
# its folder, and the words after class=, score= and tfile= are handed on, unquoted.
TOOLKIT = r"""
set -e
./initialize
while read -r judge file user; do
    line=$(./classify "$file" $user)
    class=$(expr "$line" : '.*class=\([^ ]*\)')
    score=$(expr "$line" : '.*score=\([^ ]*\)')
    tfile=$(expr "$line" : '.*tfile=\([^ ]*\)')
    echo "file=$file judge=$judge class=$class score=$score user=$user genre= runid=hamlet"
    ./train $judge $file $class $tfile $user
    [ ! -e "$tfile" ]
done <index
./finalize
"""


@pytest.fixture
def toolkit(tmp_path):
    for name in ("initialize", "classify", "train", "finalize"):
        path = tmp_path / name
        path.write_text('#!/bin/sh\nexec "%s" jig %s "$@"\n' % (BUILD / "hamlet-train", name))
        path.chmod(stat.S_IRWXU)
    return lambda: subprocess.run(["sh", "-c", TOOLKIT], cwd=tmp_path, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_toolkit_gets_what_evaluate_gets(toolkit, write_index, tmp_path):
    lines = [(("ham", "spam")[number % 2], number, ("", "bob")[number % 3 == 0])
             for number in range(16)]
    index = write_index(lines)
    done = toolkit()
    assert done.returncode == 0 and done.stderr == b""
    assert (tmp_path / "hamlet-jig.sqlite").exists()
    assert train("evaluate", "index", "--print-results", "results", cwd=tmp_path).returncode == 0
    written = (tmp_path / "results").read_text().replace("file=./", "file=")
    assert written == done.stdout.decode()
    # A second run begins anew, and an index with two columns has no users.
    index.write_text("".join("%s %d\n" % line[:2] for line in lines))
    again = toolkit()
    assert again.returncode == 0
    train("evaluate", "index", "--print-results", "results", cwd=tmp_path)
    assert (tmp_path / "results").read_text().replace("file=./", "file=") == again.stdout.decode()


def test_jig_touches_no_other_database(daemon, write_index, tmp_path):
    daemon.stop()
    write_index([("spam", 1, "")])
    before = digest(daemon.database)
    for command in (("initialize",), ("train", "spam", tmp_path / "1"), ("finalize",)):
        done = train("jig", *command, "--database", daemon.database)
        assert done.returncode == 1 and b"not a database of the jig" in done.stderr
    assert digest(daemon.database) == before


def test_jig_finds_its_database(write_index, tmp_path):
    write_index([("spam", 1, "")])
    environment = {"HAMLET_JIG": str(tmp_path / "by-name.sqlite"), "PATH": "/usr/bin:/bin"}
    assert train("jig", "initialize", env=environment).returncode == 0
    assert (tmp_path / "by-name.sqlite").exists()
    done = train("jig", "classify", tmp_path / "1", env=environment)
    assert re.fullmatch(rb"class=ham score=-?\d+\.\d{6} tfile=-\n", done.stdout)
    assert train("jig", "train", "spam", tmp_path / "1", env=environment).returncode == 0
    assert float(re.search(rb"score=(\S+)", train(
        "jig", "classify", tmp_path / "1", env=environment).stdout).group(1)) > 0
    assert train("jig", "finalize", env=environment).returncode == 0
    missing = train("jig", "classify", tmp_path / "2", env=environment)
    assert missing.returncode == 1 and missing.stdout == b""
    none = train("jig", "classify", tmp_path / "1", "--database", tmp_path / "none.sqlite")
    assert none.returncode == 1 and not pathlib.Path(tmp_path / "none.sqlite").exists()
    for wrong in ((), ("initialise",), ("train", "maybe", tmp_path / "1"), ("classify",)):
        assert train("jig", *wrong, env=environment).returncode == 2

# SPDX-License-Identifier: Apache-2.0
"""What is past its time goes while the daemon serves, its size stays below the budget
under constant inflow, and operators can see that it works."""
import json
import os
import sqlite3
import subprocess
import time

from conftest import BUILD, make_message, wait_until
from hamlet_client import ask, score, tell
from http_client import once
from test_disk import build_shim
from test_retrain import train

DAY = 86400


def stats(daemon):
    return ask(daemon.socket, "STATS").json


def metrics(daemon):
    text = once(daemon, "GET", "/metrics").body.decode()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")


def age_journal(daemon, users, days):
    """Time passes: the reports of these users came so many days earlier."""
    with sqlite3.connect(daemon.database) as database:
        for user in users:
            database.execute("UPDATE journal SET time = time - ? WHERE user ="
                             " (SELECT id FROM user WHERE name = ?)", (days * DAY, user.encode()))
    database.close()


def size_on_disk(daemon):
    return os.stat(daemon.database).st_size


def test_old_reports_go_by_the_hour_and_by_hand(make_daemon):
    daemon = make_daemon(housekeeping_seconds=1, retention_days=100, default_consent="true")
    daemon.start()
    for number in range(20):
        tell(daemon.socket, "spam", make_message(number, "pills"), "ann")
    tell(daemon.socket, "ham", make_message(50, "meeting"), "bob")
    before = score(daemon.socket, make_message(100, "pills"))["score"]
    daemon.stop()
    age_journal(daemon, ["ann"], 200)
    daemon.start()
    wait_until(lambda: stats(daemon)["housekeeping"]["runs"] > 0, "a housekeeping")
    kept = stats(daemon)["housekeeping"]
    assert kept["expired"]["by_age"] == 20 and kept["expired"]["users"] == 1
    assert abs(kept["last_success"] - time.time()) < 3600
    assert score(daemon.socket, make_message(100, "pills"))["score"] < before
    assert "event=housekeeping by_age=20" in daemon.log_text()
    shown = metrics(daemon)
    assert shown['hamlet_expired_reports_total{reason="age"}'] == "20"
    assert float(shown["hamlet_housekeeping_age_seconds"]) < 3600
    assert float(shown["hamlet_housekeeping_runs_total"]) >= 1
    # By hand, through the daemon: nothing is left to go.
    assert "reports taken out: 0 past their time" in train(daemon, "expire")
    daemon.stop()
    age_journal(daemon, ["bob"], 200)
    # Nobody has reported for long: it may be the clock, so an operator's word is wanted.
    assert "reports taken out: 0 past their time" in train(daemon, "expire", code=1)
    assert "reports taken out: 1 past their time" in train(daemon, "expire", "--believe-clock")
    with sqlite3.connect(daemon.database) as database:
        for table in ("journal", "user", "token"):
            assert database.execute("SELECT count(*) FROM " + table).fetchone() == (0,), table
    database.close()


YEARS = 3 * 365 * DAY


class Clock:
    """A wall clock that is set; see clock_shim.c."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set(0)
        # The sandbox lets hamletd read the folder for temporary files.
        self.environment = {**os.environ, "HAMLET_CLOCK": str(self.file),
                            "SQLITE_TMPDIR": str(folder),
                            "LD_PRELOAD": str(build_shim("clock_shim", folder))}

    def set(self, seconds):
        """In one step: a daemon reads it at any time."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.file)


def expire(daemon, environment, *options):
    return subprocess.run([BUILD / "hamlet-train", "expire", "--config", daemon.config, *options],
                          env=environment, capture_output=True, text=True, timeout=300,
                          check=False)


def journal(daemon):
    with sqlite3.connect(daemon.database) as database:
        count = database.execute("SELECT count(*) FROM journal").fetchone()[0]
    database.close()
    return count


def await_clock(daemon, name):
    """The run at work, and the one that sees the clock set, say something else."""
    wait_until(lambda: stats(daemon)["housekeeping"]["expired"]["clock"] == name,
               "the clock is " + name)


def more_runs(daemon, count=2):
    end = stats(daemon)["housekeeping"]["runs"] + count
    wait_until(lambda: stats(daemon)["housekeeping"]["runs"] >= end, "more housekeepings")


def test_a_wrong_clock_takes_nothing(make_daemon, tmp_path):
    clock = Clock(tmp_path)
    daemon = make_daemon(housekeeping_seconds=1, default_consent="true", idle_days=365)
    daemon.start(env=clock.environment)
    for number in range(30):
        tell(daemon.socket, "spam" if number % 2 else "ham", make_message(number), "ann")
    more_runs(daemon)
    await_clock(daemon, "believed")
    clock.set(YEARS)
    await_clock(daemon, "ahead")
    # A report of that day proves nothing: it has the same clock.
    tell(daemon.socket, "spam", make_message(100), "ann")
    more_runs(daemon)
    assert journal(daemon) == 31
    await_clock(daemon, "ahead")
    assert metrics(daemon)["hamlet_clock_doubted"] == "1"
    assert "event=clock-was-set seconds=" in daemon.log_text()
    assert daemon.log_text().count("event=clock-doubted") <= 2
    refused = expire(daemon, clock.environment)
    assert refused.returncode == 1 and "--believe-clock" in refused.stderr
    assert "0 past their time" in refused.stdout
    clock.set(0)
    await_clock(daemon, "believed")
    assert "event=clock-believed" in daemon.log_text()
    tell(daemon.socket, "spam", make_message(101), "ann")
    # Wrong from the start on: there is no other clock to ask.
    daemon.stop()
    clock.set(YEARS)
    refused = expire(daemon, clock.environment)
    assert refused.returncode == 1 and "far beyond" in refused.stderr
    daemon.start(env=clock.environment)
    tell(daemon.socket, "spam", make_message(102), "ann")
    more_runs(daemon)
    assert journal(daemon) == 33
    # An operator says that it is right.
    done = expire(daemon, clock.environment, "--believe-clock")
    assert done.returncode == 0 and "30 past their time" in done.stdout, done
    await_clock(daemon, "believed")
    more_runs(daemon)
    assert journal(daemon) == 3


def test_a_budget_is_kept_under_constant_inflow(make_daemon):
    budget = 6 << 20
    daemon = make_daemon(database_bytes=budget, checkpoint_seconds=1, checkpoint_tokens=5000,
                         default_consent="true", housekeeping_seconds=3600,
                         log_level="warning")
    daemon.start()
    load = BUILD / "tests" / "bench" / "bench_spamd"
    folder = daemon.folder / "mail"
    folder.mkdir()
    largest, number = 0, 0
    end = time.monotonic() + 600
    while stats(daemon)["housekeeping"]["expired"]["by_budget"] < 3000:
        assert time.monotonic() < end, stats(daemon)
        lines = []
        for _ in range(1000):
            path = folder / str(number % 1000)
            path.write_bytes(make_message(number, " ".join(
                "token%d" % (number * 300 + i) for i in range(200))))
            lines.append("%s %s" % ("spam" if number % 2 else "ham", path))
            number += 1
        (folder / "index").write_text("\n".join(lines) + "\n")
        done = subprocess.run([load, daemon.socket, "tell", "16", folder / "index"],
                              capture_output=True, timeout=60, check=True)
        assert done.stdout.split()[5] == b"0", done.stdout
        largest = max(largest, size_on_disk(daemon))
    # What comes while the oldest goes may pass it for as long.
    assert largest < 2 * budget
    wait_until(lambda: not stats(daemon)["housekeeping"]["running"] and
               size_on_disk(daemon) <= budget, "below the budget")
    kept = stats(daemon)["housekeeping"]["expired"]["by_budget"]
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        assert database.execute("SELECT count(*) FROM journal").fetchone() == (number - kept,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_what_is_known_of_a_user(daemon):
    tell(daemon.socket, "spam", make_message(1), "ann")

    def hamlet(*words):
        return subprocess.run([BUILD / "hamlet", "--socket", daemon.socket, *words],
                              capture_output=True, check=True, timeout=30).stdout.decode()

    hamlet("--user", "ann", "list", "block", "x@example.org")
    text = hamlet("user", "show", "ann")
    assert "not judged by a retraining yet" in text and "x@example.org" in text
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        database.execute("INSERT INTO entry VALUES (?, 5, ?, ?, 77)", (b"ann", b"", b"0.250000"))
    database.close()
    daemon.start()
    assert "wrong in about 25.0 % of the reports" in hamlet("user", "show", "ann")
    shown = json.loads(hamlet("--json", "user", "show", "ann"))
    assert shown["error_rate"] == 0.25 and shown["reports_spam"] == 1

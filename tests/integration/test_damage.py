# SPDX-License-Identifier: Apache-2.0
"""Starting on a damaged database, and the way out that hamletd(8) describes."""
import sqlite3
import subprocess
import threading

import pytest

from conftest import TOP, make_message
from hamlet_client import score, tell
from http_client import once

REPORTS = 150


def pages_of(database, name, kind="leaf"):
    with sqlite3.connect(database) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        try:
            rows = db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? "
                              "ORDER BY path", (name, kind)).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")
    return size, [row[0] for row in rows]


def damage(database, name, which=-1):
    """Overwrites one page of a table; -1 = its last one."""
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size, pages = pages_of(database, name)
    with open(database, "r+b") as file:
        file.seek((pages[which] - 1) * size)
        file.write(b"\xa5" * size)


def scores(daemon):
    return [score(daemon.socket, make_message(number), user)["score"]
            for number in range(10) for user in ("", "bob", "ann")]


@pytest.fixture
def filled(make_daemon):
    """A daemon that has learned and stopped: all token rows are written."""
    daemon = make_daemon(default_consent="true", log_level="info").start()
    for number in range(REPORTS):
        tell(daemon.socket, "spam" if number % 2 else "ham", make_message(number),
             ("", "bob", "ann")[number % 3])
    daemon.stop()
    daemon.start()
    daemon.expected = scores(daemon)
    daemon.stop()
    daemon.log.unlink()
    return daemon


def test_token_rows_are_made_anew(filled):
    damage(filled.database, "token", 0)
    filled.start()
    assert "event=store-damaged-and-rebuilt" in filled.log_text()
    assert str(filled.database) in filled.log_text()
    assert scores(filled) == filled.expected
    assert tell(filled.socket, "spam", make_message(999), "bob")["outcome"] == "new"
    filled.stop()
    with sqlite3.connect(filled.database) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    filled.log.unlink()
    filled.start()
    assert "damaged" not in filled.log_text()


def fill_tail(daemon):
    """Reports after the last checkpoint."""
    daemon.start()
    for number in range(1000, 1000 + REPORTS):
        tell(daemon.socket, "spam", make_message(number), "bob")
    daemon.kill()


def test_a_damaged_journal_scores_and_refuses(filled):
    fill_tail(filled)
    damage(filled.database, "journal")
    filled.start()
    assert "event=store-damaged " in filled.log_text()
    for expected in (str(filled.database), "hamletd(8)", "reports are refused"):
        assert expected in filled.log_text()
    score(filled.socket, make_message(1), "ann")
    with pytest.raises(RuntimeError, match="damaged"):
        tell(filled.socket, "spam", make_message(2000), "ann")
    assert once(filled, "GET", "/healthz").json["status"] == "read-only"
    assert "\nhamlet_writable 0\n" in once(filled, "GET", "/metrics").body.decode()


def test_an_old_page_of_the_journal_hurts_its_users_alone(filled):
    damage(filled.database, "journal", 0)
    filled.start()
    verdicts = scores(filled)
    assert verdicts[0::3] == filled.expected[0::3]
    assert "event=user-unreadable" in filled.log_text()
    assert tell(filled.socket, "spam", make_message(999), "new")["outcome"] == "new"


def test_a_damaged_report_is_in_the_way_of_its_user_alone(make_daemon):
    """Also of presses that come together with one about it."""
    daemon = make_daemon(default_consent="true", commit_delay=500).start()
    tell(daemon.socket, "spam", make_message(1), "bob")
    tell(daemon.socket, "spam", make_message(2), "ann")
    daemon.stop()
    with sqlite3.connect(daemon.database) as db:
        db.execute("UPDATE journal SET label = 9 WHERE seq = 1")
    db.close()
    daemon.start()
    refused = []

    def press_again():
        with pytest.raises(RuntimeError, match="damaged") as error:
            tell(daemon.socket, "ham", make_message(1), "bob")
        refused.append(error)

    thread = threading.Thread(target=press_again)
    thread.start()
    for number in range(3, 6):
        assert tell(daemon.socket, "spam", make_message(number), "ann")["outcome"] == "new"
        assert tell(daemon.socket, "spam", make_message(number), "bob")["outcome"] == "new"
    thread.join()
    assert len(refused) == 1


@pytest.mark.parametrize("table", ["meta", "entry"])
def test_without_what_it_needs_it_refuses(filled, table):
    damage(filled.database, table)
    filled.spawn()
    assert filled.process.wait(20) == 1
    lines = filled.log_text().splitlines()
    assert len(lines) == 1 and lines[0].startswith("hamletd: ")
    assert str(filled.database) in lines[0] and "hamletd(8)" in lines[0]


def manual_commands():
    """The example of hamletd(8)."""
    section = (TOP / "man" / "hamletd.8").read_text().split(".Sh DAMAGED DATABASE")[1]
    commands = section.split(".Bd -literal -offset indent\n")[1].split("\n.Ed")[0]
    assert "sqlite3" in commands
    return commands.replace("\\e", "\\")


def test_recovery_as_the_manual_says(filled):
    """What is lost is what was on the page: the rest is learned from the journal."""
    fill_tail(filled)
    damage(filled.database, "journal")
    subprocess.run(["sh", "-ec", manual_commands()], cwd=filled.database.parent, check=True)
    filled.start()
    assert "damaged" not in filled.log_text()
    outcomes = [tell(filled.socket, "spam", make_message(number), "bob")["outcome"]
                for number in range(1000, 1000 + REPORTS)]
    assert set(outcomes) == {"new", "repeat"}
    assert outcomes.index("new") > 10
    before = scores(filled)
    filled.stop()
    filled.start()
    assert scores(filled) == before


def test_a_second_daemon_says_who_is_first(daemon, make_daemon):
    second = make_daemon(state_directory=daemon.folder / "state").spawn()
    assert second.process.wait(20) == 1
    lines = second.log_text().splitlines()
    assert len(lines) == 1 and "process %d" % daemon.process.pid in lines[0]
    assert str(daemon.database) in lines[0]


def test_a_newer_database_is_left_alone(filled):
    with sqlite3.connect(filled.database) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = filled.database.read_bytes()
    filled.spawn()
    assert filled.process.wait(20) == 1
    lines = filled.log_text().splitlines()
    assert len(lines) == 1 and "newer" in lines[0] and str(filled.database) in lines[0]
    assert filled.database.read_bytes() == before

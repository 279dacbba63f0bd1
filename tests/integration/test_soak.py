# SPDX-License-Identifier: Apache-2.0
"""Everything at once, for a while: queries over all protocols, reports and their undoing,
consent, lists, policies, erasures, retrainings, rollbacks, expiry below a small budget,
checkpoints and reloads. At the end every count is right. Built with a sanitizer
(scripts/soak) it finds what races and what leaks; HAMLET_SOAK_SECONDS says how long."""
import collections
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

from conftest import BUILD, make_message, wait_until
from hamlet_client import ask
from soak_load import PATIENCE, USERS, WORDS, Load

SECONDS = float(os.environ.get("HAMLET_SOAK_SECONDS", "15"))
SEED = int(os.environ.get("HAMLET_SEED", str(time.time_ns() % 1_000_000)))
PROGRESS = 10  # seconds from one line to the next
ROOM = 48 << 20  # by which memory may grow after the first half
# Whatever the seed, each of these has been done.
ALL = {"spamd TELL", "spamd CHECK", "http /v1/report", "http /v1/score", "http /v1/consent",
       "http /v1/entries", "http /v1/erase", "milter a", "undone", "reloads"}
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer")
# What the daemon may say of itself, though something failed.
EXPECTED = re.compile("reports were taken out while|is being adopted")


class Watch:
    """Memory and progress while the load is at work."""

    def __init__(self, daemon, ledger):
        self.daemon, self.ledger = daemon, ledger
        self.started = time.monotonic()
        self.resident = []  # (share of the time, bytes)
        self.shown = 0

    def look(self):
        spent = time.monotonic() - self.started
        with open("/proc/%d/status" % self.daemon.process.pid, encoding="ascii") as status:
            text = status.read()
        self.resident.append((spent / SECONDS,
                              int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) << 10))
        if spent // PROGRESS > self.shown:
            self.shown = spent // PROGRESS
            self.show(spent)
        return spent < SECONDS

    def show(self, spent):
        with self.ledger.lock:
            counts = collections.Counter(self.ledger.counts)
            reports, failures = len(self.ledger.reports), len(self.ledger.failures)
        print("%4d s: %d operations, %d reports, %d erasures, %d adopted, %d MiB, %d failures" % (
            spent, sum(counts.values()), reports, len(self.ledger.erasures), counts["adopted"],
            self.resident[-1][1] >> 20, failures), flush=True)

    def largest(self, since, until):
        return max(size for share, size in self.resident if since <= share <= until)


def settle(daemon):
    """No budget any more, so that the numbers stand still; gives the last ones."""
    daemon.write_config(log_level="info", database_bytes=0, retention_reports=0)
    done = daemon.log_text().count("event=reload ")
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.log_text().count("event=reload ") > done, "a reload", PATIENCE)
    wait_until(lambda: not ask(daemon.socket, "STATS", timeout=PATIENCE).json[
        "housekeeping"]["running"], "no housekeeping", PATIENCE)
    return ask(daemon.socket, "STATS", timeout=PATIENCE).json


def verdicts(daemon):
    """What it says of some messages, to everybody."""
    context = "Context: " + json.dumps({"recipients": USERS + [""]})
    return [ask(daemon.socket, "CHECK", make_message(number, WORDS[number % 2]), "", (context,),
                timeout=PATIENCE).json["recipients"] for number in range(20)]


def stop(daemon):
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.process.wait(PATIENCE)
    assert_log(daemon.log_text())
    assert code == 0, daemon.log_text()[-20000:]


def assert_same_after_a_start(daemon, before):
    """What was in memory is what the database makes of it."""
    daemon.start()
    after = verdicts(daemon)
    stop(daemon)
    for said, says in zip(before, after):
        assert said == says


def read_journal(database):
    """The journal's reports by number, and what is wrong with the database otherwise."""
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as db:
        rows = db.execute("SELECT seq, u.name, message, label FROM journal j "
                          "LEFT JOIN user u ON u.id = j.user").fetchall()
        integrity = db.execute("PRAGMA integrity_check").fetchall()
        strays = {
            "rows of no user": "SELECT count(*) FROM journal WHERE user NOT IN (SELECT id FROM user)",
            "retrained rows of no report": "SELECT count(*) FROM retrained WHERE report NOT IN "
                                           "(SELECT seq FROM journal)",
            "reports that count without tokens":
                "SELECT count(*) FROM journal j WHERE label <> 0 AND flags & 2 = 0 AND tokens IS NULL "
                "AND NOT EXISTS (SELECT 1 FROM journal n WHERE n.user = j.user AND "
                "n.message = j.message AND n.seq > j.seq AND n.flags & 2 = 0)",
            "shared evidence without consent": "SELECT count(*) FROM journal WHERE flags & 1 = 0 "
                                               "AND (head_gain <> 0 OR body_gain <> 0)",
        }
        wrong = [name for name, query in strays.items() if db.execute(query).fetchone() != (0,)]
        wrong += [row for row in db.execute("PRAGMA foreign_key_check")]
    labels = ("forget", "ham", "spam")
    journal = {seq: (name.decode(), "%016x" % (message & (1 << 64) - 1), labels[label])
               for seq, name, message, label in rows}
    return journal, wrong + ([] if integrity == [("ok",)] else integrity)


def assert_counts(ledger, stats, journal):
    """Each acknowledged report is there once, or was erased, or is among the expired."""
    assert {seq: row[:3] for seq, row in ledger.reports.items() if seq in journal} == journal
    served = {name: count for name, count in stats["reports"].items() if count}
    assert served == dict(ledger.outcomes)
    last = {}
    for user, since, done in ledger.erasures:
        first_asked, last_done = last.get(user, (since, done))
        last[user] = (max(first_asked, since), max(last_done, done))
    erasable = 0
    for seq, (user, _, _, answered) in ledger.reports.items():
        asked, done = last.get(user, (0, 0))
        assert seq not in journal or answered >= asked, "report %d of %s outlived an erasure" % (seq, user)
        erasable += seq not in journal and answered <= done + 1
    expired = sum(stats["housekeeping"]["expired"]["by_" + why]
                  for why in ("age", "count", "idleness", "budget"))
    gone = len(ledger.reports) - len(journal)
    print("%d reports acknowledged, %d kept, %d erased, %d expired" % (
        len(ledger.reports), len(journal), ledger.erased, expired))
    if ledger.unreceipted == 0:
        assert gone == ledger.erased + expired
    assert expired + ledger.erased <= gone <= expired + erasable


def assert_log(text):
    assert not SANITIZER.search(text), text[SANITIZER.search(text).start() - 200:][:20000]
    failed = [line for line in text.splitlines() if "-failed" in line or "event=user-unreadable" in line]
    assert [line for line in failed if not EXPECTED.search(line)] == []


def test_everything_at_once(make_daemon):
    print("seed", SEED)
    daemon = make_daemon(
        database_bytes="1536K", housekeeping_seconds=1, checkpoint_seconds=1, default_consent="true",
        authserv_ids="mx.example.org", user_cache_bytes="1M").start()
    with Load(daemon, SEED) as load:
        watch = Watch(daemon, load.ledger)
        while watch.look():
            assert daemon.process.poll() is None, daemon.log_text()[-20000:]
            time.sleep(0.2)
    ledger = load.ledger
    stats = settle(daemon)
    said = verdicts(daemon)
    stop(daemon)
    for name, count in sorted(ledger.counts.items()):
        print("%8d %s" % (count, name))
    assert ledger.failures == []
    assert ALL <= set(ledger.counts)
    journal, wrong = read_journal(daemon.database)
    assert wrong == []
    assert_counts(ledger, stats, journal)
    checked = subprocess.run([BUILD / "tests" / "check" / "check_database", daemon.database],
                             capture_output=True, timeout=PATIENCE)
    print(checked.stdout.decode(), end="")
    assert checked.returncode == 0, (checked.stdout, checked.stderr)
    assert_same_after_a_start(daemon, said)
    early, late = watch.largest(0.1, 0.5), watch.largest(0.5, 2)
    print("memory: at most %d MiB in the first half, %d MiB in the second" % (early >> 20, late >> 20))
    assert late <= 1.25 * early + ROOM

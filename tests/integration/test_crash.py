# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load: what was acknowledged counts exactly
once, what was not at most once. HAMLET_KILLS says how often (default 10)."""
import os
import random
import sqlite3
import threading
import time

from conftest import make_message
from hamlet_client import score, tell

KILLS = int(os.environ.get("HAMLET_KILLS", "10"))
SEED = int(os.environ.get("HAMLET_SEED", str(time.time_ns() % 1_000_000)))
REPORTERS = 6


class Load:
    """Threads that report and ask until they are told to stop."""

    def __init__(self, path, first):
        self.path = path
        self.next = first
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.sent = {}          # number -> (user, label)
        self.acknowledged = {}  # number -> identity
        self.threads = [threading.Thread(target=self.report) for _ in range(REPORTERS)]
        self.threads.append(threading.Thread(target=self.query))

    def report(self):
        while not self.stop.is_set():
            with self.lock:
                number = self.next
                self.next += 1
                user = "" if number % 3 == 0 else "user%d" % (number % 20)
                label = "spam" if number % 2 else "ham"
                self.sent[number] = (user, label)
            try:
                answer = tell(self.path, label, make_message(number), user)
            except (OSError, RuntimeError, ValueError):
                continue
            assert answer["outcome"] == "new"
            with self.lock:
                self.acknowledged[number] = answer["identity"]

    def query(self):
        while not self.stop.is_set():
            try:
                score(self.path, make_message(1), "user1")
            except (OSError, RuntimeError, ValueError):
                pass

    def run_until(self, end):
        for thread in self.threads:
            thread.start()
        end()
        self.stop.set()
        for thread in self.threads:
            thread.join()


def journal_identities(database):
    """How often each (user, identity) is in the journal."""
    counts = {}
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as db:
        rows = db.execute("SELECT u.name, j.message FROM journal j JOIN user u ON u.id = j.user")
        for name, message in rows:
            key = (name.decode(), "%016x" % (message & (1 << 64) - 1))
            counts[key] = counts.get(key, 0) + 1
    return counts


def test_kill_at_random_moments(make_daemon):
    print("seed", SEED)
    generator = random.Random(SEED)
    daemon = make_daemon(checkpoint_seconds=1, log_level="warning", max_connections=100)
    sent, acknowledged, first = {}, {}, 0
    for _ in range(KILLS):
        daemon.start()
        load = Load(daemon.socket, first)

        def kill():
            time.sleep(generator.uniform(0.005, 0.6))
            daemon.kill()

        load.run_until(kill)
        first = load.next
        sent.update(load.sent)
        acknowledged.update(load.acknowledged)
    daemon.start()
    counts = journal_identities(daemon.database)
    assert set(counts.values()) <= {1}
    for number, identity in acknowledged.items():
        assert counts.get((sent[number][0], identity)) == 1
    # What was not acknowledged is there once or not at all: saying it again
    # makes it exactly once, and nothing else is in the journal.
    for number, (user, label) in sent.items():
        if number not in acknowledged:
            assert tell(daemon.socket, label, make_message(number), user)["outcome"] in (
                "new", "repeat")
    counts = journal_identities(daemon.database)
    assert len(counts) == len(sent) and set(counts.values()) == {1}
    print(len(sent), "sent,", len(acknowledged), "acknowledged,", KILLS, "kills")

    # The evidence too: a daemon that was never killed scores the same, for the
    # users, whose stores do not depend on the order in which others reported.
    verdicts = [score(daemon.socket, make_message(n))["known"] for n in range(20)]
    daemon.stop()
    daemon.start()
    assert verdicts == [score(daemon.socket, make_message(n))["known"] for n in range(20)]

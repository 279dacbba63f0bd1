# SPDX-License-Identifier: Apache-2.0
"""Press, twin, flip, repeat, forget: for two users of the running daemon."""
import json
import random
import threading

from conftest import Threads
from hamlet_client import ask, score, tell


def test_a_press_counts_at_once_and_for_its_user_alone(daemon, message):
    twin = b"Received: from another.example by b.example; today\n" + message(1)
    bob = score(daemon.socket, twin, "bob")
    assert not bob["spam"]
    assert tell(daemon.socket, "spam", message(1), "alice")["outcome"] == "new"
    assert score(daemon.socket, twin, "alice")["spam"]
    assert score(daemon.socket, twin, "bob") == bob
    assert not score(daemon.socket, twin)["spam"]


def test_flip_repeat_and_forget(daemon, message):
    before = score(daemon.socket, message(1), "alice")
    tell(daemon.socket, "spam", message(1), "alice")
    pressed = score(daemon.socket, message(1), "alice")
    assert tell(daemon.socket, "spam", message(1), "alice")["outcome"] == "repeat"
    assert score(daemon.socket, message(1), "alice") == pressed
    tell(daemon.socket, "ham", message(1), "bob")
    assert score(daemon.socket, message(1), "alice") == pressed
    assert tell(daemon.socket, "ham", message(1), "alice")["outcome"] == "flip"
    assert not score(daemon.socket, message(1), "alice")["spam"]
    assert tell(daemon.socket, "forget", message(1), "alice")["outcome"] == "forgotten"
    assert score(daemon.socket, message(1), "alice") == before
    assert tell(daemon.socket, "forget", message(1), "alice")["outcome"] == "unknown"


def test_any_sequence_equals_its_final_labels(daemon, message):
    generator = random.Random(1)
    labels = {}
    for _ in range(150):
        number, label = generator.randrange(10), generator.choice(["spam", "ham", "forget"])
        if tell(daemon.socket, label, message(number), "alice")["outcome"] not in (
                "repeat", "unknown"):
            labels.pop(number, None)
            labels[number] = label
    for number, label in labels.items():
        if label != "forget":
            tell(daemon.socket, label, message(number), "bob")
    for number in range(20):
        alice, bob = (score(daemon.socket, message(number), user) for user in ("alice", "bob"))
        assert alice["log_odds"] == bob["log_odds"]


def test_consent_is_asked_for_and_a_site_press_teaches_all(daemon, message):
    answer = tell(daemon.socket, "spam", message(1), "alice")
    assert answer["consent"] == "ask" and not answer["taught_global"]
    assert score(daemon.socket, message(1))["known"] == 0
    assert tell(daemon.socket, "spam", message(1))["taught_global"]
    assert score(daemon.socket, message(1))["known"] > 0


def test_a_restart_changes_nothing(daemon, message):
    for number in range(10):
        tell(daemon.socket, "spam" if number % 2 else "ham", message(number))
        tell(daemon.socket, "ham", message(number), "alice")
    before = [score(daemon.socket, message(n), u) for n in range(20) for u in ("", "alice")]
    daemon.stop()
    daemon.start()
    assert before == [score(daemon.socket, message(n), u) for n in range(20) for u in ("", "alice")]


def test_reasons_add_up(daemon, message):
    tell(daemon.socket, "spam", message(2))
    tell(daemon.socket, "spam", message(1), "alice")
    why = ask(daemon.socket, "REPORT", message(1), "alice").json
    listed = sum(r["everybody"] + r["own"] for r in why["reasons"] + [why["others"]])
    assert abs(why["bias"] + listed - why["margin"]) < 1e-9
    assert why["personal"] and len(why["reasons"]) == 30


class Changers(Threads):
    """Change a list again and again, from eight connections at a time."""

    def __init__(self, path):
        self.path, self.stop, self.count = path, threading.Event(), 0
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(8)]

    def run(self, number):
        entry = {"kind": "list", "name": "a%d@example.org" % number, "value": "allow"}
        text = json.dumps({"call": "change", "user": "eve", "entries": [entry]}).encode()
        while not self.stop.is_set():
            assert ask(self.path, "CALL", text).code == 0
            self.count += 1


def test_presses_take_turns_with_changes(daemon, message):
    with Changers(daemon.socket) as changers:
        for number in range(20):
            assert tell(daemon.socket, "spam", message(number), "bob")["outcome"] == "new"
        assert changers.count < 20 * 100

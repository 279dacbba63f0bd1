#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""Replays a corpus through hamletd, each message judged and then reported by one of
100 reporters who share their reports, once as it is and once with one reporter more
of every hundred who reports a dictionary of common words as spam. Prints what that
does to ham lost, in percent.

usage: HAMLET_BUILD=DIR collusion.py INDEX [SEED...]   (INDEX from scripts/corpus)"""
import collections
import pathlib
import random
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from conftest import Daemon  # noqa: E402
from hamlet_client import TELL, ask  # noqa: E402

REPORTERS = 100
WORDS = 20000  # of the dictionary: the most frequent ones of the corpus's own ham
CONTEXT = 'Context: {"consent": "granted"}'


def read_index(path):
    base = path.parent
    entries = [line.split(None, 1) for line in path.read_text().splitlines() if line.strip()]
    return [(label == "spam", (base / name.strip()).read_bytes()) for label, name in entries]


def dictionary(messages):
    """Words in the order of how many ham messages have them."""
    counts = collections.Counter()
    for spam, message in messages:
        if not spam:
            counts.update(set(re.findall(rb"[a-z]{3,20}", message.lower())))
    return [word for word, _ in counts.most_common(WORDS)]


def attack(words, number, generator):
    """A mail of a part of the dictionary that fits a message's tokens."""
    chosen = words[:500] + generator.sample(words, 2500)
    generator.shuffle(chosen)
    return (b"From: someone%d@attack.example\nSubject: %s\nMessage-ID: <%d@attack.example>\n"
            b"Date: Mon, 23 Nov 2026 10:00:00 +0100\n\n%s\n"
            % (number, b" ".join(chosen[:8]), number, b" ".join(chosen)))


def report(daemon, user, spam, message):
    reply = ask(daemon.socket, "TELL", message, user, TELL["spam" if spam else "ham"] + (CONTEXT,))
    assert reply.code == 0 or b"empty" in reply.raw, reply.status


def run(folder, messages, words, attackers, generator):
    """Ham lost and spam missed, in percent, and how many attacks there were."""
    daemon = Daemon(folder, commit_delay=0).start()
    lost = missed = ham = attacks = 0
    for number, (spam, message) in enumerate(messages):
        called = ask(daemon.socket, "CHECK", message).json["spam"]
        ham += not spam
        lost += called and not spam
        missed += spam and not called
        report(daemon, "reporter%d" % (number % REPORTERS), spam, message)
        if attackers and number % REPORTERS == 0:
            for attacker in range(attackers):
                report(daemon, "attacker%d" % attacker, True, attack(words, attacks, generator))
                attacks += 1
    daemon.stop()
    return 100 * lost / ham, 100 * missed / (len(messages) - ham), attacks


def main():
    messages = read_index(pathlib.Path(sys.argv[1]))
    words = dictionary(messages)
    for seed in map(int, sys.argv[2:] or ["1"]):
        generator = random.Random(seed)
        order = messages[:]
        generator.shuffle(order)
        for attackers in (0, 1, 5):
            with tempfile.TemporaryDirectory() as folder:
                lost, missed, attacks = run(
                    pathlib.Path(folder), order, words, attackers, generator)
            print("seed %d, %d attackers per %d reporters (%d reports): "
                  "ham lost %.3f %%, spam missed %.2f %%"
                  % (seed, attackers, REPORTERS, attacks, lost, missed), flush=True)


if __name__ == "__main__":
    main()

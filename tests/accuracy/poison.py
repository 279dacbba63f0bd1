#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""A poisoned night: a corpus is reported by 200 people, then comes a day of which a
fifth of the reports are from 50 colluding accounts that press the wrong button. Prints
how the rest of the corpus is judged before that day, after it, and after a retraining
with and without the judgement of reporters; and, to compare with, after a day on which
these accounts pressed the right button.

usage: HAMLET_BUILD=DIR poison.py INDEX [SEED...]   (INDEX from scripts/corpus)"""
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from collusion import read_index, report  # noqa: E402
from conftest import BUILD, Daemon  # noqa: E402
from hamlet_client import ask  # noqa: E402

PEOPLE, COLLUDING, SHARE = 200, 50, 0.2
HISTORY, DAY = 0.7, 0.15  # of the corpus; the rest is judged


def judge(daemon, messages):
    lost = missed = loss = 0
    for spam, message in messages:
        verdict = ask(daemon.socket, "CHECK", message).json
        lost += verdict["spam"] and not spam
        missed += spam and not verdict["spam"]
        p = min(max(verdict["probability"], 1e-6), 1 - 1e-6)
        loss -= math.log(p if spam else 1 - p)
    ham = sum(not spam for spam, _ in messages)
    return "ham lost %.3f %%, spam missed %.3f %%, log loss %.4f" % (
        100 * lost / ham, 100 * missed / (len(messages) - ham), loss / len(messages))


def retrain(daemon, *options):
    path = daemon.folder / "report.json"
    done = subprocess.run([BUILD / "hamlet-train", "retrain", "--config", daemon.config, "--json",
                           path, "--quiet", *options], capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(path.read_text())


def day_of(messages, generator):
    """Who reports what, and what they say of it."""
    for spam, message in messages:
        wrong = generator.random() < SHARE
        user = "account%d" % generator.randrange(COLLUDING) if wrong \
            else "person%d" % generator.randrange(PEOPLE)
        yield user, spam, wrong, message


def twin_of(daemon, name):
    (daemon.folder / name).mkdir(mode=0o755)
    twin = Daemon(daemon.folder / name, commit_delay=0)
    shutil.copytree(daemon.folder / "state", twin.folder / "state")
    return twin.start()


def run(folder, messages, generator):
    daemon = Daemon(folder, commit_delay=0).start()
    first, second = int(HISTORY * len(messages)), int((HISTORY + DAY) * len(messages))
    rest = messages[second:]
    for spam, message in messages[:first]:
        report(daemon, "person%d" % generator.randrange(PEOPLE), spam, message)
    print("  before the day             ", judge(daemon, rest))
    day = list(day_of(messages[first:second], generator))
    daemon.stop()
    for title, poisoned, options in (("without the wrong ones", False, []),
                                     ("all alike", True, ["--no-reputation"]),
                                     ("reputation", True, [])):
        twin = twin_of(daemon, title.replace(" ", "-"))
        for user, spam, wrong, message in day:
            report(twin, user, spam != (wrong and poisoned), message)
        if title == "all alike":
            print("  after it, %d of %d wrong  " % (sum(each[2] for each in day), len(day)),
                  judge(twin, rest))
        found = retrain(twin, *options)
        print("  retrained, %-22s" % title, judge(twin, rest), "-", found["reason"])
        twin.stop()


def main():
    messages = read_index(pathlib.Path(sys.argv[1]))
    for seed in map(int, sys.argv[2:] or ["1", "2", "3"]):
        print("seed", seed)
        generator = random.Random(seed)
        shuffled = messages[:]
        generator.shuffle(shuffled)
        with tempfile.TemporaryDirectory() as folder:
            run(pathlib.Path(folder), shuffled, generator)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C")
    main()

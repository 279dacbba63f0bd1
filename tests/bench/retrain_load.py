#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""Latency of scoring and reporting while a database is retrained, against the same load
before it, in one run.

usage: HAMLET_BUILD=DIR retrain_load.py DATABASE-FOLDER [SECONDS]
The folder has hamlet.sqlite, which is changed. Prints medians, p99 and their ratios."""
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from conftest import BUILD, Daemon, answers, make_message, wait_until  # noqa: E402
from hamlet_client import ask, score, tell  # noqa: E402


class Load:
    def __init__(self, path):
        self.path, self.stop, self.number = path, threading.Event(), 0
        self.scores, self.reports, self.failures = [], [], []

    def run(self, seconds_of, each, pause):
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                each()
            except (OSError, RuntimeError) as error:
                self.failures.append(repr(error))
            seconds_of.append(time.monotonic() - started)
            time.sleep(pause)

    def ask(self):
        score(self.path, make_message(7, size=4000), "user1")

    def report(self):
        self.number += 1
        tell(self.path, "spam", make_message(10**6 + self.number), "user%d" % (self.number % 50))

    def until(self, end):
        threads = [threading.Thread(target=self.run, args=(self.scores, self.ask, 0.004)),
                   threading.Thread(target=self.run, args=(self.scores, self.ask, 0.004)),
                   threading.Thread(target=self.run, args=(self.reports, self.report, 0.02))]
        for thread in threads:
            thread.start()
        end()
        self.stop.set()
        for thread in threads:
            thread.join()


def percentile(values, share):
    return 1000 * sorted(values)[int(share * (len(values) - 1))]


def show(name, load):
    print("%-12s %6d scored: median %.2f ms, p99 %.2f ms; %5d reports: median %.2f ms, "
          "p99 %.2f ms, longest %.0f ms; %d failures"
          % (name, len(load.scores), percentile(load.scores, .5), percentile(load.scores, .99),
             len(load.reports), percentile(load.reports, .5), percentile(load.reports, .99),
             percentile(load.reports, 1), len(load.failures)))


def timed(work):
    started = time.monotonic()
    answer = work()
    return "%.1f s: %s" % (time.monotonic() - started, answer)


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(pathlib.Path(folder), state_directory=sys.argv[1], default_consent="true",
                        log_level="warning").spawn()
        wait_until(lambda: answers(daemon.socket), "hamletd answers", 600)
        daemon.process.terminate()  # with a checkpoint of what the folder had
        daemon.process.wait(600)
        daemon.spawn()
        wait_until(lambda: answers(daemon.socket), "hamletd answers", 600)
        before, training, adoption = (Load(daemon.socket) for _ in range(3))
        before.until(lambda: time.sleep(seconds))
        show("before", before)
        training.until(lambda: subprocess.run(
            [BUILD / "hamlet-train", "retrain", "--dry-run", "--quiet", "--config", daemon.config],
            stdout=subprocess.DEVNULL, check=True))
        show("retraining", training)
        adoption.until(lambda: print(timed(lambda: ask(
            daemon.socket, "CALL",
            b'{"call": "adopt", "scope": "", "generation": "challenger"}', timeout=600).raw)))
        show("adopting", adoption)
        for name, load in (("retraining", training), ("adopting", adoption)):
            print("%s: scoring against before: p99 %.2f times, median %.2f" % (name, *(
                percentile(load.scores, share) / percentile(before.scores, share)
                for share in (.99, .5))))
        daemon.stop()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""How long a report waits until it is durable, while many are learned and checkpoints come.

usage: learning.py [--rounds N] [--users N] [--connections N] [--rate N] [--set NAME=VALUE]
                   INDEX BUILD...
Each build has hamletd and tests/bench/bench_spamd; INDEX comes from scripts/corpus. In each
round every build in its turn learns the corpus once for each of the users, from nothing and
without a pause. Prints a line a run, then the medians of each build."""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from conftest import Daemon  # noqa: E402

COLUMNS = ("reports/s", "p50 ms", "p99 ms", "max ms", "checkpoints", "longest ms")


def learn(build, listed, given):
    with tempfile.TemporaryDirectory(prefix="hamlet-learning-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        settings = dict(setting.split("=", 1) for setting in given.set)
        daemon = Daemon(folder, default_consent="true", **settings)
        daemon.command = [build / "hamletd"]
        daemon.start()
        words = subprocess.run(
            [build / "tests" / "bench" / "bench_spamd", daemon.socket, "tell",
             str(given.connections), listed, "user", str(given.rate), str(given.users)],
            capture_output=True, check=True, text=True).stdout.split()
        assert words[5] == "0", words
        checkpoints = re.findall(r"checkpoint ms=([0-9.]+)", daemon.log_text())
        daemon.stop()
    return (float(words[2]), float(words[3]), float(words[4]), float(words[6]),
            len(checkpoints), max(map(float, checkpoints), default=0))


def show(name, row):
    print("%-24s" % name + "%12.0f %12.2f %12.2f %12.1f %12.0f %12.1f" % row, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("index", type=pathlib.Path)
    parser.add_argument("builds", type=pathlib.Path, nargs="+")
    given = parser.parse_args()
    found = {build: [] for build in given.builds}
    print("%-24s" % "build" + "".join("%13s" % name for name in COLUMNS)[1:])
    with tempfile.NamedTemporaryFile("w", prefix="hamlet-index-") as listed:
        for line in given.index.read_text().splitlines():
            label, path = line.split()
            print(label, (given.index.parent / path).resolve(), file=listed)
        listed.flush()
        for _ in range(given.rounds):
            for build in given.builds:
                found[build].append(learn(build.resolve(), listed.name, given))
                show(build.name, found[build][-1])
    print("medians of %d:" % given.rounds)
    for build in given.builds:
        show(build.name, tuple(map(statistics.median, zip(*found[build]))))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""How the cost of hamletd grows: with tokens, users, connections, the size of a message and
the reports that it has learned. Prints tables, and writes a picture.

usage: HAMLET_BUILD=DIR growth.py [--small] [--svg FILE] INDEX
The build has tests/bench/bench_fill and bench_spamd; INDEX comes from scripts/corpus. Needs
about 3 GB of disk in TMPDIR and 2 GB of memory, and a quarter of an hour; --small is a
tenth of it, to see that it works."""
import argparse
import itertools
import os
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from conftest import BUILD, Daemon, make_message  # noqa: E402
from hamlet_client import ask, score  # noqa: E402

from panels import Panel, write_panels  # noqa: E402
from subprocess import run as spawn

ROUNDS = 5


def percentile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def fill(path, reports, users, tokens=0):
    path.parent.mkdir(exist_ok=True)
    spawn([BUILD / "tests" / "bench" / "bench_fill", path, str(reports), str(users), str(tokens)],
          check=True)


def load(daemon, command, connections, index):
    """messages a second, and the median and p99 in milliseconds."""
    done = spawn([BUILD / "tests" / "bench" / "bench_spamd", daemon.socket, command,
                  str(connections), index], capture_output=True, check=True)
    words = done.stdout.split()
    assert words[5] == b"0", done.stdout
    return float(words[2]), float(words[3]), float(words[4])


def cpu_seconds(daemon):
    return time.clock_gettime(~daemon.process.pid << 3 | 2)  # as clock_getcpuclockid() makes it


def engine(daemon):
    return ask(daemon.socket, "STATS").json["engine"]


def make_daemon(folder, **settings):
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    (folder / "state").mkdir(exist_ok=True)
    return Daemon(folder, log_level="warning", default_consent="true", retention_days=0,
                  retention_reports=0, **settings)


def cpu_of_scoring(daemon, index, messages):
    """CPU microseconds of hamletd a message, the median of the rounds."""
    found = []
    for _ in range(ROUNDS):
        before = cpu_seconds(daemon)
        load(daemon, "check", 4, index)
        found.append(1e6 * (cpu_seconds(daemon) - before) / messages)
    return statistics.median(found)


def by_tokens(folder, index, small):
    rows = []
    for tokens in (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000):
        if small and tokens > 1_000_000:
            break
        daemon = make_daemon(folder / "tokens")
        fill(daemon.database, 500, 100, tokens)
        started = time.monotonic()
        daemon.start()
        start = time.monotonic() - started
        state = engine(daemon)
        rows.append((state["global_tokens"], cpu_of_scoring(daemon, index[0], index[1]), start,
                     state["global_bytes"] / state["global_tokens"]))
        daemon.stop()
        shutil.rmtree(folder / "tokens")
    print("\ntokens of global   CPU us a message   seconds to start   bytes of memory a token")
    for row in rows:
        print("%16d %18.0f %18.2f %18.0f" % row)
    print("scoring with the most against the fewest: %.2f times" % (rows[-1][1] / rows[0][1]))
    return [Panel("Scoring and tokens", "tokens of the global store", "CPU us a message", True,
                  {"hamletd": [(r[0], r[1]) for r in rows]}),
            Panel("Start", "tokens of the global store", "seconds", True,
                  {"hamletd": [(r[0], r[2]) for r in rows]})]


def timed(daemon, user):
    message = make_message(7, size=4000)
    started = time.monotonic()
    score(daemon.socket, message, user)
    return 1000 * (time.monotonic() - started)


def by_users(folder, small):
    rows = []
    for users in (1_000, 10_000, 100_000):
        if small and users > 1_000:
            break
        daemon = make_daemon(folder / "users")
        fill(daemon.database, 2 * users, users)
        daemon.start()
        names = ["user%d@example.org" % n for n in
                 random.Random(1).sample(range(users), min(users, 2000))]
        nobody = [timed(daemon, "") for _ in range(500)]
        cold = [timed(daemon, name) for name in names]
        state = engine(daemon)
        warm = [timed(daemon, name) for name in names]
        heaviest = timed(daemon, "user0@example.org")
        rows.append((users, percentile(nobody, .5), percentile(nobody, .99),
                     percentile(warm, .5), percentile(warm, .99),
                     percentile(cold, .5), percentile(cold, .99), heaviest,
                     state["cached_bytes"] / max(state["cached_users"], 1)))
        daemon.stop()
        shutil.rmtree(folder / "users")
    print("\nms           nobody's       warm user's    first of a user    of 500 reports  bytes of"
          "\nusers     median    p99   median    p99   median    p99          (once)     a user")
    for row in rows:
        print("%6d %9.2f %6.2f %8.2f %6.2f %8.2f %6.2f %15.2f %10.0f" % row)
    return [Panel("Verdicts and users in the store", "users", "ms, p99", True, {
        "without a user": [(r[0], r[2]) for r in rows],
        "warm": [(r[0], r[4]) for r in rows],
        "the first of a user": [(r[0], r[6]) for r in rows]})]


def by_connections(folder, index):
    rows = []
    daemon = make_daemon(folder / "connections").start()
    load(daemon, "tell", 32, index[0])
    for connections in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        found = [load(daemon, "check", connections, index[0]) for _ in range(ROUNDS)]
        rows.append((connections,) + tuple(statistics.median(column) for column in zip(*found)))
    daemon.stop()
    print("\nconnections   messages/s   median ms   p99 ms")
    for row in rows:
        print("%11d %12.0f %11.2f %8.2f" % row)
    return [Panel("Connections", "at a time", "messages a second", True,
                  {"scored": [(r[0], r[1]) for r in rows]}),
            Panel("Waiting", "connections at a time", "ms", True, {
                "median": [(r[0], r[2]) for r in rows], "p99": [(r[0], r[3]) for r in rows]})]


def by_size(folder, small):
    rows = []
    daemon = make_daemon(folder / "size").start()
    for size in (1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000, 16_000_000):
        if small and size > 1_000_000:
            break
        words = random.Random(size)
        text = "\n".join(" ".join("w%d" % words.randrange(100_000) for _ in range(12))
                         for _ in range(size // 75))
        message = make_message(1, text)
        found = []
        for _ in range(ROUNDS):
            started = time.monotonic()
            score(daemon.socket, message)
            found.append(1000 * (time.monotonic() - started))
        rows.append((len(message), statistics.median(found)))
    daemon.stop()
    print("\nbytes of a message   ms a verdict   MB a second")
    for size, spent in rows:
        print("%18d %14.2f %13.1f" % (size, spent, size / spent / 1000))
    return [Panel("Size of a message", "bytes", "ms a verdict", True,
                  {"hamletd": rows})]


def by_reports(folder, index, small):
    """Learns the corpus again and again, each time for another user."""
    rows, learned = [], 0
    daemon = make_daemon(folder / "reports").start()
    lines = pathlib.Path(index[0]).read_text().splitlines()
    for number in range(2 if small else 10):
        done = spawn([BUILD / "tests" / "bench" / "bench_spamd", daemon.socket, "tell", "32",
                      index[0], "user%d" % number], capture_output=True, check=True)
        words = done.stdout.split()
        learned += len(lines)
        size = sum(os.stat(str(daemon.database) + end).st_size for end in ("", "-wal"))
        rows.append((learned, float(words[2]), float(words[4]), size / learned))
    daemon.stop()
    size = os.stat(daemon.database).st_size
    print("\nreports   durable/s   p99 ms   bytes on disk a report")
    for row in rows:
        print("%7d %11.0f %8.1f %12.0f" % row)
    print("after the last checkpoint: %.0f bytes a report, journal and global rows together"
          % (size / learned))
    return [Panel("Learning, durable", "reports learned", "reports a second", False,
                  {"32 connections": [(r[0], r[1]) for r in rows]}),
            Panel("Size of the database", "reports learned", "bytes a report", False,
                  {"with its log": [(r[0], r[3]) for r in rows]})]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("index", type=pathlib.Path)
    given = parser.parse_args()
    lines = [line.split() for line in given.index.read_text().splitlines()]
    with tempfile.TemporaryDirectory(prefix="hamlet-growth-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        listed = folder / "index"
        count = 300 if given.small else 2000
        listed.write_text("".join("%s %s\n" % (line[0], (given.index.parent / line[1]).resolve())
                                  for line in itertools.islice(itertools.cycle(lines), count)))
        index = (listed, count)
        panels = by_tokens(folder, index, given.small) + by_users(folder, given.small) + \
            by_connections(folder, index) + by_size(folder, given.small) + \
            by_reports(folder, index, given.small)
    if given.svg:
        write_panels(given.svg, panels)


if __name__ == "__main__":
    main()

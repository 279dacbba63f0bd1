#!/usr/bin/python3
# Hamlet - adaptive Bayesian spam learning engine
# SPDX-License-Identifier: Apache-2.0
"""What a retraining does to the error on mail that nothing has learned from: the corpus
is shuffled, nine tenths are learned online, the last tenth is measured, as it is and
after a retraining; and the same with wrong labels among those that are learned.

usage: HAMLET_BUILD=DIR held_out.py INDEX [SEED...]   (INDEX from scripts/corpus)"""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAMLET_BUILD", TOP / "build" / "plain"))
FIGURES = ("one_minus_roca_percent", "log_loss", "wrong", "calibration_error")


def evaluate(index, seed, *options):
    done = subprocess.run([BUILD / "hamlet-train", "evaluate", "--json", "--held-out", "10",
                           "--seed", str(seed), *options, index],
                          capture_output=True, check=True)
    found = json.loads(done.stdout)
    found["wrong"] = (found["ham"] * found["ham_lost_percent"] +
                      found["spam"] * found["spam_missed_percent"]) / 100
    return found


def main():
    index = pathlib.Path(sys.argv[1])
    lines = [line.split() for line in index.read_text().splitlines() if line.strip()]
    seeds = list(map(int, sys.argv[2:] or map(str, range(1, 11))))
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            shuffled = ["%s %s" % (line[0], (index.parent / line[1]).resolve()) for line in lines]
            random.Random(seed).shuffle(shuffled)
            path = pathlib.Path(folder) / "index"
            path.write_text("\n".join(shuffled) + "\n")
            for wrong in ("0", "5"):
                pair = [evaluate(path, seed, "--wrong-labels", wrong, *more)
                        for more in ((), ("--retrain",))]
                results.setdefault(wrong, []).append(pair)
    for wrong, pairs in results.items():
        print("%s %% wrong labels, %d shuffles" % (wrong, len(pairs)))
        for figure in FIGURES:
            before, after = ([each[i][figure] for each in pairs] for i in (0, 1))
            print("  %-24s %8.4f -> %8.4f   not worse in %d" % (
                figure, statistics.mean(before), statistics.mean(after),
                sum(b >= a - 1e-12 for b, a in zip(before, after))))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The nightly trainer beside a working daemon: nothing is lost, nothing waits, and
whatever is killed when, the rows stay the sum of what the reports add."""
import fcntl
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import threading
import time

import pytest

from conftest import BUILD, Threads, make_message, wait_until
from hamlet_client import ask, score, tell
from test_crash import journal_identities

KILLS = int(os.environ.get("HAMLET_KILLS", "6"))
SEED = int(os.environ.get("HAMLET_SEED", str(time.time_ns() % 1_000_000)))
WORDS = {True: "cheap pills without prescription order now",
         False: "the meeting about the project is on monday"}


def mail(number, spam):
    return make_message(number, "%s item%d" % (WORDS[spam], number % 17))


class Load(Threads):
    """Threads that report and ask; what went wrong is kept."""

    def __init__(self, path, first=100000):
        self.path, self.next, self.stop = path, first, threading.Event()
        self.lock = threading.Lock()
        self.acknowledged, self.failures, self.queries = {}, [], 0
        self.threads = [threading.Thread(target=self.report) for _ in range(3)] + [
            threading.Thread(target=self.query) for _ in range(2)]

    def report(self):
        while not self.stop.is_set():
            with self.lock:
                number = self.next
                self.next += 1
            user = "user%d" % (number % 20)
            try:
                answer = tell(self.path, "spam" if number % 2 else "ham",
                              mail(number, number % 2 == 1), user)
                self.acknowledged[number] = (user, answer["identity"])
            except (OSError, RuntimeError, ValueError) as error:
                self.failures.append(repr(error))

    def query(self):
        while not self.stop.is_set():
            try:
                score(self.path, mail(1, True), "user1")
                self.queries += 1
            except (OSError, RuntimeError, ValueError) as error:
                self.failures.append(repr(error))


def train(daemon, command="retrain", *options, code=0):
    """`code` may be several that are as good."""
    done = subprocess.run([BUILD / "hamlet-train", command, "--config", daemon.config, *options],
                          capture_output=True, timeout=120)
    assert done.returncode in (code if isinstance(code, tuple) else (code,)), (done.returncode, done.stdout, done.stderr)
    return (done.stdout + done.stderr).decode()


def assert_exact(daemon):
    """Of a stopped daemon: the bias row is the sum over the reports that count."""
    with sqlite3.connect("file:%s?mode=ro" % daemon.database, uri=True) as db:
        seq, bias, gain = struct.unpack("=qqq", db.execute(
            "SELECT value FROM meta WHERE name = 'checkpoint'").fetchone()[0])
        counting = ("FROM journal j LEFT JOIN retrained ON report = seq WHERE label <> 0 AND "
                    "NOT EXISTS (SELECT 1 FROM journal n WHERE n.user = j.user AND "
                    "n.message = j.message AND n.seq > j.seq)")
        expected = db.execute("SELECT max(seq), sum(ifnull(new_bias_sum, bias_sum)), "
                              "sum(ifnull(new_bias_gain, bias_gain)) " + counting).fetchone()
    assert (bias, gain) == expected[1:]
    assert seq >= expected[0]


@pytest.fixture
def site(make_daemon):
    daemon = make_daemon(default_consent="true", commit_delay=0).start()
    for number in range(600):
        spam = number % 3 == 0
        tell(daemon.socket, "spam" if spam else "ham", mail(number, spam), "user%d" % (number % 20))
    return daemon


def test_retrained_beside_queries_and_reports(site):
    before = score(site.socket, mail(1, True))["log_odds"]
    with Load(site.socket) as load:
        for number in range(1, 4):
            wait_until(lambda wanted=250 * number: len(load.acknowledged) > wanted, "new reports")
            assert "adopted: not worse" in train(site)
    assert load.failures == []
    assert load.queries > 100 and len(load.acknowledged) > 100
    assert score(site.socket, mail(1, True))["log_odds"] != before
    assert site.log_text().count("event=adopt ") == 3
    site.stop()
    assert_exact(site)
    kept = journal_identities(site.database)
    assert all(kept.get(each) == 1 for each in load.acknowledged.values())


def test_killed_at_any_moment_nothing_is_lost(site):
    print("seed", SEED)
    generator = random.Random(SEED)
    started = time.monotonic()
    train(site)
    usual = time.monotonic() - started
    acknowledged = {}
    for number in range(KILLS):
        with Load(site.socket, first=200000 + 100000 * number) as load:
            trainer = subprocess.Popen([BUILD / "hamlet-train", "retrain", "--quiet", "--config",
                                        site.config], stderr=subprocess.DEVNULL)
            time.sleep(generator.random() * usual * 1.2)
            if number % 2:
                trainer.kill()
            else:
                site.kill()
            trainer.wait(60)
        acknowledged.update(load.acknowledged)
        if number % 2 == 0:
            site.start()
        else:
            assert load.failures == []
        assert score(site.socket, mail(1, True))["spam"]
    train(site, code=(0, 3))  # too few new reports to compare on, perhaps
    site.stop()
    assert_exact(site)
    kept = journal_identities(site.database)
    assert all(kept.get(each) == 1 for each in acknowledged.values())


def test_the_daemon_need_not_run(site):
    before = score(site.socket, mail(1, True))["log_odds"]
    site.stop()
    assert "adopted" in train(site)
    assert_exact(site)
    site.start()
    assert score(site.socket, mail(1, True))["log_odds"] != before


def test_one_command_goes_back(site):
    messages = [mail(number, number % 2 == 0) for number in range(20)]
    before = [score(site.socket, each)["log_odds"] for each in messages]
    assert "there is no generation" in train(site, "rollback", code=1)
    train(site)
    after = [score(site.socket, each)["log_odds"] for each in messages]
    assert after != before
    train(site, "rollback")
    assert [score(site.socket, each)["log_odds"] for each in messages] == before
    train(site, "rollback")
    assert [score(site.socket, each)["log_odds"] for each in messages] == after


def test_two_databases_in_a_folder_are_strangers(site, make_daemon, tmp_path):
    other = make_daemon(default_consent="true", commit_delay=0).start()
    for number in range(600):  # what spam is here is ham there
        spam = number % 3 == 0
        tell(other.socket, "ham" if spam else "spam", mail(number, spam), "user%d" % (number % 20))
    site.stop()
    other.stop()
    first, second = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    shutil.copy(site.database, first)
    shutil.copy(other.database, second)

    def run(daemon, command, database, code=0):
        return train(daemon, command, "--database", str(database), code=code)

    def weights(database):
        with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as db:
            return db.execute("SELECT value FROM meta WHERE name = 'checkpoint'").fetchone()[0]

    before = weights(first)
    run(other, "retrain", second)
    assert {name.name for name in tmp_path.glob("*-generation-*")} == {
        "b.sqlite-generation-challenger", "b.sqlite-generation-previous"}
    assert "there is no generation" in run(site, "rollback", first, code=1)
    shutil.copy(str(second) + "-generation-previous", str(first) + "-generation-previous")
    assert "belongs to another database" in run(site, "rollback", first, code=1)
    assert weights(first) == before
    run(site, "retrain", first)
    assert weights(first) != before
    run(site, "rollback", first)
    assert weights(first) == before
    run(other, "rollback", second)
    # Nor does a daemon take what is not its own.
    site.start()
    scored = score(site.socket, mail(1, True))["log_odds"]
    shutil.copy(str(second) + "-generation-challenger", str(site.database) + "-generation-challenger")
    refused = ask(site.socket, "CALL", b'{"call": "adopt", "scope": "", "generation": "challenger"}')
    assert refused.code != 0 and "another database" in refused.status
    assert score(site.socket, mail(1, True))["log_odds"] == scored


def test_what_is_not_better_is_kept_aside(make_daemon, tmp_path):
    daemon = make_daemon(default_consent="true").start()
    assert "nothing to train" in train(daemon, code=3)
    for number in range(20):
        tell(daemon.socket, "spam" if number % 2 else "ham", mail(number, number % 2 == 1), "bob")
    before = score(daemon.socket, mail(1, True))["log_odds"]
    text = train(daemon, "retrain", "--json", str(tmp_path / "json"), code=3)
    assert "kept aside" in text and "too few" in text
    assert json.loads((tmp_path / "json").read_text())["adopted"] is False
    assert score(daemon.socket, mail(1, True))["log_odds"] == before
    assert "event=adopt " not in daemon.log_text()
    assert daemon.database.with_name("hamlet.sqlite-generation-challenger").exists()
    assert "kept aside" in train(daemon, "retrain", "--dry-run")


def test_a_new_site_has_nothing_to_train(make_daemon):
    """Night after night, which is no failure."""
    daemon = make_daemon().start()
    tell(daemon.socket, "spam", b"Subject: a\n\nprivate\n", "ann")
    assert "no report is shared" in train(daemon, code=3)
    assert train(daemon, "retrain", "--quiet", code=3) == ""


def test_a_page_that_cannot_be_written_is_told_before(site, tmp_path):
    done = subprocess.run([BUILD / "hamlet-train", "retrain", "--config", site.config, "--report",
                           tmp_path / "none" / "x.html"], capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 1 and b"No such file" in done.stderr
    assert "event=adopt" not in site.log_text()


def test_thresholds_are_proposed_and_laid_down_when_wanted(make_daemon, tmp_path):
    daemon = make_daemon(default_consent="true", commit_delay=0, ham_lost_target=1).start()
    facts = tmp_path / "json"

    def press(first, last):
        for number in range(first, last):
            spam = number % 3 == 0
            tell(daemon.socket, "spam" if spam else "ham", mail(number, spam),
                 "user%d" % (number % 20))

    def policies():
        reply = ask(daemon.socket, "CALL", b'{"call": "entries", "scope": "", "kind": "policy"}')
        return {entry["name"]: float(entry["value"]) for entry in reply.json["entries"]}

    press(0, 900)
    assert "proposed" in train(daemon, "retrain", "--validation", "0.5", "--json", str(facts))
    proposal = json.loads(facts.read_text())["proposal"]
    assert proposal["laid_down"] is False and policies() == {}
    assert proposal["present"]["junk_score"] == 5 and proposal["present"]["score_scale"] == 3
    daemon.write_config(adopt_thresholds="true")
    daemon.process.send_signal(1)
    before = score(daemon.socket, mail(1, True))
    assert "0 new reports" in train(daemon, code=3)  # those before have taught already
    press(900, 1300)
    train(daemon, "retrain", "--json", str(facts))
    assert json.loads(facts.read_text())["compared"] == 400
    proposal = json.loads(facts.read_text())["proposal"]
    assert proposal["laid_down"] is True
    proposed = proposal["proposed"]
    assert 2 <= proposed["junk_score"] <= 10 <= proposed["reject_score"]
    assert proposed["ham_lost_percent"] <= 1
    laid = policies()
    assert laid["junk-score"] == proposed["junk_score"]
    assert abs(laid["score-scale"] - proposed["score_scale"]) < 0.001
    after = score(daemon.socket, mail(1, True))
    assert after["threshold"] == proposed["junk_score"] != before["threshold"]
    # The next one begins with what is in force; without hamletd it works as well.
    press(1300, 1700)
    daemon.stop()
    train(daemon, "retrain", "--json", str(facts))
    again = json.loads(facts.read_text())["proposal"]
    assert again["present"]["junk_score"] == proposed["junk_score"] and again["laid_down"]
    assert abs(again["present"]["score_scale"] - proposed["score_scale"]) < 0.001


def test_two_at_once_are_refused(site):
    with open(str(site.database) + "-retrain-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another retraining" in train(site, code=1)
    train(site)


def test_a_reporter_who_is_wrong_teaches_nobody(site):
    for number in range(20, 50):  # what everybody else says is the opposite
        spam = number % 3 == 0
        tell(site.socket, "ham" if spam else "spam", mail(number, spam), "liar")
    train(site)
    entries = json.loads(ask(site.socket, "CALL", b'{"call": "entries", "scope": "liar"}').body)
    errors = [float(e["value"]) for e in entries["entries"] if e["kind"] == "reputation"]
    assert errors and errors[0] > 0.4
    honest = json.loads(ask(site.socket, "CALL", b'{"call": "entries", "scope": "user1"}').body)
    assert [float(e["value"]) < 0.12 for e in honest["entries"] if e["kind"] == "reputation"] == [True]
    refused = ask(site.socket, "CALL", b'{"call": "change", "scope": "liar", "entries": '
                  b'[{"kind": "reputation", "name": "", "value": "0.01"}]}')
    assert refused.code != 0 and "trainer" in refused.status


@pytest.mark.skipif(not shutil.which("chromedriver"), reason="no Chromium")
def test_the_page_for_people(site, tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver")
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    train(site, "retrain", "--report", str(page), "--json", str(data))
    facts = json.loads(data.read_text())
    assert facts["adopted"] and facts["reports"] == 600 and facts["spam"] == 200
    assert set(facts["measures"]) == {
        "log_loss", "ham_lost_percent", "spam_missed_percent", "one_minus_roca_percent"}
    text = page.read_text()
    assert not re.search(r"(src|href)=['\"](?!data:)", text)
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=900,3600",
                   "--disable-dev-shm-usage"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options)
    try:
        browser.get(page.as_uri())
        browser.save_screenshot(str(tmp_path / "report.png"))
        drawn = browser.execute_script(
            "return Array.from(document.querySelectorAll('svg')).map("
            "s => [s.getBoundingClientRect().width, s.querySelectorAll('path,rect,circle').length])")
        assert len(drawn) >= 6 and all(width > 300 and shapes > 3 for width, shapes in drawn)
        assert "Adopted" in browser.find_element("tag name", "body").text
        assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert [line for line in browser.get_log("browser")] == []
    finally:
        browser.quit()

# SPDX-License-Identifier: Apache-2.0
"""What a soak test does to hamletd: clients of all protocols, an administrator, trainers
and reloads, all at once; and the ledger of what was acknowledged."""
import collections
import json
import random
import re
import signal
import subprocess
import threading
import time

from conftest import BUILD, Threads, make_message
from hamlet_client import TELL, ask, connect
from http_client import UnixConnection, ask as http_ask, http_socket
from milter_client import Milter
from test_feedback import newsletter

PATIENCE = 300  # an erasure waits for readers, and a sanitizer makes all slow
USERS = ["user%d" % n + domain for n in range(8) for domain in ("", "@one.example", "@two.example")]
LEAVING = USERS[:6]  # who is erased now and then
WAVERING = USERS[4:12]  # whose consent comes and goes
WORDS = ("the meeting about the project is on monday", "cheap pills without prescription")
WORK = {"spamd": 3, "http": 2, "milter": 1, "changes": 1, "erasures": 1}


class Ledger:
    """What the daemon has acknowledged; filled by all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()    # operations by name
        self.outcomes = collections.Counter()  # of presses
        self.reports = {}    # seq -> (user, identity, label, time of the answer)
        self.erasures = []   # (user, when it was asked for, when it was done)
        self.erased = 0      # reports, by receipts
        self.unreceipted = 0  # erasures that were made, but gave no receipt
        self.failures = []

    def count(self, name, number=1):
        with self.lock:
            self.counts[name] += number

    def fail(self, what):
        with self.lock:
            self.failures.append(what)

    def press(self, user, answer):
        now = time.monotonic()
        with self.lock:
            self.outcomes[answer["outcome"]] += 1
            if answer["seq"] > 0:
                if answer["seq"] in self.reports:
                    self.failures.append("report %d was given twice" % answer["seq"])
                self.reports[answer["seq"]] = (user, answer["identity"], answer["label"], now)

    def erasure(self, user, since, reports):
        now = time.monotonic()
        with self.lock:
            self.erasures.append((user, since, now))
            self.erased += reports


class Client:
    """Part of the load that has random numbers of its own. Subclasses do one thing in
    `step`; what goes wrong is a failure of the test, and the client goes on."""

    def __init__(self, daemon, ledger, seed):
        self.daemon, self.ledger = daemon, ledger
        self.random = random.Random(seed)
        self.fresh = self.random.randrange(1 << 30)

    def run(self, stop):
        while not stop.is_set():
            try:
                self.step()
            except Exception as error:  # whatever it is, the test is to tell of it
                self.ledger.fail("%s: %r" % (type(self).__name__, error))
                self.close()
            stop.wait(self.random.random() * 0.02)
        self.close()

    def close(self):
        pass

    def user(self):
        return self.random.choice(USERS) if self.random.random() < 0.95 else ""

    def message(self, spam=None):
        """Half of them have been seen before; some are of a trusted sender."""
        spam = self.random.random() < 0.5 if spam is None else spam
        number = self.random.randrange(200)
        if self.random.random() < 0.5:
            self.fresh += 1
            number = self.fresh
        if self.random.random() < 0.05:
            return newsletter(number)
        number = 2 * number + spam
        text = " ".join("own%d" % ((number * 37 + i) % 100000) for i in range(number % 60))
        return make_message(number, WORDS[spam] + " " + text,
                            size=self.random.choice((0, 0, 0, 5000)))

    def context(self, user):
        consent = self.random.random()
        if consent < 0.1:
            return {"consent": "granted"}
        return {"consent": "declined"} if consent < 0.2 and user in WAVERING else {}

    def undo(self, press):
        """Into Junk and, within the minute, back again."""
        user, message = self.user(), self.message(True)
        for source, target in (("inbox", "junk"), ("junk", "inbox")):
            press(user, message, {"kind": "move", "from": source, "to": target})
        self.ledger.count("undone")

    def press_one(self, press):
        spam, wrong = self.random.random() < 0.5, self.random.random() < 0.05
        user, message = self.user(), self.message(spam)
        label = "spam" if spam != wrong else "ham"
        if self.random.random() < 0.1:
            label = "forget"
        press(user, message, None, label)
        if self.random.random() < 0.1:
            press(user, message, None, "ham" if label == "spam" else "spam")

    def choose(self, works):
        """One of [(weight, work)]."""
        weights = [weight for weight, _ in works]
        self.random.choices([work for _, work in works], weights)[0]()


class Spamd(Client):
    def request(self, command, message=b"", user="", headers=(), **options):
        reply = ask(self.daemon.socket, command, message, user, headers, timeout=PATIENCE, **options)
        self.ledger.count("spamd " + command)
        if reply.code != 0:
            raise RuntimeError(command + ": " + reply.status)
        return reply

    def press(self, user, message, event=None, label=""):
        context = self.context(user)
        if event:
            context["event"] = event
        headers = TELL.get(label, ()) + (("Context: " + json.dumps(context),) if context else ())
        self.ledger.press(user, self.request("TELL", message, user, headers).json)

    def scan(self):
        command = self.random.choice(("CHECK", "REPORT", "SYMBOLS", "PROCESS", "HEADERS"))
        self.request(command, self.message(), self.user(), as_json=False)

    def scan_for_many(self):
        recipients = self.random.sample(USERS, self.random.randint(2, 12))
        reply = self.request("CHECK", self.message(), "", (
            "Context: " + json.dumps({"recipients": recipients}),))
        if [verdict["user"] for verdict in reply.json["recipients"]] != recipients:
            self.ledger.fail("verdicts of other recipients")

    def look(self):
        user = self.random.choice(USERS)
        for name in ("entries", "policy", "export"):
            self.request("CALL", json.dumps({"call": name, "scope": user}).encode())
        self.request("DIAGNOSE", self.message(), user)
        self.request("STATS")

    def hang_up(self):
        with connect(self.daemon.socket) as connection:
            message = self.message()
            connection.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(message) +
                               message[:self.random.randint(1, len(message))])
        self.ledger.count("spamd hung up")

    def step(self):
        self.choose([(8, lambda: self.press_one(self.press)), (1, lambda: self.undo(self.press)),
                     (6, self.scan), (3, self.scan_for_many), (0.5, self.look),
                     (0.5, self.hang_up)])


class Http(Client):
    connection = None

    def request(self, method, path, body=None, codes=(200,), **parameters):
        if not self.connection:
            self.connection = UnixConnection(http_socket(self.daemon), PATIENCE)
        answer = http_ask(self.connection, method, path, body, **parameters)
        self.ledger.count("http " + path)
        if answer.code not in codes:
            raise RuntimeError("%s: %d %r" % (path, answer.code, answer.body))
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def press(self, user, message, event=None, label=None):
        parameters = self.context(user)
        if event:
            parameters.update({"event": event["kind"], "from": event["from"], "to": event["to"]})
        if label:
            parameters["label"] = label
        self.ledger.press(user, self.request("POST", "/v1/report", message, user=user,
                                             **parameters).json)

    def scan(self):
        users = self.random.sample(USERS, self.random.choice((1, 1, 5)))
        self.request("POST", self.random.choice(("/v1/score", "/v1/why")), self.message(),
                     user=users)

    def rspamd(self):
        self.request("POST", "/checkv2", self.message())

    def look(self):
        self.request("GET", "/metrics")
        self.request("GET", "/v1/stats")
        self.request("GET", "/v1/export", user=self.random.choice(USERS))
        if self.random.random() < 0.2:
            self.close()

    def step(self):
        self.choose([(8, lambda: self.press_one(self.press)), (1, lambda: self.undo(self.press)),
                     (8, self.scan), (1, self.rspamd), (0.5, self.look)])


class MailServer(Client):
    connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def step(self):
        if not self.connection:
            self.connection = Milter(self.daemon.folder / "run" / "milter.sock", PATIENCE)
        recipients = self.random.sample(USERS, self.random.randint(1, 8))
        command, data, inserted = self.connection.judge(
            self.message(), "sender%d@example.com" % self.random.randrange(7), recipients)
        self.ledger.count("milter " + command.decode())
        if command not in (b"a", b"y") or (command == b"a" and not inserted):
            self.ledger.fail("milter: %r %r" % (command, data))
        if self.random.random() < 0.05:
            self.close()


class Changes(Http):
    """Consent, lists, trusted senders and policies, of users, domains and the site."""

    def consent(self):
        answer = self.random.choice(("granted", "granted", "declined", "withdrawn"))
        self.request("POST", "/v1/consent", user=self.random.choice(WAVERING), answer=answer)
        self.ledger.count("consent " + answer)

    def entries(self):
        scope = self.random.choice(USERS + ["", "@one.example", "@two.example"])
        entries = [{"kind": "list", "name": "sender%d@example.com" % self.random.randrange(7),
                    "value": self.random.choice(("block", "allow", None, None))},
                   {"kind": "policy", "name": "junk-score",
                    "value": self.random.choice(("4", "6", None))},
                   {"kind": "policy", "name": "spam-action",
                    "value": self.random.choice(("reject", "junk", "tag", None))}]
        if scope == "":
            entries.append({"kind": "trust", "name": "shop.example",
                            "value": self.random.choice(("trusted", "trusted", None))})
        self.request("POST", "/v1/entries", json.dumps(entries), scope=scope)

    def step(self):
        self.choose([(3, self.consent), (2, self.entries)])


class Erasures(Http):
    def step(self):
        user, since = self.random.choice(LEAVING), time.monotonic()
        answer = self.request("POST", "/v1/erase", user=user, codes=(200, 503))
        if answer.code == 200:
            self.ledger.erasure(user, since, answer.json["reports"])
        else:  # gone, but the files could not be rewritten: somebody reads an old state
            self.ledger.erasure(user, since, 0)
            self.ledger.count("erasures without receipt")
            self.ledger.unreceipted += 1
        time.sleep(self.random.random() * 2)


class Trainer(Client):
    """Programs beside the daemon. What they may answer is named."""
    MAY_FAIL = re.compile("there is no generation|nothing to train|is being adopted|"
                          "reports were taken out")

    def train(self, *words):
        done = subprocess.run([BUILD / "hamlet-train", words[0], "--config", self.daemon.config,
                               *words[1:]], capture_output=True, timeout=PATIENCE)
        text = (done.stdout + done.stderr).decode(errors="replace")
        self.ledger.count("%s %d" % (words[0], done.returncode))
        refused = self.MAY_FAIL.search(text) if done.returncode == 1 else None
        if refused:
            self.ledger.count("%s refused: %s" % (words[0], refused.group(0)))
        elif done.returncode == 0 and words[0] != "expire":
            self.ledger.count("adopted")
        elif done.returncode not in (0, 3):
            self.ledger.fail("%s: %d %s" % (words[0], done.returncode, text))

    def step(self):
        self.train("retrain")


class Operator(Trainer):
    def step(self):
        self.train(self.random.choice(("rollback", "expire")))
        time.sleep(self.random.random() * 2)


class Reloads(Client):
    """Other settings, all of them such that a report stays acknowledged."""
    CHOICES = {
        "threshold": (4, 5, 6), "junk_probability": (0.8, 0.9, 0.95),
        "label_error": (0.05, 0.12, 0.3), "default_consent": ("true", "false"),
        "user_reports": (20, 100, 500), "user_cache_bytes": ("1M", "256M"),
        "retention_reports": (0, 60, 300), "commit_delay": (0, 5, 20),
        "commit_reports": (1, 20, 200), "checkpoint_tokens": (1000, 200000),
        "log_level": ("debug", "info", "warning"), "log_users": ("true", "false"),
        "own_threshold_shift": (0, 3), "mass_selection": (1, 50),
        "adopt_thresholds": ("true", "false"), "spam_action": ("junk", "reject", "tag"),
        "max_message_bytes": ("1M", "32M"), "on_failure": ("accept", "tempfail"),
    }

    def step(self):
        keys = self.random.sample(sorted(self.CHOICES), 5)
        self.daemon.write_config(**{key: self.random.choice(self.CHOICES[key]) for key in keys})
        self.daemon.process.send_signal(signal.SIGHUP)
        self.ledger.count("reloads")
        time.sleep(0.2 + self.random.random())


class Load(Threads):
    """All of it, in threads."""

    def __init__(self, daemon, seed):
        self.ledger, self.stop = Ledger(), threading.Event()
        kinds = {"spamd": Spamd, "http": Http, "milter": MailServer, "changes": Changes,
                 "erasures": Erasures}
        clients = [kinds[name] for name, count in WORK.items() for _ in range(count)]
        clients += [Trainer, Operator, Reloads]
        self.threads = [
            threading.Thread(target=kind(daemon, self.ledger, "%d %d" % (seed, number)).run,
                             args=(self.stop,))
            for number, kind in enumerate(clients)]

# SPDX-License-Identifier: Apache-2.0
"""One person is one user however the address is written, in every protocol; and no
recipient's spelling keeps a message from being judged."""
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import urllib.parse

import pytest

from conftest import BUILD, let_in, wait_until
from hamlet_client import Reply, ask, exchange, score, tell
from http_client import ask as ask_http, http_socket, once
from milter_client import Milter

BOB = ["bob@example.org", "BOB@example.org", "bob@Example.ORG", "<Bob@example.org>",
       "bob+list@example.org", "bob+%s@example.org" % ("x" * 300), '"bob"@example.org',
       "@relay.example:bob@example.org", "<@a.example,@b.example:BOB+x@example.org>"]

# What can be looked up for nobody, as the bytes that a sender chooses.
NOBODY = [b"%s@example.org" % (b"l" * 300), b"b\x01ob@example.org", b"b\x7fob@example.org",
          b"b\xffob@example.org", b'"@x"@example.org', b"@example.org", b"@", b"<>",
          b"@a.example:", b'"bob@example.org', b"bob@", b"bob@exam ple.org"]

SPAM, HAM = "pills casino winner", "meeting minutes agenda"


def call(daemon, code=0, **members):
    reply = ask(daemon.socket, "CALL", json.dumps(members).encode())
    assert reply.code == code, reply.status
    return reply.json if code == 0 else reply.status


def block(daemon, scope, name="stalker@example.net"):
    call(daemon, call="change", scope=scope,
         entries=[{"kind": "list", "name": name, "value": "block"}])


@pytest.fixture
def taught(daemon, message):
    """Everybody knows what spam is; bob has pressed Spam on one good message."""
    for number in range(60):
        tell(daemon.socket, "spam" if number % 2 else "ham",
             message(number, SPAM if number % 2 else HAM))
    tell(daemon.socket, "spam", message(900, HAM), "bob@example.org")
    return daemon


# --- One person ---------------------------------------------------------------------

def verdict_of_spamd(daemon, mail, user):
    return score(daemon.socket, mail, user)["spam"]


def verdict_of_exims_variant(daemon, mail, user):
    head = "CHECK RSPAMC/1.3\r\nRcpt: %s\r\nContent-length: %d\r\n\r\n" % (user, len(mail))
    raw = exchange(daemon.socket, head.encode() + mail)
    assert raw.startswith(b"RSPAMD/1.3 0 EX_OK"), raw
    return b"default; True;" in raw


def verdict_of_context(daemon, mail, user):
    header = "Context: " + json.dumps({"recipients": [user]})
    return ask(daemon.socket, "CHECK", mail, headers=[header]).json["spam"]


def verdict_of_http(daemon, mail, user):
    return once(daemon, "POST", "/v1/score", mail, user=user).json["spam"]


def verdict_of_rspamd(daemon, mail, user):
    answer = once(daemon, "POST", "/checkv2", mail, {"Rcpt": user})
    return answer.json["action"] != "no action"


def verdict_of_milter(daemon, mail, user):
    milter = Milter(daemon.folder / "run" / "milter.sock")
    _, _, fields = milter.judge(mail, "sender@example.com", [user.strip("<>")])
    milter.close()
    return fields["X-Spam-Status"].startswith("Yes")


PROTOCOLS = [verdict_of_spamd, verdict_of_exims_variant, verdict_of_context, verdict_of_http,
             verdict_of_rspamd, verdict_of_milter]


@pytest.mark.parametrize("verdict", PROTOCOLS)
def test_every_spelling_is_the_person(taught, message, verdict):
    for user in BOB:
        assert verdict(taught, message(900, HAM), user), user
    assert not verdict(taught, message(900, HAM), "eve@example.org")


@pytest.mark.parametrize("spelling", BOB)
def test_what_one_spelling_lays_down_holds_for_the_person(daemon, message, spelling):
    mail = message(5).replace(b"sender5@example.com", b"stalker@example.net")
    block(daemon, spelling)
    assert tell(daemon.socket, "spam", message(1), spelling)["outcome"] == "new"
    assert tell(daemon.socket, "spam", message(1), "bob@example.org")["outcome"] == "repeat"
    assert score(daemon.socket, mail, "bob@example.org")["spam"]
    exported = call(daemon, call="export", user=spelling)
    assert exported["scope"] == "bob@example.org"
    assert len(exported["reports"]) == len(exported["entries"]) == 1
    assert call(daemon, call="erase", user=spelling)["reports"] == 1
    assert call(daemon, call="export", user="bob@example.org")["reports"] == []
    assert not score(daemon.socket, mail, "bob@example.org")["spam"]


def test_domains_have_one_form(daemon, message):
    mail = message(5).replace(b"sender5@example.com", b"stalker@example.net")
    block(daemon, "@B\u00fccher.Example")
    for user in ("bob@b\u00fccher.example", "bob@B\u00dcCHER.example", "bob@xn--bcher-kva.example",
                 "bob@XN--BCHER-KVA.example."):
        assert score(daemon.socket, mail, user)["spam"], user
    entries = call(daemon, call="entries", scope="@xn--bcher-kva.example")["entries"]
    assert [entry["name"] for entry in entries] == ["stalker@example.net"]


def test_settings_say_whose_names_differ(make_daemon, message):
    daemon = make_daemon(user_case="keep", recipient_delimiter="-_").start()
    tell(daemon.socket, "spam", message(1), "Bob-lists@example.org")
    spam = {user: score(daemon.socket, message(1), user)["spam"] for user in (
        "Bob@example.org", "Bob_x@EXAMPLE.org", "bob@example.org", "Bob+x@example.org")}
    assert spam == {"Bob@example.org": True, "Bob_x@EXAMPLE.org": True,
                    "bob@example.org": False, "Bob+x@example.org": False}


def test_a_login_is_its_own_user(make_daemon, message):
    daemon = make_daemon(socket_mode="0666")
    let_in(daemon.folder)
    daemon.start()
    (daemon.folder / "run").chmod(0o755)
    if os.geteuid() != 0:
        pytest.skip("needs root")

    def as_nobody(user):
        head = "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\nUser: %s\r\n" \
            "Content-length: %d\r\n\r\n" % (user, len(message(1)))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setuid(65534)
                os.write(writer, exchange(daemon.socket, head.encode() + message(1))[:2000])
            finally:
                os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as pipe:
            return Reply(pipe.read()).code
    assert [as_nobody(user) for user in ("nobody", "Nobody+x", '"NOBODY"')] == [0, 0, 0]
    assert [as_nobody(user) for user in ("bob", "nobody@example.org", "+", "<>")] == [77, 77, 77, 65]


# --- Nobody ----------------------------------------------------------------------------

def everybodys(daemon, mail):
    return score(daemon.socket, mail)["score"]


@pytest.mark.parametrize("name", NOBODY + [b"b\0ob@example.org"])
def test_nobody_is_judged(taught, message, name):
    spam, mail = message(901, SPAM), message(900, HAM)
    for text in (spam, mail):
        expected = everybodys(taught, text)
        head = b"CHECK SPAMC/1.5\r\nAccept: application/json\r\nUser: %s\r\n" \
            b"Content-length: %d\r\n\r\n" % (name, len(text))
        assert Reply(exchange(taught.socket, head + text)).json["score"] == expected
        head = b"CHECK RSPAMC/1.3\r\nRcpt: <bob@example.org>\r\nRcpt: <%s>\r\n" \
            b"Content-length: %d\r\n\r\n" % (name, len(text))
        raw = exchange(taught.socket, head + text)
        assert raw.startswith(b"RSPAMD/1.3 0 EX_OK"), raw
        assert b"; %.1f / " % expected in raw or b"; True; " in raw
        path = "/v1/score?user=" + urllib.parse.quote_from_bytes(name)
        answer = once(taught, "POST", path, text)
        assert answer.code == 200 and answer.json["score"] == expected
        answer = once(taught, "POST", path + "&user=eve%40example.org", text)
        assert answer.code == 200 and len(answer.json["recipients"]) == 2
    assert "event=recipient-is-nobody" in taught.log_text()
    assert name not in taught.log.read_bytes().replace(b"<>", b"") or name in (b"<>", b"@")


def over_milter(daemon, mail, *names):
    milter = Milter(daemon.folder / "run" / "milter.sock")

    class Raw(bytes):
        def encode(self):
            return self
    command, _, fields = milter.judge(mail, "sender@example.com", [Raw(name) for name in names])
    milter.close()
    return command, fields["X-Spam-Status"][:3]


def test_nobody_is_judged_over_the_milter(taught, message):
    for name in [name for name in NOBODY if name != b"<>"] + [b"r" * 5000]:
        for others in ([], [b"eve@example.org"]):
            assert over_milter(taught, message(901, SPAM), *others, name) == (b"a", "Yes"), name
            assert over_milter(taught, message(902, HAM), *others, name) == (b"a", "No,"), name
    assert "event=recipient-is-nobody command=milter" in taught.log_text()


def test_nobody_is_judged_over_rspamds_paths(taught, message):
    for name in NOBODY:
        if b"\x01" in name or b"\x7f" in name:
            continue  # Python's client sends none
        for recipients in ([name], [b"eve@example.org", name]):
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.connect(str(http_socket(taught)))
            connection.putrequest("POST", "/checkv2")
            for recipient in recipients:
                connection.putheader("Rcpt", recipient)
            body = message(901, SPAM)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            assert answer.status == 200, name
            assert json.loads(answer.read())["action"] == "add header", name
            connection.close()


def test_a_context_quotes_bytes_as_they_came(taught, message):
    header = b'Context: {"recipients": ["eve@example.org", "b\xffob@example.org", "b\\u0001"]}'
    mail = message(901, SPAM)
    raw = exchange(taught.socket, b"CHECK SPAMC/1.5\r\nAccept: application/json\r\n" + header +
                   b"\r\nContent-length: %d\r\n\r\n" % len(mail) + mail)
    answer = Reply(raw).json
    assert answer["spam"] and [one["user"] for one in answer["recipients"]] == [
        "eve@example.org", "", ""]


def test_nothing_is_learned_or_kept_for_nobody(daemon, message):
    for name in NOBODY + [b"b\0ob@example.org"]:
        text = message(1)
        raw = exchange(daemon.socket, b"TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\n"
                       b"User: %s\r\nContent-length: %d\r\n\r\n" % (name, len(text)) + text)
        assert Reply(raw).code == 65 and b"nobody's name" in raw, (name, raw)
        quoted = urllib.parse.quote_from_bytes(name)
        for method, path in (("POST", "/v1/report?label=spam"), ("GET", "/v1/export?"),
                             ("POST", "/v1/erase?"), ("GET", "/v1/policy?")):
            answer = once(daemon, method, path + "&user=" + quoted, text)
            domain = name == b"@example.org" and path.startswith("/v1/export")
            wanted = 200 if domain else 400
            assert answer.code == wanted, (name, path, answer.body)
    answer = once(daemon, "POST", "/learnspam", message(1), {"Rcpt": "@example.org"})
    assert answer.code == 400 and "nobody's name" in answer.json["error"]
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        assert database.execute("SELECT count(*) FROM journal").fetchone() == (0,)


# --- Whom the operator stops -----------------------------------------------------------------

def test_an_operator_stops_a_reporter(make_daemon, message, tmp_path):
    token = tmp_path / "token"
    token.write_text("not-a-secret-0123456789\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = make_daemon(listen_http="127.0.0.1:%d" % port, http_token_file=token).start()

    def as_webmail(method, path, body=None, **parameters):
        return ask_http(http.client.HTTPConnection("127.0.0.1", port, timeout=30), method, path,
                        body, {"Authorization": "Bearer not-a-secret-0123456789"}, **parameters)

    def press(number, consent="granted"):
        return as_webmail("POST", "/v1/report", message(number), user="Mallory", label="spam",
                          consent=consent).json

    def answer(word):
        return as_webmail("POST", "/v1/consent", user="mallory", answer=word).code

    assert press(1)["taught_global"]
    assert answer("declined") == 200
    assert press(2)["taught_global"]  # the person has changed their mind
    call(daemon, call="change", user="mallory",
         entries=[{"kind": "consent", "name": "", "value": "declined"}])
    assert score(daemon.socket, message(1))["known"] == 0  # withdrawn
    for number in (3, 4):
        pressed = press(number)
        assert not pressed["taught_global"] and pressed["consent"] == "known"
    assert call(daemon, call="policy", user="mallory")["consent"] == "barred"
    assert [answer(word) for word in ("granted", "declined", "withdrawn")] == [403] * 3
    entry = json.dumps([{"kind": "consent", "name": "", "value": "barred"}])
    assert as_webmail("POST", "/v1/entries", entry, scope="eve").code == 403
    daemon.stop()
    daemon.start()
    assert not press(5)["taught_global"]
    assert score(daemon.socket, message(5), "mallory")["spam"]  # their own filter learns
    call(daemon, call="change", user="mallory",
         entries=[{"kind": "consent", "name": "", "value": None}])
    assert press(6)["taught_global"]


# --- A database with other spellings --------------------------------------------------------

def reports(daemon):
    with sqlite3.connect(daemon.database) as database:
        return database.execute(
            "SELECT CAST(name AS TEXT), count(*) FROM journal JOIN user ON user = id "
            "WHERE name <> x'' GROUP BY name ORDER BY name").fetchall()


def assert_exact(daemon):
    done = subprocess.run([BUILD / "tests/check/check_database", daemon.database],
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_an_older_database_is_made_one_of_users(make_daemon, message):
    daemon = make_daemon(user_case="keep", recipient_delimiter="").start()
    for number in range(40):
        tell(daemon.socket, "spam" if number % 2 else "ham",
             message(number, SPAM if number % 2 else HAM))
    granted = ("Message-class: spam", "Set: local", 'Context: {"consent":"granted"}')
    for number, user in enumerate(("bob@example.org", "BOB@example.org", "bob+x@example.org")):
        assert ask(daemon.socket, "TELL", message(900, HAM), user, granted).code == 0
        tell(daemon.socket, "spam", message(910 + number, HAM), user)
        block(daemon, user, "stalker%d@example.net" % number)
    tell(daemon.socket, "ham", message(900, HAM), "bob@example.org")  # the newest word
    before = score(daemon.socket, message(950, HAM))
    daemon.stop()
    assert [count for _, count in reports(daemon)] == [2, 2, 3]

    daemon.write_config(user_case="fold", recipient_delimiter="+")
    daemon.start()
    log = daemon.log_text()
    assert "event=users-renamed looked_at=" in log and "renamed=2 reports=4" in log
    copies = list(daemon.database.parent.glob("hamlet.sqlite.before-names-*"))
    assert len(copies) == 1 and str(copies[0]) in log
    assert copies[0].stat().st_mode & 0o777 == 0o600
    for user in ("bob@example.org", "BOB+y@Example.org"):
        assert not score(daemon.socket, message(900, HAM), user)["spam"]
        for number in range(3):
            assert score(daemon.socket, message(910 + number, HAM), user)["spam"]
            mail = message(5).replace(b"sender5@example.com", b"stalker%d@example.net" % number)
            assert score(daemon.socket, mail, user)["spam"]
    assert tell(daemon.socket, "ham", message(900, HAM), "bob@example.org")["outcome"] == "repeat"
    assert score(daemon.socket, message(950, HAM))["score"] < before["score"]  # two spam presses less
    daemon.stop()
    assert reports(daemon) == [("bob@example.org", 7)]
    assert_exact(daemon)

    daemon.start()
    daemon.stop()
    assert daemon.log_text().count("event=users-renamed") == 1
    done = subprocess.run([BUILD / "hamlet-train", "import", "--database", daemon.database,
                           "--config", daemon.config, "--user", "Bob@EXAMPLE.org", "--spam",
                           os.devnull], capture_output=True, timeout=60)
    assert done.returncode != 2, done.stderr


def test_who_imports_by_other_rules_is_told(make_daemon, message, tmp_path):
    daemon = make_daemon(user_case="keep").start()
    daemon.stop()
    (tmp_path / "mail").write_bytes(message(1))
    other = make_daemon()
    done = subprocess.run([BUILD / "hamlet-train", "import", "--database", daemon.database,
                           "--config", other.config, "--spam", tmp_path / "mail"],
                          capture_output=True, timeout=60)
    assert done.returncode == 1 and b"user-case" in done.stderr, done.stderr
    done = subprocess.run([BUILD / "hamlet-train", "import", "--config", daemon.config, "--user",
                           "<Bob+x@Example.org>", "--spam", tmp_path / "mail"],
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert reports(daemon) == [("Bob@example.org", 1)]


def test_a_renaming_that_is_killed_goes_on(make_daemon, message):
    """A thousand users, killed while they are renamed, twice."""
    daemon = make_daemon(user_case="keep").start()
    tell(daemon.socket, "spam", message(1), "First")
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        database.executemany("INSERT INTO user (name) VALUES (?)",
                             [(b"User%05d" % number,) for number in range(3000)])
        columns = [row[1] for row in database.execute("PRAGMA table_info(journal)")
                   if row[1] not in ("seq", "user")]
        database.execute(
            "INSERT INTO journal (user, %s) SELECT id, %s FROM user, journal WHERE name LIKE 'User%%'"
            % (", ".join(columns), ", ".join("journal." + column for column in columns)))
    daemon.write_config(user_case="fold")

    def renamed():
        with sqlite3.connect(daemon.database) as database:
            return database.execute(
                "SELECT count(*) FROM user WHERE name >= x'75' AND name < x'76'").fetchone()[0]
    for _ in range(2):
        before = renamed()
        daemon.spawn()
        wait_until(lambda: renamed() > before, "some are renamed")
        daemon.kill()
    daemon.start()
    daemon.stop()
    assert renamed() == 3000
    assert_exact(daemon)


def test_what_cannot_be_renamed_keeps_nobody_out(make_daemon, message):
    daemon = make_daemon(user_case="keep").start()
    tell(daemon.socket, "spam", message(1), "Bob")
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        database.execute("INSERT INTO user (name) VALUES (zeroblob(300))")
    daemon.write_config(user_case="fold")
    daemon.start()
    assert "event=users-not-renamed" in daemon.log_text()
    assert ask(daemon.socket, "CHECK", message(1), "Bob").code == 0
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        database.execute("DELETE FROM user WHERE length(name) = 300")
    daemon.start()
    assert score(daemon.socket, message(1), "Bob")["spam"]


# --- A schema of before -----------------------------------------------------------------------

def test_a_migration_is_told_and_a_copy_kept(daemon, message):
    tell(daemon.socket, "spam", message(1), "bob")
    daemon.stop()
    with sqlite3.connect(daemon.database) as database:
        database.executescript("DROP TABLE retrained; DROP TABLE token_next;"
                               "DROP TABLE retrained_next; PRAGMA user_version = 2;")
    daemon.start()
    copy = daemon.database.parent / "hamlet.sqlite.before-3"
    assert "event=database-migrated from=2 to=3 copy=%s" % copy in daemon.log_text()
    with sqlite3.connect(copy) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    assert score(daemon.socket, message(1), "bob")["spam"]

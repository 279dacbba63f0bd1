# SPDX-License-Identifier: Apache-2.0
"""The feedback rules through the running daemon and its client."""
import json
import os
import re
import sqlite3
import subprocess

import pytest

from conftest import BUILD, let_in, wait_until
from hamlet_client import TELL, ask, exchange, score

NOBODY = 65534


def call(path, **members):
    reply = ask(path, "CALL", json.dumps(members).encode())
    if reply.code != 0:
        raise RuntimeError(reply.status)
    return reply.json


def press(path, label, message, user="", **context):
    headers = TELL.get(label, ())
    if context:
        headers += ("Context: " + json.dumps(context),)
    reply = ask(path, "TELL", message, user, headers)
    if reply.code != 0:
        raise RuntimeError(reply.status)
    return reply.json


def hamlet(daemon, *words, code=0, data=b""):
    done = subprocess.run([BUILD / "hamlet", "--socket", daemon.socket, *words], input=data,
                          capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode() if code in (0, 1) else done.stderr.decode()


def newsletter(number, proof="mx.example.org; dkim=pass header.d=shop.example", below="",
               covered="list-unsubscribe:list-unsubscribe-post"):
    stamp = "Authentication-Results: %s\n" % proof if proof else ""
    return (stamp + "Received: from shop.example (shop [192.0.2.7]) by mx.example.org; x\n" + below +
            "DKIM-Signature: v=1; d=shop.example; s=one; b=abcd;\n h=from:%s\n"
            "From: Shop <news@shop.example>\nSubject: offer %d\nMessage-ID: <%d@shop.example>\n"
            "List-Unsubscribe: <https://shop.example/off?%d>\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nbuy now %d\n"
            % (covered, number, number, number, number)).encode()


@pytest.fixture
def site(make_daemon):
    return make_daemon(authserv_ids="mx.example.org").start()


def test_consent_is_remembered(daemon, message):
    known = score(daemon.socket, message(1))["known"]
    answer = press(daemon.socket, "spam", message(1), "bob")
    assert answer["consent"] == "ask" and not answer["taught_global"]
    answer = press(daemon.socket, "spam", message(1), "bob", consent="granted")
    assert answer["taught_global"] and answer["outcome"] == "repeat"
    assert press(daemon.socket, "spam", message(2), "bob")["consent"] == "known"
    daemon.stop()
    daemon.start()
    assert press(daemon.socket, "spam", message(3), "bob")["taught_global"]
    assert score(daemon.socket, message(1))["known"] > known
    hamlet(daemon, "consent", "withdraw", "--user", "bob")
    assert score(daemon.socket, message(1))["known"] == known
    assert score(daemon.socket, message(1), "bob")["spam"]
    assert press(daemon.socket, "spam", message(4), "bob")["consent"] == "ask"


def test_declining_again_and_again_is_declining_once(daemon, message):
    press(daemon.socket, "spam", message(1), "bob", consent="granted")
    declined = {"kind": "consent", "name": "", "value": "declined"}
    receipt = call(daemon.socket, call="change", user="bob", entries=[declined] * 10000)
    assert (receipt["entries"], receipt["reports"]) == (1, 1)
    assert score(daemon.socket, message(1))["known"] == 0
    receipt = call(daemon.socket, call="change", user="bob", entries=[declined] * 10000)
    assert (receipt["entries"], receipt["reports"], receipt["global_tokens"]) == (1, 0, 0)


def test_a_trusted_sender_is_not_learned_as_spam(site, tmp_path):
    names = tmp_path / "trusted"
    names.write_text("# newsletters\nshop.example\n" +
                     "".join("sender%d.example\n" % i for i in range(3000)))
    hamlet(site, "trust", "import", str(names))
    assert len(hamlet(site, "trust", "show").splitlines()) == 3001
    before = score(site.socket, newsletter(9))
    for number in range(50):
        answer = press(site.socket, "spam", newsletter(number % 3), "user%d" % number,
                       consent="granted")
        assert answer["outcome"] == "trusted" and answer["trusted"] == "shop.example"
        assert answer["unsubscribe"] == [
            {"url": "https://shop.example/off?%d" % (number % 3), "one_click": True}]
    assert score(site.socket, newsletter(9)) == before
    forged = [newsletter(5, proof=None), newsletter(6, proof="evil.example; dkim=pass header.d=shop.example"),
              newsletter(7, proof=None, below="Authentication-Results: mx.example.org;\n"
                         " dkim=pass header.d=shop.example\n"),
              newsletter(8, proof="mx.example.org; dkim=fail header.d=shop.example",
                         below="AUTHENTICATION-RESULTS: MX.EXAMPLE.ORG; DKIM=PASS HEADER.D=SHOP.EXAMPLE\n")]
    for number, mail in enumerate(forged):
        assert press(site.socket, "spam", mail, "user")["outcome"] == "new", number
    text = hamlet(site, "report", "spam", "--user", "eve", data=newsletter(1))
    assert "trusted" in text and "https://shop.example/off?1 (one click)" in text
    # What the signature does not cover may have been put on top by anybody.
    text = hamlet(site, "report", "spam", "--user", "eve", data=newsletter(2, covered="subject"))
    assert "https://shop.example/off?2" in text and "one click" not in text


def test_trusted_senders_may_be_a_file(make_daemon, tmp_path):
    names = tmp_path / "trusted"
    names.write_text("# ours\nShop.Example  # the shop\n")
    daemon = make_daemon(authserv_ids="mx.example.org", trusted_senders=names).start()
    assert press(daemon.socket, "spam", newsletter(1), "bob")["outcome"] == "trusted"
    hamlet(daemon, "trust", "add", "other.example")  # both hold, and the file still does
    assert press(daemon.socket, "spam", newsletter(2), "bob")["outcome"] == "trusted"
    names.write_text("")
    daemon.process.send_signal(1)
    wait_until(lambda: "event=reload " in daemon.log_text(), "settings are read")
    assert press(daemon.socket, "spam", newsletter(3), "bob")["outcome"] == "new"
    names.write_text("not an address\n")
    daemon.stop()
    assert daemon.spawn().process.wait(20) != 0
    assert "line 1: not an address is neither" in daemon.log_text()


def test_lists_decide_and_are_named(site, message, tmp_path):
    user = ["--user", "bob@example.org"]
    assert "ham" in hamlet(site, "score", *user, data=message(3))
    hamlet(site, "list", "block", "EXAMPLE.com", *user)
    verdict = score(site.socket, message(3), "bob@example.org")
    assert verdict["spam"] and verdict["entry"] == {
        "scope": "user", "list": "block", "entry": "example.com"}
    assert "the user's list says block: example.com" in hamlet(
        site, "score", *user, data=message(3), code=1)
    assert not score(site.socket, message(3), "ann@example.org")["spam"]
    hamlet(site, "list", "allow", "sender3@example.com", "--domain", "example.org")
    hamlet(site, "list", "remove", "example.com", *user)
    assert score(site.socket, message(3), "bob@example.org")["entry"] is None # not proven
    proven = b"Authentication-Results: mx.example.org; dkim=pass header.d=example.com\n" + message(3)
    assert score(site.socket, proven, "bob@example.org")["entry"]["scope"] == "domain"
    entries = tmp_path / "entries"
    entries.write_text("block 192.0.2.0/24 # a bad neighbourhood\n\nallow ann@friends.example\n")
    hamlet(site, "list", "import", str(entries), "--site")
    assert score(site.socket, message(3), "eve@example.net")["entry"]["entry"] == "192.0.2.0/24"
    shown = hamlet(site, "list", "show", "--site")
    assert "192.0.2.0/24" in shown and "ann@friends.example" in shown
    entries.write_text("deny example.org\n")
    assert "deny" in hamlet(site, "list", "import", str(entries), "--site", code=3)
    assert "whose?" in hamlet(site, "list", "block", "example.org", code=2)
    site.stop()
    site.start()
    assert score(site.socket, message(3), "eve@example.net")["spam"]


FORGEABLE = "anybody can write an allowed address"


def test_whoever_allows_an_address_is_told_what_that_is_worth(daemon, site, message):
    user = ["--user", "bob@example.org"]
    assert FORGEABLE in hamlet(daemon, "list", "allow", "sender3@example.com", *user)
    assert FORGEABLE not in hamlet(daemon, "list", "allow", "192.0.2.0/24", *user)
    assert FORGEABLE not in hamlet(daemon, "list", "block", "example.net", *user)
    assert FORGEABLE not in hamlet(daemon, "list", "remove", "example.net", *user)
    assert FORGEABLE not in hamlet(site, "list", "allow", "sender3@example.com", *user)
    said = hamlet(daemon, "diagnose", *user, data=message(3))
    assert "allows sender3@example.com" in said and "Anybody can write that address" in said
    assert "Anybody can write" not in hamlet(daemon, "diagnose", *user, data=message(4))


def test_a_check_warns_where_no_author_can_be_proven(make_daemon):
    for settings, warned in ({}, True), ({"authserv_ids": "mx.example.org"}, False):
        daemon = make_daemon(**settings)
        done = subprocess.run([*daemon.command, "--config", daemon.config, "--check"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert ("# warning: without authserv-ids no author is proven" in done.stdout) == warned


def test_a_pattern_is_taken_for_a_domain_or_refused(daemon, message):
    user = ["--user", "bob@example.org"]
    for pattern in "*@example.com", "*.example.com":
        said = hamlet(daemon, "list", "block", pattern, *user)
        assert "note: %s is taken as example.com: the domain and all below" % pattern in said
        assert score(daemon.socket, message(3), "bob@example.org")["entry"]["entry"] == "example.com"
        assert "1 entries" in hamlet(daemon, "list", "remove", pattern, *user)
        assert score(daemon.socket, message(3), "bob@example.org")["entry"] is None
    for pattern in "bob@*", "*", "*@*", "sender*@example.com", "example.*":
        assert pattern + ": a * stands at the beginning only" in hamlet(
            daemon, "list", "block", pattern, *user, code=3)


def test_lists_have_a_limit(daemon, message, tmp_path):
    names = ["sender%d.example" % number for number in range(10001)]
    entries = [{"kind": "list", "name": name, "value": "block"} for name in names]
    call(daemon.socket, call="change", user="bob", entries=entries[:6000])
    with pytest.raises(RuntimeError, match="lists of bob: 10001 entries are too many, at most 10000"):
        call(daemon.socket, call="change", user="bob", entries=entries[6000:])
    assert len(call(daemon.socket, call="entries", user="bob")["entries"]) == 6000
    call(daemon.socket, call="change", user="bob", entries=entries[6000:10000])
    assert "at most 10000" in hamlet(daemon, "list", "block", names[-1], "--user", "bob", code=3)
    hamlet(daemon, "list", "allow", names[0], "--user", "bob")
    hamlet(daemon, "list", "remove", names[1], "--user", "bob")
    hamlet(daemon, "list", "block", names[-1], "--user", "bob")
    listed = {e["name"]: e["value"] for e in call(daemon.socket, call="entries", user="bob")["entries"]}
    assert len(listed) == 10000 and names[1] not in listed
    assert (listed[names[0]], listed[names[-1]]) == ("allow", "block")
    rules = tmp_path / "rules"
    rules.write_text("".join("block %s\n" % name for name in names))
    hamlet(daemon, "list", "import", str(rules), "--site")  # which may have more
    assert len(call(daemon.socket, call="entries", scope="")["entries"]) == 10001


def test_policy_acts_and_explains_itself(daemon, message):
    for number in range(60):
        press(daemon.socket, "spam" if number % 2 else "ham",
              message(number, "pills" if number % 2 else "dinner"))
    hamlet(daemon, "policy", "set", "spam-action=reject", "reject-score=5", "--site")
    hamlet(daemon, "list", "block", "sender1@example.com", "--site")
    verdict = score(daemon.socket, message(1), "bob")
    assert verdict["action"] == "reject" and verdict["reply"].startswith("554 5.7.1 ")
    told = hamlet(daemon, "policy", "set", "spam-action=junk", "junk-score=99", "--user", "bob")
    assert "junk score:        10.0 (user)" in told and "-0.00" not in told
    hamlet(daemon, "policy", "set", "junk-score=4", "--user", "bob")
    verdict = score(daemon.socket, message(1), "bob")
    assert (verdict["action"], verdict["reply"], verdict["threshold"]) == ("junk", "", 4)
    press(daemon.socket, "spam", message(100), "bob")
    shown = hamlet(daemon, "policy", "show", "--user", "bob")
    assert "junk (laid down by the user)" in shown and "1 reports as spam" in shown
    policy = call(daemon.socket, call="policy", user="bob")
    assert policy["junk_score"] == 4 and policy["shift"] < 0 and len(policy["moves"]) == 1
    hamlet(daemon, "policy", "unset", "junk-score", "spam-action", "--user", "bob")
    assert score(daemon.socket, message(1), "bob")["action"] == "reject"
    assert "no score" in hamlet(daemon, "policy", "set", "junk-score=x", "--user", "bob", code=3)


def test_several_recipients_are_answered_at_once(daemon, message):
    press(daemon.socket, "spam", message(1), "ann@example.org")
    names = ["ann@example.org", "bob@example.org", "", "eve"]
    verdict = ask(daemon.socket, "CHECK", message(1), "", (
        "Context: " + json.dumps({"recipients": names}),)).json
    assert [v["user"] for v in verdict["recipients"]] == names
    assert [v["spam"] for v in verdict["recipients"]] == [True, False, False, False]
    assert verdict["action"] == "deliver" and not verdict["spam"]
    for each in verdict["recipients"]:
        assert each == score(daemon.socket, message(1), each["user"])


def copy_reports(database, source, users):
    """Gives each of `users` the reports of `source`, in the file of a daemon that is down."""
    with sqlite3.connect(database) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(journal)")]
        others = [column for column in columns if column not in ("seq", "user", "supersedes")]
        for user in users:
            number = connection.execute(
                "INSERT INTO user (name) VALUES (?)", (user.encode(),)).lastrowid
            connection.execute(
                "INSERT INTO journal (user, {0}) SELECT ?, {0} FROM journal WHERE user = "
                "(SELECT id FROM user WHERE name = ?) ORDER BY seq".format(", ".join(others)),
                (number, source.encode()))
    connection.close()


def test_many_recipients_with_much_to_read(make_daemon, message):
    """They are judged in several goes, with hardly any room to keep what was read."""
    daemon = make_daemon(user_cache_bytes="1M", workers=1).start()
    for number in range(300):
        press(daemon.socket, "spam" if number % 2 else "ham", message(number), "user0")
    daemon.stop()
    names = ["user%d" % number for number in range(30)]
    copy_reports(daemon.database, names[0], names[1:])
    daemon.start()
    press(daemon.socket, "ham", message(1), names[29])
    verdict = ask(daemon.socket, "CHECK", message(1), "", (
        "Context: " + json.dumps({"recipients": names}),)).json
    assert [v["user"] for v in verdict["recipients"]] == names
    assert len({v["score"] for v in verdict["recipients"]}) == 2
    for each in verdict["recipients"]:
        assert each["personal"] and each == score(daemon.socket, message(1), each["user"])
    assert ask(daemon.socket, "STATS").json["engine"]["cached_bytes"] <= 1 << 20


def test_events_are_judged_in_one_place(daemon, message):
    def move(source, target, **more):
        return press(daemon.socket, "", message(1), "bob",
                     event={"kind": "move", "from": source, "to": target, **more})
    before = score(daemon.socket, message(1), "bob")
    for source, target in (("inbox", "trash"), ("junk", "trash"), ("trash", "inbox"),
                           ("inbox", "other")):
        answer = move(source, target)
        assert answer["outcome"] == "ignored" and answer["reason"]
    assert score(daemon.socket, message(1), "bob") == before
    assert move("inbox", "junk")["outcome"] == "new"
    assert score(daemon.socket, message(1), "bob")["spam"]
    assert move("junk", "inbox")["outcome"] == "forgotten"  # within the minute
    assert score(daemon.socket, message(1), "bob") == before
    assert move("junk", "inbox")["outcome"] == "ignored"
    answer = press(daemon.socket, "spam", message(2), "bob", consent="granted",
                   event={"kind": "button", "selected": 500})
    assert not answer["taught_global"] and answer["consent"] == "known"
    assert "deleting" in hamlet(daemon, "report", "ham", "--user", "bob", "--event", "move",
                                "--from", "junk", "--to", "trash", data=message(3))


def test_a_wrong_context_is_an_error(daemon, message):
    for context in ("{", "[]", '{"concent":"granted"}', '{"consent":"maybe"}', '{"event":{}}',
                    '{"event":{"kind":"throw"}}', '{"event":{"kind":"move","from":"attic"}}',
                    '{"recipients":[]}', '{"recipients":[1]}', '{"recipients":"bob"}'):
        reply = ask(daemon.socket, "CHECK", message(1), "bob", ("Context: " + context,))
        assert reply.code == 65, context
    for body in (b"", b"{", b"[]", b'{"call":"other","user":"bob"}', b'{"call":"erase"}',
                 b'{"call":"change","user":"bob"}', b'{"call":"erase","user":""}',
                 b'{"call":"erase","user":"@example.org"}', b'{"call":"export","user":"<>"}',
                 b'{"call":"entries","scope":"@"}',
                 b'{"call":"change","user":"bob","entries":[{"kind":"list","name":"x y","value":"block"}]}',
                 b'{"call":"policy","user":"bob","more":1}'):
        assert ask(daemon.socket, "CALL", body).code == 65, body


def test_rights(make_daemon, message):
    daemon = make_daemon(socket_mode="0666", reporters="daemon", administrators="bin")
    let_in(daemon.folder)
    daemon.start()
    (daemon.folder / "run").chmod(0o755)

    def as_login(uid, **members):
        body = json.dumps(members).encode()
        request = b"CALL SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(body)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setuid(uid)
                os.write(writer, exchange(daemon.socket, request + body))
            finally:
                os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as pipe:
            return int(pipe.read().split()[1])

    entry = [{"kind": "list", "name": "example.org", "value": "block"}]
    users = {"nobody": NOBODY, "daemon": 1, "bin": 2}
    expected = {  # own, another's, the site's, erasing another
        "nobody": (0, 77, 77, 77), "daemon": (0, 0, 77, 77), "bin": (0, 0, 0, 0)}
    for login, uid in users.items():
        codes = (as_login(uid, call="change", user=login, entries=entry),
                 as_login(uid, call="change", user="bob", entries=entry),
                 as_login(uid, call="change", scope="", entries=entry),
                 as_login(uid, call="erase", user="bob"))
        assert codes == expected[login], login
        assert as_login(uid, call="export", user="bob") == expected[login][1]


def unique_keys(daemon, user, others):
    def keys(name):
        reports = json.loads(hamlet(daemon, "user", "export", name))["reports"]
        return {int(key, 16) for report in reports for key in report["tokens"]}
    return keys(user) - set().union(*(keys(name) for name in others))


def varint(number):
    parts = [number & 0x7F]
    while number > 0x7F:
        number >>= 7
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def traces(daemon, name, keys):
    """Files of the database that have the name or a key in them, in any encoding."""
    found = []
    needles = [name.encode()]
    for key in keys:
        needles += [key.to_bytes(5, "big"), key.to_bytes(5, "little"), varint(key),
                    b"%010x" % key]
    for path in sorted(daemon.database.parent.iterdir()):
        data = path.read_bytes()
        found += [(path.name, needle) for needle in needles if needle in data]
    return found


def test_an_erased_user_leaves_no_trace(daemon, message):
    name = "robert'); drop-table <> bobby@example.org"
    for number in range(40):
        press(daemon.socket, "spam" if number % 3 else "ham",
              message(number, "bobbys own words %d %d" % (number, number * 7919)), name, consent="granted")
        press(daemon.socket, "ham" if number % 3 else "spam",
              message(1000 + number, "eves own words %d" % number), "eve", consent="granted")
    press(daemon.socket, "ham", message(1, "bobbys own words 1 7919"), name)
    press(daemon.socket, "forget", message(2, "bobbys own words 2 15838"), name)
    call(daemon.socket, call="change", user=name, entries=[
        {"kind": "list", "name": "example.net", "value": "block"},
        {"kind": "policy", "name": "junk-score", "value": "4"}])
    daemon.stop()
    daemon.start()  # so that the token rows are written
    keys = unique_keys(daemon, name, ["eve"])
    assert len(keys) > 100
    assert len(traces(daemon, name, keys)) > 50  # the search finds what is there
    eve = [score(daemon.socket, message(n), "eve") for n in range(1000, 1010)]
    text = hamlet(daemon, "user", "erase", name)
    assert "erased" in text and "42 reports" in text and "rewritten" in text
    assert traces(daemon, name, keys) == []
    again = [score(daemon.socket, message(n), "eve") for n in range(1000, 1010)]
    assert [v["spam"] for v in again] == [v["spam"] for v in eve]
    export = json.loads(hamlet(daemon, "user", "export", name))
    assert export["user"] == name and export["entries"] == export["reports"] == []
    known = score(daemon.socket, message(5, "bobbys own words 5 39595"))
    daemon.stop()
    assert traces(daemon, name, keys) == []
    daemon.start()
    assert score(daemon.socket, message(5, "bobbys own words 5 39595")) == known
    assert press(daemon.socket, "spam", message(1), name)["consent"] == "ask"


def test_an_export_is_complete(daemon, message):
    for number in range(1203):
        press(daemon.socket, "spam", message(number), "bob")
    call(daemon.socket, call="change", user="bob",
         entries=[{"kind": "list", "name": "example.net", "value": "allow"}])
    export = json.loads(hamlet(daemon, "user", "export", "bob"))
    assert export["user"] == "bob" and len(export["reports"]) == 1203
    assert [entry["kind"] for entry in export["entries"]] == ["list"]
    assert (export["receipt"]["reports"], export["receipt"]["entries"]) == (1203, 1)
    first = export["reports"][0]
    assert first["label"] == "spam" and len(first["tokens"]) > 40 and not first["shared"]


def test_erasing_waits_for_nobody(daemon, message):
    """Queries are answered while a user is erased."""
    for number in range(200):
        press(daemon.socket, "spam", message(number), "user%d" % (number % 20), consent="granted")
    for user in range(20):
        eraser = subprocess.Popen([BUILD / "hamlet", "--socket", daemon.socket, "user", "erase",
                                   "user%d" % user], stdout=subprocess.DEVNULL)
        while eraser.poll() is None:
            score(daemon.socket, message(user), "user%d" % user)
        assert eraser.returncode == 0
    assert score(daemon.socket, message(1))["known"] == 0


def test_diagnose(site, message):
    hamlet(site, "trust", "add", "shop.example")
    press(site.socket, "spam", newsletter(1), "bob")
    text = hamlet(site, "diagnose", "--user", "bob", data=newsletter(1))
    for part in ("1. list", "2. policy", "3. authentication", "DKIM: pass for shop.example",
                 "192.0.2.7", "5. score", "the sender is trusted", "7. next"):
        assert part in text, part
    steps = ask(site.socket, "DIAGNOSE", message(1), "bob").json["steps"]
    assert [s["step"] for s in steps] == [
        "list", "policy", "authentication", "origin", "score", "past", "next"]
    assert "stamped nothing" in steps[2]["advice"]


LONG_USER = "o" * 200 + "@example.org"


@pytest.mark.parametrize("user", ["", "bob", "bob builder@example.org", LONG_USER],
                         ids=["nobody", "login", "blank", "long"])
@pytest.mark.parametrize("flags", [[], ["--site"], ["--domain", "example.org"], ["--user"]],
                         ids=["none", "site", "domain", "user"])
def test_what_a_diagnosis_tells_to_do_can_be_done(site, message, user, flags):
    """Each command in it, as it stands there, for a shell."""
    scoped = flags + [user] if flags == ["--user"] else flags
    if flags and (not user or flags[0] == "--domain" and "@" not in user):
        return
    if scoped:
        hamlet(site, "list", "block", *scoped, "sender1@example.com")
    steps = ask(site.socket, "DIAGNOSE", message(1), user).json["steps"]
    said = [text for step in steps for text in (step["finding"], step.get("advice") or "")]
    commands = [found for text in said for found in re.findall(r"hamlet (?:report|list) [^)]*", text)]
    assert len(commands) == (1 if user else 0), said
    for command in commands:
        words = command.replace("hamlet ", "%s --socket %s " % (BUILD / "hamlet", site.socket), 1)
        done = subprocess.run(words, shell=True, input=message(1), capture_output=True,
                              check=False, timeout=60)
        assert done.returncode == 0, (command, done.stderr)
    if scoped:
        assert hamlet(site, "list", "show", *scoped) == ""


def test_an_export_has_any_size(daemon, message):
    """Reports of as many tokens as there can be: one part of it has a bound, the whole none."""
    for number in range(400):
        words = " ".join("w%dx%d" % (number % 7, i * 7 + number) for i in range(6000))
        press(daemon.socket, "spam", message(number, words), "bob")
    export = json.loads(hamlet(daemon, "user", "export", "bob"))
    assert len(export["reports"]) == 400
    assert {len(report["tokens"]) for report in export["reports"]} == {4096}
    assert [report["seq"] for report in export["reports"]] == list(range(1, 401))


def test_a_long_list_is_shown(daemon):
    entries = [{"kind": "list", "name": "%s%d@example.net" % ("a" * 200, number), "value": "block"}
               for number in range(8000)]
    for at in range(0, 8000, 1000):
        call(daemon.socket, call="change", user="bob", entries=entries[at:at + 1000])
    assert len(hamlet(daemon, "list", "show", "--user", "bob").splitlines()) == 8000


@pytest.mark.parametrize("words", [("score",), ("why",), ("diagnose",), ("report", "spam"),
                                   ("report", "ham"), ("forget",), ("tokens",)])
def test_nothing_is_no_message(daemon, tmp_path, words):
    (tmp_path / "empty").touch()
    for named in ((), (tmp_path / "empty",)):
        said = hamlet(daemon, *words, *named, code=3)
        assert "is empty" in said and len(said.splitlines()) == 1
    assert ask(daemon.socket, "STATS").json["engine"]["last_seq"] == 0

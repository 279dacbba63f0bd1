# SPDX-License-Identifier: Apache-2.0
"""HTTP: the native paths, those of rspamd, and clients that misbehave."""
import gzip
import http.client
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
import zlib

import pytest

from conftest import TOP, wait_until
from hamlet_client import TELL, ask as spamd_ask, score as spamd_score
from http_client import UnixConnection, ask, http_socket, once

API = json.loads((TOP / "data" / "openapi.json").read_text())
CALL = {"scope": "bob", "user": "bob"}


def check(schema, value, where):
    """The parts of JSON Schema that data/openapi.json makes use of."""
    if "$ref" in schema:
        return check(API["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, where)
    for part in schema.get("allOf", ()):
        check(part, value, where)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool,
             "integer": int, "number": (int, float), "null": type(None)}
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    assert not names or any(isinstance(value, kinds[name]) for name in names), (where, value)
    if "enum" in schema:
        assert value in schema["enum"], (where, value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), (where, value.keys())
        if properties and "allOf" not in schema and where.count("/") < 2:
            unknown = set(value) - set(properties)
            assert not unknown or where.endswith("allOf"), (where, unknown)
        for name, inner in properties.items():
            if name in value:
                check(inner, value[name], where + "/" + name)
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            check(schema["items"], inner, where + "/[]")


def documented(path, method, answer):
    responses = API["paths"][path][method]["responses"]
    response = responses.get(str(answer.code), responses.get("default"))
    for kind, content in response["content"].items():
        assert answer.headers["Content-Type"].startswith(kind)
        if kind != "text/plain" and path != "/v1/diagnose":
            check(content["schema"], answer.json, path)
    return answer


def test_the_description_is_true(daemon, message):
    """Every path of data/openapi.json is served and answers as it says; nothing else is
    under /v1, as the source's table tells."""
    bodies = {"/v1/entries": json.dumps([{"kind": "list", "name": "example.org", "value": "block"}])}
    for path, methods in API["paths"].items():
        for method, operation in methods.items():
            body = bodies.get(path, message(1)) if method == "post" else None
            parameters = dict(CALL, label="spam", answer="granted")
            answer = once(daemon, method.upper(), path, body, **{
                name: parameters[name] for name in parameters
                if any(p["name"] == name for p in operation.get("parameters", ()))})
            assert answer.code == 200, (path, answer.body)
            documented(path, method, answer)
            wrong = once(daemon, "DELETE", path)
            assert wrong.code == 405 and wrong.json["status"] == 405
    source = (TOP / "engine" / "daemon" / "http" / "api.c").read_text()
    served = {(line.split('"')[3], line.split('"')[1].lower()) for line in source.splitlines()
              if line.startswith('\t{"') and '"/' in line}
    native = {entry for entry in served if entry[0].startswith("/v1") or entry[0] in ("/metrics", "/healthz")}
    assert native == {(path, method) for path, methods in API["paths"].items() for method in methods}


def test_verdicts_are_those_of_spamd(daemon, message):
    once(daemon, "POST", "/v1/report", message(1), user="bob", label="spam")
    for user in ("bob", "ann", ""):
        assert once(daemon, "POST", "/v1/score", message(1), user=user).json == \
            spamd_score(daemon.socket, message(1), user)
    many = once(daemon, "POST", "/v1/score", message(1), user=["bob", "ann"]).json
    assert [v["spam"] for v in many["recipients"]] == [True, False] and not many["spam"]
    why = once(daemon, "POST", "/v1/why", message(1), user="bob").json
    total = why["bias"] + sum(r["everybody"] + r["own"] for r in why["reasons"] + [why["others"]])
    assert abs(total - why["margin"]) < 1e-9


def test_reports_carry_event_and_consent(daemon, message):
    def report(number, **more):
        return once(daemon, "POST", "/v1/report", message(number), user="bob", **more)
    assert report(1, label="spam").json["consent"] == "ask"
    assert report(1, label="spam", consent="granted").json["taught_global"]
    moved = {"event": "move", "from": "junk", "to": "trash"}
    assert report(2, **moved).json["outcome"] == "ignored"
    moved.update({"from": "inbox", "to": "junk", "selected": 200})
    answer = report(2, **moved).json
    assert answer["outcome"] == "new" and answer["label"] == "spam" and not answer["taught_global"]
    assert once(daemon, "POST", "/v1/forget", message(2), user="bob").json["outcome"] == "forgotten"
    for wrong in ({}, {"label": "eggs"}, {"label": "spam", "consent": "maybe"},
                  {"label": "spam", "event": "throw"}, {"label": "spam", "from": "inbox"}):
        answer = report(3, **wrong)
        assert answer.code == 400 and answer.json["detail"], wrong
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert once(daemon, "POST", "/v1/consent", user="bob", answer="withdrawn").json["reports"] == 1
    assert once(daemon, "POST", "/v1/consent", user="bob", answer="perhaps").code == 400


def test_entries_policy_export_erase(daemon, message):
    entries = [{"kind": "list", "name": "Example.com", "value": "block"},
               {"kind": "policy", "name": "junk-score", "value": "4"}]
    receipt = once(daemon, "POST", "/v1/entries", json.dumps(entries), scope="bob").json
    assert receipt["entries"] == 2
    kept = once(daemon, "GET", "/v1/entries", scope="bob", kind="list").json["entries"]
    assert [(e["name"], e["value"]) for e in kept] == [("example.com", "block")]
    assert once(daemon, "GET", "/v1/policy", user="bob").json["junk_score"] == 4
    assert once(daemon, "POST", "/v1/score", message(1), user="bob").json["entry"]["list"] == "block"
    once(daemon, "POST", "/v1/report", message(1), user="bob", label="ham")
    export = once(daemon, "GET", "/v1/export", user="bob").json
    assert len(export["reports"]) == 1 and len(export["entries"]) == 2
    assert once(daemon, "POST", "/v1/erase", user="bob").json["compacted"]
    assert once(daemon, "GET", "/v1/export", user="bob").json["reports"] == []
    for body in ("", "{", "{}", '[{"kind":"list"}]', '[{"kind":"list","name":"x y","value":"block"}]'):
        assert once(daemon, "POST", "/v1/entries", body, scope="bob").code == 400, body
    assert once(daemon, "GET", "/v1/policy").code == 400


def test_metrics_parse(daemon, message):
    parser = pytest.importorskip("prometheus_client.parser")
    spamd_score(daemon.socket, message(1))
    once(daemon, "POST", "/v1/report", message(1), user="bob", label="spam")
    text = once(daemon, "GET", "/metrics").body.decode()
    families = {f.name: f for f in parser.text_string_to_metric_families(text)}
    assert all(f.documentation and f.type in ("counter", "gauge") for f in families.values())
    assert families["hamlet_reports"].samples[0].value == 1
    assert sum(s.value for s in families["hamlet_verdicts"].samples) == 1
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_curl(daemon, message, tmp_path):
    mail = tmp_path / "mail"
    mail.write_bytes(message(1, size=300000))
    done = subprocess.run(["curl", "-sS", "--fail-with-body", "--unix-socket", http_socket(daemon),
                           "-H", "Content-Type: message/rfc822", "--data-binary", "@%s" % mail,
                           "http://hamlet/v1/score?user=bob%40example.org"],
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["user"] == "bob@example.org"


# --- rspamd's clients -------------------------------------------------------------

def rspamc(daemon, *words, data=b"", code=0):
    done = subprocess.run(["rspamc", "-h", http_socket(daemon), *words], input=data,
                          capture_output=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.decode()


@pytest.mark.skipif(not shutil.which("rspamc"), reason="rspamc is not installed")
def test_rspamc(daemon, message):
    assert "Action: no action" in rspamc(daemon, "-d", "bob", data=message(1))
    assert "success = true" in rspamc(daemon, "-d", "bob", "learn_spam", data=message(1))
    assert "already learned as spam" in rspamc(daemon, "-d", "bob", "learn_spam", data=message(1))
    shown = rspamc(daemon, "-d", "bob", data=message(1))
    assert "Action: add header" in shown and "Symbol: HAMLET_SPAM" in shown
    assert "Action: no action" in rspamc(daemon, "-d", "ann", data=message(1))
    rspamc(daemon, "-d", "bob", "learn_ham", data=message(1))
    assert "Action: no action" in rspamc(daemon, "-r", "bob", data=message(1))
    assert "Messages scanned" in rspamc(daemon, "stat")


def test_rspamd_identities_and_sentences(daemon, message):
    def learn(path, **headers):
        return once(daemon, "POST", path, message(1),
                    {name.replace("_", "-"): value for name, value in headers.items()})
    assert learn("/LearnSpam", Deliver_To="<bob>", User="eve").json == {"success": True}
    again = learn("/learnspam", Deliver_To="bob")
    assert again.code == 208 and again.json["error"].endswith(
        "> has been already learned as spam, ignore it")
    assert learn("/learnham", Rcpt="<ann>", User="bob").code == 200
    for user, spam in (("bob", True), ("ann", False), ("eve", False)):
        answer = once(daemon, "POST", "/checkV2", message(1), {"User": user}).json
        assert (answer["action"] == "add header") == spam
        assert answer["symbols"]["HAMLET_SPAM" if spam else "HAMLET_HAM"]["score"] == answer["score"]
    assert once(daemon, "POST", "/learnspam", b"").json == {"error": "Empty body is not permitted"}
    assert once(daemon, "GET", "/ping").body == b"pong\r\n"
    assert "error" in once(daemon, "GET", "/checkv2").json


@pytest.mark.skipif(not shutil.which("rspamc"), reason="rspamc is not installed")
def test_rspamc_compresses(daemon, message):
    """What it sends compressed (always, from 3.9 on) is judged and learned like the rest."""
    def shown(*words):
        return [line for line in rspamc(daemon, "-d", "bob", *words, data=message(1)).splitlines()
                if line.startswith(("Score", "Action", "Symbol"))]
    assert shown("-z") == shown() != []
    assert "success = true" in rspamc(daemon, "-d", "bob", "-z", "learn_spam", data=message(1))
    assert "already learned" in rspamc(daemon, "-d", "bob", "learn_spam", data=message(1))
    assert shown("-z") == shown() and "Action: add header" in shown("-z")


# --- Recipients ---------------------------------------------------------------------

def user(number):
    return "user%05d@mail.example.org" % number


def test_a_thousand_recipients_are_taken_and_more_refused(daemon, message):
    for count, code in ((1000, 200), (1001, 400)):
        answer = once(daemon, "POST", "/v1/score", message(1), user=[user(n) for n in range(count)])
        assert answer.code == code and answer.json.get("detail", "recipients")
        assert code != 200 or len(answer.json["recipients"]) == count
    for count, codes in ((1000, (200,)), (1001, (400,)), (5000, (431,))):
        head = b"".join(b"Rcpt: <%s>\r\n" % user(n).encode() for n in range(count))
        answer, closed = talk(daemon, b"POST /checkv2 HTTP/1.1\r\nHost: x\r\n%s"
                              b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" %
                              (head, len(message(1)), message(1)))
        assert code_of(answer) in codes and closed
    # Neither ever waits for the other side.
    for count, code in ((1200, 400), (100000, 414)):
        answer, closed = talk(daemon, b"POST /v1/score?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"user=a&" * count))
        assert code_of(answer) == code and closed


def test_a_plus_sign_is_one(daemon, message):
    """In an address it is common, a blank is not (data/openapi.json says so)."""
    path = "/v1/report?label=spam&user=bob+x@example.com"
    assert ask(UnixConnection(http_socket(daemon)), "POST", path, message(1)).code == 200
    for name in ("bob+x@example.com", "bob%2Bx%40example.com"):
        answer = ask(UnixConnection(http_socket(daemon)), "POST", "/v1/score?user=" + name, message(1))
        assert answer.json["spam"]


# --- Bodies ---------------------------------------------------------------------------

def deflate(data):
    return zlib.compress(data)


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": deflate}
if shutil.which("zstd"):
    CODINGS["zstd"] = zstd


@pytest.mark.parametrize("coding", sorted(CODINGS))
@pytest.mark.parametrize("field", ["Content-Encoding", "compression"])
def test_compressed_bodies_are_unpacked(daemon, message, coding, field):
    def post(path, body, headers, **parameters):
        return once(daemon, "POST", path, body, headers, **parameters)
    packed = CODINGS[coding](message(1))
    headers = {field: coding.upper()}
    assert post("/v1/score", packed, headers).json == post("/v1/score", message(1), {}).json
    assert post("/checkv2", packed, headers).json == post("/checkv2", message(1), {}).json
    assert post("/v1/report", packed, headers, user="bob", label="spam").json["outcome"] == "new"
    assert post("/v1/report", message(1), {}, user="bob", label="spam").json["outcome"] == "repeat"
    entries = json.dumps([{"kind": "list", "name": "example.com", "value": "block"}]).encode()
    assert post("/v1/entries", CODINGS[coding](entries), headers, scope="bob").json["entries"] == 1
    for wrong in (packed[:-5], packed[:1], packed + b"x", message(1), b"\0" * 100):
        answer = post("/v1/score", wrong, headers)
        assert answer.code == 400 and "compressed" in answer.json["detail"]
    assert post("/v1/score", CODINGS[coding](b""), headers).code == 400
    assert post("/v1/score", b"", headers).code == 400
    assert once(daemon, "GET", "/v1/stats").json["connections"]["held_bytes"] == 0


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_a_bomb_stays_small(make_daemon, message, coding):
    daemon = make_daemon(max_message_bytes="1M", max_buffered_bytes="4M").start()
    bomb = CODINGS[coding](b"Subject: x\n\n" + b"\0" * (64 << 20))
    assert len(bomb) < 1 << 20
    for _ in range(20):
        answer = once(daemon, "POST", "/v1/score", bomb, {"Content-Encoding": coding})
        assert answer.code == 413 and "1048576" in answer.json["detail"]
    stats = once(daemon, "GET", "/v1/stats").json
    assert stats["connections"]["held_bytes"] == 0
    assert once(daemon, "POST", "/v1/score", CODINGS[coding](message(1)), {"Content-Encoding": coding}).code == 200


def test_unpacked_bodies_count_as_held_memory(make_daemon, message):
    daemon = make_daemon(max_message_bytes="4M", max_buffered_bytes="7M").start()
    held = raw(daemon, b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 3000001\r\n\r\n" + b"x" * 3000000)
    wait_until(lambda: once(daemon, "GET", "/v1/stats").json["connections"]["held_bytes"] >= 3000000, "it is held")
    body = gzip.compress(message(1, size=3000000))
    answer = once(daemon, "POST", "/v1/score", body, {"Content-Encoding": "gzip"})
    assert answer.code == 503 and answer.headers["Retry-After"]
    held.close()
    wait_until(lambda: once(daemon, "GET", "/v1/stats").json["connections"]["held_bytes"] == 0, "it is free")
    assert once(daemon, "POST", "/v1/score", body, {"Content-Encoding": "gzip"}).code == 200


def test_other_codings_are_refused(daemon, message):
    for headers in ({"Content-Encoding": "br"}, {"Content-Encoding": "gzip, gzip"}, {"Compression": "lz4"},
                    {"Content-Encoding": "gzip", "Compression": "zstd"}):
        answer = once(daemon, "POST", "/v1/report", gzip.compress(message(1)), headers, user="bob", label="spam")
        assert answer.code == 415 and answer.headers["Accept-Encoding"] == "gzip, deflate, zstd", headers
        assert "gzip, deflate or zstd" in answer.json["detail"]
    both = {"Content-Encoding": "gzip", "Compression": "gzip"}
    assert once(daemon, "POST", "/v1/score", gzip.compress(message(1)), both).code == 200
    assert once(daemon, "POST", "/v1/score", message(1), {"Content-Encoding": "identity"}).code == 200


FORM = (b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"mail.eml\"\r\n"
        b"Content-Type: message/rfc822\r\n\r\nSubject: hi\r\n\r\nhi\r\n--x--\r\n")


@pytest.mark.parametrize("body, kind", [
    (FORM, "a form"), (b"message=Subject%3A+hi%0A%0Ahi", "a form"), (b'{"message": "Subject: hi"}', "JSON"),
    (gzip.compress(b"Subject: hi\n\nhi"), "compressed data"), (b"PK\3\4" + b"\0" * 30, "a zip archive"),
    (b"3 V1699876543 N17 G0123456789abcdef\n16 :mail.1\n", "an index"), (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
    (b"SQLite format 3\0" + b"\0" * 100, "a database")])
def test_what_is_no_message_is_refused(daemon, body, kind):
    for path in ("/v1/score", "/v1/why", "/v1/report", "/v1/diagnose", "/checkv2", "/learnspam", "/learnham"):
        answer = once(daemon, "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"},
                      user="bob", label="spam")
        assert answer.code == 415 and kind in answer.json.get("detail", answer.json.get("error")), path
    reply = spamd_ask(daemon.socket, "TELL", body, "bob", TELL["spam"])
    assert reply.code == 65 and kind.encode() in reply.raw
    assert once(daemon, "GET", "/v1/export", user="bob").json["reports"] == []
    # What was learned before that was known can be taken back.
    assert once(daemon, "POST", "/v1/forget", body, user="bob").code == 200


def test_what_a_client_declares(daemon, message):
    for kind, code in (("application/json", 415), ("Application/JSON; charset=utf-8", 415),
                       ("multipart/form-data; boundary=x", 415), ("application/x-www-form-urlencoded", 200),
                       ("message/rfc822", 200), ("application/json-not", 200), ("text/plain", 200)):
        answer = once(daemon, "POST", "/v1/score", message(1), {"Content-Type": kind})
        assert answer.code == (code if kind != "application/json-not" else 415), kind
    for path in ("/v1/score", "/v1/report", "/checkv2", "/learnham"):
        for body in (b"", b"\r\n \r\n"):
            answer = once(daemon, "POST", path, body, user="bob", label="ham")
            assert answer.code == 400 and "Empty body" in answer.body.decode()


def test_curl_sends_a_form(daemon, message, tmp_path):
    mail = tmp_path / "mail.eml"
    mail.write_bytes(message(1))

    def curl(*words):
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket",
                               http_socket(daemon), *words, "http://hamlet/v1/report?user=bob&label=spam"],
                              capture_output=True, timeout=60, check=True)
        return int(done.stdout)
    assert curl("-F", "file=@%s" % mail) == 415
    assert curl("--data-urlencode", "message@%s" % mail) == 415
    assert curl("--data-binary", "@%s" % mail) == 200
    assert curl("-T", mail, "-X", "POST") == 200


# --- Methods and targets ------------------------------------------------------------------

def test_head_is_get_without_a_body(daemon):
    for path in ("/ping", "/healthz", "/stat", "/v1/stats"):
        head, got = once(daemon, "HEAD", path), once(daemon, "GET", path)
        assert head.code == got.code == 200 and head.body == b"" and got.body
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert int(head.headers["Content-Length"]) > 0
    for method, path, allowed in (("HEAD", "/v1/score", "POST"), ("POST", "/ping", "GET, HEAD"),
                                  ("PUT", "/v1/entries", "GET, HEAD, POST")):
        answer = once(daemon, method, path)
        assert answer.code == 405 and answer.headers["Allow"] == allowed


def test_targets(daemon):
    for target, code in (("http://localhost/ping", 200), ("HTTP://[::1]:8783/PING", 200), ("http://x", 404),
                         ("*", 404), ("/%70ing", 200), ("/ping?%00", 400), ("/ping%00", 400), ("/ping?a=%4", 400),
                         ("ping", 400), ("ftp://x/ping", 400), ("/v1/export?user=bob&after=-1", 400),
                         ("/v1/export?user=bob&after=99999999999999999999", 400), ("/v1/export?user=bob&after=", 400)):
        answer, _ = talk(daemon, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % target.encode())
        assert code_of(answer) == code, target


# --- Requests that may be read in two ways ------------------------------------------------

def talk(daemon, data):
    """All that is answered, and whether the server has closed the connection."""
    connection = raw(daemon, b"")
    answer = b""
    try:
        connection.sendall(data)
    except OSError:
        pass  # refused while sending: the answer says why
    try:
        while chunk := connection.recv(65536):
            answer += chunk
    except ConnectionResetError:
        pass
    except socket.timeout:
        return answer, False
    finally:
        connection.close()
    return answer, True


def code_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


SECOND = b"POST /v1/report?user=victim&label=spam HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\nSubject: s\r\n\r\ns"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 15\r\n"
MAIL = b"Subject: a\r\n\r\na"


@pytest.mark.parametrize("fields, body", [
    (LENGTH + CHUNKED, b"0\r\n\r\n"), (CHUNKED + LENGTH, b"0\r\n\r\n"),
    (b"Content-Length: 0\r\ntransfer-encoding:chunked\r\n", b"0\r\n\r\n"),
    (LENGTH + b"Content-Length: 0\r\n", MAIL), (b"Content-Length: 0\r\n" + LENGTH, MAIL), (LENGTH + LENGTH, MAIL),
    (b"Content-Length: 15, 15\r\n", MAIL), (b"Content-Length: +15\r\n", MAIL), (b"Content-Length: -15\r\n", MAIL),
    (b"Content-Length: 0xf\r\n", MAIL), (b"Content-Length: 1 5\r\n", MAIL), (b"Content-Length:\r\n", MAIL),
    (b"Content-Length: 15 \r\n", MAIL), (b"Content-Length: 15\0\r\n", MAIL), (b"Content-Length: 15;\r\n", MAIL),
    (b"Content-Length : 15\r\n", MAIL), (b"Content-Length\t: 15\r\n", MAIL), (b" Content-Length: 15\r\n", MAIL),
    (b"Transfer-Encoding: xchunked\r\n", MAIL), (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), (CHUNKED + CHUNKED, b"0\r\n\r\n"),
    (b"Transfer-Encoding: identity\r\n", MAIL), (b"Transfer-Encoding:\r\n", MAIL),
    (b"Transfer-Encoding: chunked\r\n  \r\n", b"0\r\n\r\n"), (b"Transfer-Encoding : chunked\r\n" + LENGTH, MAIL),
    (b"X: y\r\n " + CHUNKED + LENGTH, MAIL), (b"X: y\r\n\tz\r\n" + LENGTH, MAIL), (b"X: y\n" + LENGTH, MAIL),
    (b"X: y\0z\r\n" + LENGTH, MAIL), (b"X\0: y\r\n" + LENGTH, MAIL), (b"X: y\0\0a\0b\r\n" + LENGTH, MAIL),
    (b"X: y\rz\r\n" + LENGTH, MAIL), (b"X: \x01\r\n" + LENGTH, MAIL), (b"X y: z\r\n" + LENGTH, MAIL),
    (b": z\r\n" + LENGTH, MAIL), (b"no colon\r\n" + LENGTH, MAIL), (b"Host: y\r\n" + LENGTH, MAIL)])
def test_ambiguous_requests_are_refused(daemon, fields, body):
    answer, closed = talk(daemon, b"POST /v1/score HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n" + body + SECOND)
    assert code_of(answer) == 400 and closed
    assert once(daemon, "GET", "/v1/export", user="victim").json["reports"] == []


@pytest.mark.parametrize("line", [
    b"POST /v1/score?user=a\0b HTTP/1.1\r\n", b"PO\0ST /v1/score HTTP/1.1\r\n", b"POST /v1/score HTTP/1.1\n",
    b"POST  /v1/score HTTP/1.1\r\n", b"POST /v1/score  HTTP/1.1\r\n", b"POST /v1/sc ore HTTP/1.1\r\n",
    b"POST /v1/score?user=a\rb HTTP/1.1\r\n", b"POST /v1/score\tx HTTP/1.1\r\n"])
def test_malformed_request_lines_are_refused(daemon, line):
    answer, closed = talk(daemon, line + b"Host: x\r\n" + LENGTH + b"\r\n" + MAIL + SECOND)
    assert code_of(answer) == 400 and closed
    assert once(daemon, "GET", "/v1/export", user="victim").json["reports"] == []


def test_lines_of_lf_alone_are_refused(daemon):
    answer, closed = talk(daemon, b"GET /ping HTTP/1.1\nHost: x\n\n")
    assert code_of(answer) == 400 and closed
    answer, closed = talk(daemon, b"POST /v1/score HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert code_of(answer) == 400 and closed


def test_ordinary_requests_are_not_ambiguous(daemon, message):
    """Fields without a blank, with two, empty ones, and a second request behind the first."""
    head = b"POST /v1/score HTTP/1.1\r\nHost:x\r\nEmpty:\r\nX:  y \t\r\nContent-Length:%d\r\n\r\n"
    last = b"POST /v1/score HTTP/1.0\r\nContent-Length: %d\r\n\r\n"
    chunked = b"POST /v1/score HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    mail = message(1)
    answer, closed = talk(daemon, head % len(mail) + mail + chunked % (len(mail), mail) + last % len(mail) + mail)
    assert answer.count(b"200 OK\r\n") == 3 and closed


# --- Rights ---------------------------------------------------------------------------

def test_tcp_wants_a_token(make_daemon, message, tmp_path):
    token = tmp_path / "token"
    token.write_text("not-a-secret-0123456789\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    make_daemon(listen_http="127.0.0.1:%d" % port, http_token_file=token).start()

    def tcp(method, path, headers=None, body=None, **parameters):
        return ask(http.client.HTTPConnection("127.0.0.1", port, timeout=30), method, path, body,
                   headers, **parameters)
    good = {"Authorization": "Bearer not-a-secret-0123456789"}
    assert tcp("GET", "/healthz").code == 200
    for headers in (None, {"Authorization": "Bearer wrong"}, {"Password": ""},
                    {"Authorization": "Bearer not-a-secret-0123456789x"},
                    {"Authorization": "Basic not-a-secret-0123456789"}):
        answer = tcp("POST", "/v1/score", headers, message(1))
        assert answer.code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert tcp("POST", "/v1/report", good, message(1), user="bob", label="spam").code == 200
    assert tcp("POST", "/checkv2", {"Password": "not-a-secret-0123456789"}, message(1)).code == 200
    assert tcp("POST", "/v1/erase", good, user="bob").code == 403


def test_a_reload_takes_another_token(make_daemon, message, tmp_path):
    token = tmp_path / "token"
    token.write_text("the-first-token-0123\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = make_daemon(listen_http="127.0.0.1:%d" % port, http_token_file=token).start()
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def code(given, connection=None):
        fresh = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        return ask(fresh, "POST", "/v1/score", message(1), {"Authorization": "Bearer " + given}).code

    def reload(event):
        before = daemon.log_text().count(event)
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.log_text().count(event) > before, event)
    assert code("the-first-token-0123", kept) == 200
    token.write_text("the-second-token-0123\n")
    assert code("the-first-token-0123", kept) == 200
    reload("event=reload ")
    assert code("the-first-token-0123") == 401 and code("the-second-token-0123") == 200
    assert code("the-second-token-0123", kept) == 200 and code("the-first-token-0123", kept) == 401
    for break_it in (lambda: token.write_text("short\n"), token.unlink):
        break_it()
        reload("event=reload-failed ")
        assert code("the-second-token-0123") == 200 and code("short") == 401
    assert daemon.log_text().count("level=error event=reload-failed reason=\"http-token-file: ") == 2


def test_a_token_is_needed_to_listen(make_daemon):
    daemon = make_daemon(listen_http="127.0.0.1:1").spawn()
    assert daemon.process.wait(20) != 0
    assert "http-token-file" in daemon.log_text()


# --- Clients that misbehave --------------------------------------------------------------

def raw(daemon, data, timeout=30):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    connection.connect(str(http_socket(daemon)))
    connection.sendall(data)
    return connection


def test_slow_clients_are_cut_off_and_hold_nobody_up(make_daemon, message):
    def open_slow(daemon):
        return [raw(daemon, b"POST /v1/sc") for _ in range(20)] + [
            raw(daemon, b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
                b"From: ") for _ in range(20)]

    # They would hold others up for ten minutes.
    daemon = make_daemon(header_timeout=600, body_timeout=600, max_connections=60).start()
    slow = open_slow(daemon)
    assert once(daemon, "POST", "/v1/score", message(1)).code == 200
    for connection in slow:
        connection.close()
    daemon.stop()
    daemon = make_daemon(header_timeout=2, body_timeout=3, max_connections=60).start()
    slow = open_slow(daemon)
    for _ in range(3):
        assert once(daemon, "POST", "/v1/score", message(1)).code == 200
        for connection in slow[:20]:
            try:
                connection.sendall(b"o")  # a byte now and then does not help
            except OSError:
                pass
        time.sleep(0.5)

    def gone(connection):
        try:
            connection.settimeout(0.01)
            return connection.recv(1000) == b"" or gone(connection)
        except socket.timeout:
            return False
        except OSError:
            return True
    wait_until(lambda: all(gone(c) for c in slow), "slow clients are cut off")
    assert once(daemon, "GET", "/v1/stats").json["connections"]["held_bytes"] < 100000


def test_odd_requests_are_survived(make_daemon, message):
    daemon = make_daemon(header_timeout=1).start()
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100, b"POST /v1/score",
                 b"POST /v1/score HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                 b"POST /v1/score HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                 b"GET /%00%ff?user=%00 HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
                 b"POST /v1/score?user=@x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"):
        connection = raw(daemon, b"")
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:
            pass
        connection.close()
    chunked = UnixConnection(http_socket(daemon))
    chunked.request("POST", "/v1/score", iter([message(1)[:50], message(1)[50:]]),
                    {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert json.loads(chunked.getresponse().read()) == once(daemon, "POST", "/v1/score", message(1)).json


def test_limits_are_told(make_daemon, message):
    daemon = make_daemon(max_message_bytes="10K", max_buffered_bytes="1M").start()
    large = b"x" * 20000
    announced = b"Content-Length: 20000\r\n\r\n" + large
    chunked = b"Transfer-Encoding: chunked\r\n\r\n" + b"1388\r\n%s\r\n" % large[:5000] * 4 + b"0\r\n\r\n"
    for body in (announced, chunked):
        connection = raw(daemon, b"POST /v1/score HTTP/1.1\r\nHost: x\r\n")
        try:
            connection.sendall(body)
        except BrokenPipeError:
            pass  # refused while sending: the answer says why
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
        connection.close()
    assert once(daemon, "POST", "/v1/score", message(1)).code == 200


def test_overload_is_told_at_once(make_daemon, message):
    daemon = make_daemon(max_jobs=1, workers=1).start()
    codes = []

    def client():
        for _ in range(20):
            answer = once(daemon, "POST", "/v1/score", message(1, size=200000))
            codes.append((answer.code, answer.headers["Retry-After"]))
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {(200, None), (503, "1")}


def test_one_connection_serves_many_requests(daemon, message):
    connection = UnixConnection(http_socket(daemon))
    for number in range(200):
        assert ask(connection, "POST", "/v1/score", message(number)).code == 200
    assert once(daemon, "GET", "/v1/stats").json["connections"]["accepted"] < 20


def test_a_stop_finishes_what_has_come(daemon, message):
    body = message(1, size=100000)
    head = b"POST /v1/report?user=bob&label=spam HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    connection = raw(daemon, head % len(body) + body[:-10])
    idle = raw(daemon, b"")
    time.sleep(0.3)
    stopper = threading.Thread(target=daemon.stop)
    stopper.start()
    time.sleep(0.5)
    connection.sendall(body[-10:])
    assert b'"outcome":"new"' in connection.recv(65536)
    stopper.join(20)
    assert not http_socket(daemon).exists()
    idle.close()
    daemon.start()
    assert once(daemon, "POST", "/v1/score", body, user="bob").json["spam"]


def test_clients_that_do_not_wait_do_no_harm(daemon, message):
    for number in range(50):
        connection = raw(daemon, b"POST /v1/report?user=bob&label=spam HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(message(number)) + message(number))
        connection.close()  # does not wait for the answer
    assert once(daemon, "POST", "/v1/score", message(1)).code == 200

# SPDX-License-Identifier: Apache-2.0
"""The genuine spamc of Debian against the socket."""
import concurrent.futures
import shutil
import subprocess

import pytest

from hamlet_client import exchange, score

pytestmark = pytest.mark.skipif(not shutil.which("spamc"), reason="spamc is not installed")


def spamc(daemon, *options, data):
    return subprocess.run(["spamc", "-U", str(daemon.socket), *options],
                          input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def press(daemon, label, data, *options):
    return spamc(daemon, "-L", label, *options, data=data)


def test_check(daemon, message):
    done = spamc(daemon, "-c", data=message(1))
    assert (done.stdout, done.returncode) == (b"2.8/5.0\n", 0)
    assert press(daemon, "spam", message(1), "-u", "bob").returncode == 0
    done = spamc(daemon, "-c", "-u", "bob", data=message(1))
    value, threshold = done.stdout.split(b"/")
    assert float(value) >= float(threshold) == 5.0
    assert done.returncode == 1


def test_report_and_report_if_spam(daemon, message):
    press(daemon, "spam", message(1), "-u", "bob")
    report = spamc(daemon, "-R", "-u", "bob", data=message(1)).stdout
    assert report.split(b"\n")[0].endswith(b"/5.0")
    assert b"What speaks for spam:" in report
    # With -r spamc leaves out the line with the score.
    if_spam = spamc(daemon, "-r", "-u", "bob", data=message(1)).stdout
    assert if_spam and report.endswith(if_spam)
    assert b"What speaks" not in spamc(daemon, "-r", "-u", "eve", data=message(1)).stdout


def test_symbols(daemon, message):
    press(daemon, "spam", message(1), "-u", "bob")
    assert b"HAMLET_SPAM" in spamc(daemon, "-y", "-u", "bob", data=message(1)).stdout
    assert b"HAMLET_HAM" in spamc(daemon, "-y", "-u", "eve", data=message(1)).stdout


@pytest.mark.parametrize("option", [[], ["--headers"]])
def test_filter_marks_the_message(daemon, message, option):
    mail = b"X-Spam-Flag: forged\n" + message(1)
    press(daemon, "spam", mail, "-u", "bob")
    marked = spamc(daemon, "-x", *option, "-u", "bob", data=mail)
    assert marked.returncode == 0
    head, _, body = marked.stdout.partition(b"\n\n")
    assert b"X-Spam-Flag: YES" in head and b"forged" not in head
    assert b"X-Spam-Status: Yes, score=" in head
    assert body == mail.partition(b"\n\n")[2]
    unmarked = spamc(daemon, "-x", *option, "-u", "eve", data=mail).stdout
    assert b"X-Spam-Flag: YES" not in unmarked and b"X-Spam-Status: No, score=" in unmarked


@pytest.mark.parametrize("label", ["spam", "ham"])
def test_learn_twice(daemon, message, label):
    first, second = press(daemon, label, message(1)), press(daemon, label, message(1))
    assert b"successfully un/learned" in first.stdout and first.returncode == 0
    assert b"already un/learned" in second.stdout and second.returncode == 0


def test_forget_twice(daemon, message):
    press(daemon, "spam", message(1))
    first, second = press(daemon, "forget", message(1)), press(daemon, "forget", message(1))
    assert b"successfully un/learned" in first.stdout
    assert b"already un/learned" in second.stdout


def test_ping(daemon):
    done = spamc(daemon, "-K", data=b"")
    assert done.returncode == 0 and done.stdout.startswith(b"SPAMD/1.5 0")


@pytest.mark.parametrize("user", ["a user with blanks", "j\u00fcrgen@b\u00fccher.example"])
def test_odd_user_names(daemon, message, user):
    before = score(daemon.socket, message(1), user)
    assert press(daemon, "spam", message(1), "-u", user).returncode == 0
    assert score(daemon.socket, message(1), user)["spam"]
    assert score(daemon.socket, message(1), user[:-1])["score"] == before["score"]


def test_five_megabytes(daemon, message):
    large = message(1, size=5_000_000)
    assert len(large) > 5_000_000
    assert spamc(daemon, "-x", "-s", "10000000", "-c", data=large).returncode == 0
    assert press(daemon, "spam", large, "-s", "10000000", "-u", "bob").returncode == 0
    assert spamc(daemon, "-x", "-s", "10000000", "-c", "-u", "bob", data=large).returncode == 1


def test_truncated_request(daemon, message):
    for command in ("CHECK", "TELL"):
        reply = exchange(daemon.socket, b"%s SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\n"
                         b"Content-length: 5000\r\n\r\n" % command.encode() + message(1))
        assert reply.startswith(b"SPAMD/1.0 76 ") and reply.count(b"\n") == 1
    assert score(daemon.socket, message(1))["known"] == 0


def test_two_hundred_at_once(daemon, message):
    def one(number):
        return spamc(daemon, "-x", "-c", data=message(number))

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        results = list(pool.map(one, range(200)))
    assert {(done.stdout, done.returncode) for done in results} == {(b"2.8/5.0\n", 0)}


def test_a_refused_press_is_seen(make_daemon, message):
    daemon = make_daemon(max_message_bytes="10K").start()
    done = press(daemon, "spam", message(1, size=50_000))
    assert done.returncode != 0 and b"learned" not in done.stdout

# SPDX-License-Identifier: Apache-2.0
"""Debian's Dovecot with the files of data/examples/dovecot: moving mail over IMAP
teaches the mailbox's own user, and nobody else."""
import imaplib
import os
import pathlib
import pwd
import shutil
import subprocess
import time

import pytest

from conftest import BUILD, TOP, let_in, wait_until
from hamlet_client import score
from test_postfix import free_port

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
EXAMPLES = TOP / "data" / "examples" / "dovecot"
INSTALLED = "/usr/local/lib/dovecot-hamlet"

pytestmark = [
    pytest.mark.skipif(not shutil.which(DOVECOT), reason="dovecot is not installed"),
    pytest.mark.skipif(not pathlib.Path(
        "/usr/lib/dovecot/modules/lib95_imap_sieve_plugin.so").exists(), reason="no IMAPSieve"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Dovecot is started by root"),
]

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
mail_location = maildir:~/Maildir
first_valid_uid = 1
first_valid_gid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
  }}
  mailbox Trash {{
    auto = create
  }}
  mailbox Work {{
    auto = create
  }}
}}
{example}
"""


class Dovecot:
    """With the files of data/examples/dovecot, unless `imapsieve` is false."""

    def __init__(self, folder, daemon, imapsieve=True):
        self.folder, self.port = folder, free_port()
        nobody = pwd.getpwnam("nobody")
        scripts = folder / "scripts"
        shutil.copytree(EXAMPLES, scripts)
        shutil.copy(BUILD / "hamlet", folder / "hamlet")  # the build may not be open to all
        report = scripts / "hamlet-report"
        report.write_text(report.read_text().replace(
            "exec hamlet", "exec %s --socket %s" % (folder / "hamlet", daemon.socket)))
        # Here the socket is open to all, and the account has no such group.
        example = (scripts / "90-hamlet.conf").read_text().replace(INSTALLED, str(scripts)).replace(
            "mail_access_groups = hamlet\n", "")
        self.config = folder / "dovecot.conf"
        self.config.write_text(CONFIG.format(
            folder=folder, port=self.port, uid=nobody.pw_uid, gid=nobody.pw_gid,
            example=example if imapsieve else ""))
        (folder / "home").mkdir()
        os.chown(folder / "home", nobody.pw_uid, nobody.pw_gid)
        for each in (folder, daemon.folder / "run"):
            let_in(each)

    def start(self):
        self.process = subprocess.Popen([DOVECOT, "-F", "-c", self.config])
        wait_until(self.answers, "Dovecot answers: %s" % self.log(), 30)
        return self

    def answers(self):
        try:
            self.login("probe").logout()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def login(self, user):
        connection = imaplib.IMAP4("127.0.0.1", self.port)
        connection.login(user, "secret")
        return connection


@pytest.fixture
def site(make_daemon, tmp_path):
    daemon = make_daemon(socket_mode="0666", reporters="nobody", flip_seconds=0).start()
    folder = tmp_path / "dovecot"
    folder.mkdir()
    dovecot = Dovecot(folder, daemon).start()
    yield daemon, dovecot
    dovecot.stop()


def put(connection, folder, message):
    assert connection.append(folder, None, None, message.replace(b"\n", b"\r\n"))[0] == "OK"


def move(connection, source, target):
    """The only message of a folder; waits a second, as presses have seconds for time."""
    time.sleep(1.1)
    assert connection.select(source)[0] == "OK"
    status, answer = connection.uid("MOVE", "1:*", target)
    assert status == "OK", answer


def verdicts(daemon, message):
    return {user: score(daemon.socket, message, user)["log_odds"] for user in ("bob", "ann", "")}


def test_moving_teaches_the_mailbox_own_user(site, message):
    daemon, dovecot = site
    mail = message(1)
    bob = dovecot.login("bob")
    put(bob, "INBOX", mail)
    before = verdicts(daemon, mail)
    move(bob, "INBOX", "Junk")
    assert score(daemon.socket, mail, "bob")["spam"], dovecot.log()
    moved = verdicts(daemon, mail)
    assert moved["ann"] == before["ann"] and moved[""] == before[""]
    move(bob, "Junk", "INBOX")
    assert not score(daemon.socket, mail, "bob")["spam"]
    back = verdicts(daemon, mail)
    assert back["bob"] < before["bob"] and back["ann"] == before["ann"]
    assert "label=spam outcome=new" in daemon.log_text()
    assert "label=ham outcome=flip" in daemon.log_text()
    bob.logout()


def test_deleting_and_filing_teach_nothing(site, message):
    daemon, dovecot = site
    mail = message(2)
    bob = dovecot.login("bob")
    before = verdicts(daemon, mail)
    put(bob, "INBOX", mail)
    move(bob, "INBOX", "Work")
    move(bob, "Work", "Trash")
    move(bob, "Trash", "INBOX")
    assert verdicts(daemon, mail) == before
    move(bob, "INBOX", "Junk")
    reported = verdicts(daemon, mail)
    assert reported["bob"] > before["bob"], dovecot.log()
    move(bob, "Junk", "Trash")
    assert verdicts(daemon, mail) == reported
    bob.logout()


def test_copying_counts_as_moving(site, message):
    daemon, dovecot = site
    mail = message(3)
    ann = dovecot.login("ann")
    put(ann, "INBOX", mail)
    ann.select("INBOX")
    assert ann.copy("1", "Junk")[0] == "OK"
    assert score(daemon.socket, mail, "ann")["spam"], dovecot.log()
    assert not score(daemon.socket, mail, "bob")["spam"]
    ann.logout()


def test_without_hamletd_mail_is_moved_all_the_same(site, message):
    daemon, dovecot = site
    bob = dovecot.login("bob")
    put(bob, "INBOX", message(4))
    daemon.stop()
    move(bob, "INBOX", "Junk")
    assert bob.select("Junk")[1] == [b"1"]
    bob.logout()

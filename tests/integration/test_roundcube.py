# SPDX-License-Identifier: Apache-2.0
"""Debian's Roundcube with the plugin and driver of data/examples/roundcube, used by a
person in Chromium. Screenshots stay in the test's folder, as screen-*.png."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.request

import pytest

from conftest import TOP, wait_until
from hamlet_client import score, tell
from test_dovecot import DOVECOT, Dovecot, put
from test_feedback import newsletter
from test_postfix import free_port

EXAMPLES = TOP / "data" / "examples" / "roundcube"
DEBIAN = pathlib.Path("/var/lib/roundcube")
PLUGINS = pathlib.Path("/usr/share/roundcube/plugins")

webdriver = pytest.importorskip("selenium.webdriver")
By = pytest.importorskip("selenium.webdriver.common.by").By

pytestmark = [
    pytest.mark.skipif(not shutil.which(DOVECOT), reason="dovecot is not installed"),
    pytest.mark.skipif(not (PLUGINS / "markasjunk").exists(), reason="no Roundcube"),
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="no Chromium"),
    pytest.mark.skipif(not shutil.which("php"), reason="no PHP"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Dovecot is started by root"),
]

CONFIG = """<?php
$config['db_dsnw'] = 'sqlite:///{folder}/roundcube.sqlite?mode=0600';
$config['imap_host'] = '127.0.0.1:{port}';
$config['des_key'] = 'abcdefghijklmnopqrstuvwx';
$config['temp_dir'] = '{folder}/temp';
$config['log_dir'] = '{folder}/logs';
$config['language'] = 'en_US';
$config['drafts_mbox'] = '';
$config['sent_mbox'] = '';
$config['junk_mbox'] = 'Junk';
$config['trash_mbox'] = 'Trash';
$config['draft_autosave'] = 0;
$config['plugins'] = ['markasjunk', 'hamlet'];
$config['markasjunk_learning_driver'] = 'hamlet';
"""


class Roundcube:
    """Debian's files by symbolic links, but for what a site installs and writes."""

    def __init__(self, folder, imap_port, hamlet_socket):
        self.folder, self.port = folder, free_port()
        (folder / "public_html").mkdir(parents=True)
        for name in ("temp", "logs", "config", "plugins"):
            (folder / name).mkdir()
        for name in ("SQL", "program", "skins", "index.php"):
            (folder / name).symlink_to((DEBIAN / name).resolve())
        shutil.copy(DEBIAN / "public_html" / "index.php", folder / "public_html")
        for name in ("plugins", "skins", "program"):
            (folder / "public_html" / name).symlink_to(folder / name)
        for name in ("defaults.inc.php", "mimetypes.php"):
            (folder / "config" / name).symlink_to(pathlib.Path("/etc/roundcube") / name)
        (folder / "config" / "config.inc.php").write_text(
            CONFIG.format(folder=folder, port=imap_port))
        for name in ("jqueryui", "filesystem_attachments"):
            (folder / "plugins" / name).symlink_to(PLUGINS / name)
        shutil.copytree(PLUGINS / "markasjunk", folder / "plugins" / "markasjunk",
                        ignore=shutil.ignore_patterns("config.inc.php"))
        shutil.copytree(EXAMPLES, folder / "plugins", dirs_exist_ok=True)
        (folder / "plugins" / "hamlet" / "config.inc.php").write_text(
            "<?php $config['hamlet_socket'] = '%s';\n" % hamlet_socket)
        self.url = "http://127.0.0.1:%d/" % self.port

    def start(self):
        log = open(self.folder / "logs" / "php", "wb")
        self.process = subprocess.Popen(
            ["php", "-S", "127.0.0.1:%d" % self.port, "-t", self.folder / "public_html"],
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"})
        wait_until(self.answers, "Roundcube answers")

    def answers(self):
        try:
            return urllib.request.urlopen(self.url, timeout=10).status == 200
        except OSError:
            return False

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)  # and its workers
        self.process.wait(30)

    def errors(self):
        path = self.folder / "logs" / "errors.log"
        return path.read_text() if path.exists() else ""


class Person:
    """Somebody at a browser."""

    def __init__(self, folder, url):
        options = webdriver.ChromeOptions()
        for option in ("--headless=new", "--no-sandbox", "--disable-gpu",
                       "--window-size=1200,800", "--disable-dev-shm-usage",
                       "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.folder, self.url, self.screens = folder, url, 0
        self.browser = webdriver.Chrome(options=options)
        self.browser.set_page_load_timeout(60)

    def see(self, selector, seconds=120):
        """What is on the screen and matches, as soon as there is something."""
        def visible():
            return [e for e in self.browser.find_elements(By.CSS_SELECTOR, selector)
                    if e.is_displayed()]
        try:
            wait_until(visible, "to be seen: " + selector, seconds)
        finally:
            self.picture()
        return visible()[0]

    def picture(self):
        self.screens += 1
        self.browser.save_screenshot(str(self.folder / ("screen-%02d.png" % self.screens)))

    def login(self, name):
        self.browser.get(self.url)
        self.see("#rcmloginuser").send_keys(name)
        self.see("#rcmloginpwd").send_keys("secret")
        self.see("#rcmloginsubmit").click()
        self.see("#messagelist")

    def open_folder(self, name, subject=""):
        """Opens it until the message is there: it is moved once it is reported."""
        def is_there():
            self.browser.get(self.url + "?_task=mail&_mbox=" + name)
            self.see("#messagelist")
            self.rest()
            return any(subject in row.text for row in self.browser.find_elements(
                By.CSS_SELECTOR, "#messagelist tr.message"))
        self.rest()  # what was pressed before is on its way
        wait_until(is_there, "in %s a message %s" % (name, subject))

    def rest(self):
        """Until the page's scripts are at rest: before that a click is lost."""
        wait_until(lambda: self.browser.execute_script(
            "return document.readyState == 'complete' && window.rcmail && !rcmail.busy"),
            "the page is at rest")

    def press(self, button, subject):
        self.select(subject)
        found = self.see("#toolbar-menu a.%s:not(.disabled)" % button)
        self.rest()
        found.click()

    def select(self, subject):
        def rows():
            found = self.browser.find_elements(By.CSS_SELECTOR, "#messagelist tr.message")
            return [row for row in found if subject in row.text]
        wait_until(rows, "a message " + subject)
        self.rest()
        rows()[0].find_element(By.CSS_SELECTOR, "td.subject").click()

    def click_dialog(self, words):
        for button in self.browser.find_elements(By.CSS_SELECTOR, ".ui-dialog button"):
            if button.is_displayed() and button.text.strip() == words:
                button.click()
                return
        raise AssertionError("no button says " + words)

    def console_errors(self):
        return [line for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]


@pytest.fixture
def site(make_daemon, tmp_path):
    daemon = make_daemon(authserv_ids="mx.example.org", flip_seconds=0, reporters="root").start()
    tell(daemon.socket, "ham", b"Subject: lunch\n\nat noon?\n", "bob")
    with contextlib.ExitStack() as running:
        (tmp_path / "dovecot").mkdir()
        dovecot = Dovecot(tmp_path / "dovecot", daemon, imapsieve=False)
        dovecot.start()
        running.callback(dovecot.stop)
        roundcube = Roundcube(tmp_path / "roundcube", dovecot.port,
                              daemon.folder / "run" / "http.sock")
        roundcube.start()
        running.callback(roundcube.stop)
        person = Person(tmp_path, roundcube.url)
        running.callback(person.browser.quit)
        yield daemon, dovecot, roundcube, person


def fill(dovecot, *messages):
    bob = dovecot.login("bob")
    for each in messages:
        put(bob, "INBOX", each)
    bob.logout()


def spam(number):
    return (b"From: Pills <pills%d@pharma.example>\nSubject: cheap pills %d\n"
            b"Message-ID: <%d@pharma.example>\n\ncheap pills without a prescription, order now\n"
            % (number, number, number))


def test_the_buttons_teach_and_the_question_of_consent_is_asked(site):
    daemon, dovecot, roundcube, person = site
    fill(dovecot, spam(1), b"From: Ann <ann@example.org>\nSubject: holidays\n\nSee you soon.\n")
    before = {user: score(daemon.socket, spam(2), user)["log_odds"] for user in ("bob", "")}
    person.login("bob")
    person.press("junk", "cheap pills 1")
    person.see("#hamlet-consent")
    assert score(daemon.socket, spam(2), "bob")["spam"]
    assert score(daemon.socket, spam(2))["log_odds"] == before[""]  # nobody agreed yet
    person.click_dialog("Yes, help")
    wait_until(lambda: score(daemon.socket, spam(2))["log_odds"] > before[""],
               "the report teaches everybody: " + roundcube.errors())
    person.picture()
    person.open_folder("Junk", "cheap pills 1")
    person.press("notjunk", "cheap pills 1")
    wait_until(lambda: not score(daemon.socket, spam(2), "bob")["spam"],
               "the second thought is learned: " + roundcube.errors())
    assert not person.browser.find_elements(By.CSS_SELECTOR, "#hamlet-consent")
    person.open_folder("INBOX", "cheap pills 1")
    person.select("cheap pills 1")  # it is back
    assert roundcube.errors() == "" and person.console_errors() == []


def test_who_declines_teaches_only_the_own_filter(site):
    daemon, dovecot, roundcube, person = site
    fill(dovecot, spam(1))
    before = score(daemon.socket, spam(2))["log_odds"]
    person.login("bob")
    person.press("junk", "cheap pills 1")
    person.see("#hamlet-consent")
    person.click_dialog("No, only for me")
    person.see("#messagestack .confirmation")
    assert score(daemon.socket, spam(2), "bob")["spam"]
    assert score(daemon.socket, spam(2))["log_odds"] == before
    assert roundcube.errors() == "" and person.console_errors() == []


def test_a_way_that_is_not_signed_is_shown(site):
    daemon, dovecot, roundcube, person = site
    subprocess.run([os.environ.get("HAMLET_BUILD", str(TOP / "build" / "plain")) + "/hamlet",
                    "--socket", daemon.socket, "trust", "add", "shop.example"], check=True)
    fill(dovecot, newsletter(1, covered="subject"))
    person.login("bob")
    person.press("junk", "offer 1")
    assert "https://shop.example/off?1" in person.see("#hamlet-trusted").text
    person.browser.execute_script(
        "window.fetch = function() { window.asked = true; return Promise.resolve(); };"
        " window.open = function(url) { window.opened = url; }")
    person.click_dialog("Unsubscribe")
    assert person.browser.execute_script("return [window.opened, window.asked]") == [
        "https://shop.example/off?1", None]
    assert roundcube.errors() == ""


def test_a_trusted_newsletter_offers_to_unsubscribe(site, tmp_path):
    daemon, dovecot, roundcube, person = site
    subprocess.run([os.environ.get("HAMLET_BUILD", str(TOP / "build" / "plain")) + "/hamlet",
                    "--socket", daemon.socket, "trust", "add", "shop.example"], check=True)
    fill(dovecot, newsletter(1))
    before = score(daemon.socket, newsletter(2), "bob")["log_odds"]
    person.login("bob")
    person.press("junk", "offer 1")
    text = person.see("#hamlet-trusted").text
    assert "shop.example" in text and "unsubscribe" in text and "https:" not in text
    assert score(daemon.socket, newsletter(2), "bob")["log_odds"] == before
    person.browser.execute_script(
        "window.fetch = function(url, options) { window.asked = [url, options.method,"
        " options.credentials, String(options.body)]; return Promise.resolve(); }")
    person.click_dialog("Unsubscribe")
    assert person.browser.execute_script("return window.asked") == [
        "https://shop.example/off?1", "POST", "omit", "List-Unsubscribe=One-Click"]
    person.see("#messagestack .confirmation")
    assert roundcube.errors() == ""


def test_without_hamletd_mail_is_moved_and_the_person_is_told(site):
    daemon, dovecot, roundcube, person = site
    fill(dovecot, spam(1))
    daemon.stop()
    person.login("bob")
    person.press("junk", "cheap pills 1")
    person.see("#messagestack .warning")
    person.open_folder("Junk", "cheap pills 1")
    person.select("cheap pills 1")
    assert "hamlet: " in roundcube.errors()

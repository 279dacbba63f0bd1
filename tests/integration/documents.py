# SPDX-License-Identifier: Apache-2.0
"""Reads what README.md and docs/ tell to do. A fenced block of the language sh is run as it
stands, one with a path after its language is added to that file; an indented block of the
README is run."""
import re
import subprocess

from conftest import TOP

FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^(?:\*\*(\w+)\.\*\*|## (.*)$)", re.MULTILINE)


def sections(text):
    """(title, text) of each part; a part begins with a bold word or a heading."""
    starts = [(found.start(), found[1] or found[2]) for found in SECTION.finditer(text)]
    starts = [(0, "")] + starts + [(len(text), "")]
    return [(title, text[start:end]) for (start, title), (end, _) in zip(starts, starts[1:])]


def blocks(name, but=()):
    """(language, path, text) of the fenced blocks of a document, in order, but for those of
    some parts."""
    text = (TOP / name).read_text()
    return [found.groups() for title, part in sections(text) if title not in but
            for found in FENCE.finditer(part)]


def indented(name, title):
    """The lines to run in a part of a document."""
    part = dict(sections((TOP / name).read_text()))[title]
    return "\n".join(line[4:] for line in part.splitlines() if line.startswith("    "))


def follow(machine, name, but=("Undo",), shorter=()):
    """Does what a document says, in the folder of the sources. `shorter` are pairs: words of a
    command that takes minutes, and what stands for them here."""
    assert all(words in (TOP / name).read_text() for words, _ in shorter)
    for language, path, text in blocks(name, but):
        for words, instead in shorter:
            text = text.replace(words, instead)
        if path:
            add(machine, path, text)
        elif language == "sh":
            machine.run(text, folder="/src", stdin=subprocess.DEVNULL)


def undo(machine, name):
    parts = [title for title, _ in sections((TOP / name).read_text()) if title != "Undo"]
    for language, path, text in blocks(name, parts):
        assert language == "sh" and not path
        machine.run(text, folder="/src")


def add(machine, path, text):
    """Adds lines to the end of a file. A document begins with a site whose settings are other
    ones, so each key must be new or be meant to be replaced."""
    machine.run("mkdir -p $(dirname %s) && touch %s && cat >> %s" % (path, path, path),
                input=text.encode())

# SPDX-License-Identifier: Apache-2.0
"""Raw SPAMC exchanges with hamletd, byte for byte as a test wants them."""
import json
import socket


class Reply:
    """A reply taken apart; `raw` is all of it."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.status = lines[0].decode("latin-1")
        words = self.status.split(" ", 2)
        self.code = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
        self.headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)

    @property
    def json(self):
        return json.loads(self.body)


def connect(path, timeout=120):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    connection.connect(str(path))
    return connection


def receive(connection):
    chunks = []
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def exchange(path, data, half_close=True, timeout=120):
    """Sends bytes, returns the bytes that came back until the end."""
    with connect(path, timeout) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while sending: the answer says why
        return receive(connection)


def ask(path, command, message=b"", user="", headers=(), version="1.5", as_json=True,
        timeout=120):
    lines = ["%s SPAMC/%s" % (command, version)]
    if as_json:
        lines.append("Accept: application/json")
    if user:
        lines.append("User: " + user)
    lines.extend(headers)
    lines.append("Content-length: %d" % len(message))
    head = "\r\n".join(lines) + "\r\n\r\n"
    return Reply(exchange(path, head.encode() + message, timeout=timeout))


TELL = {
    "spam": ("Message-class: spam", "Set: local"),
    "ham": ("Message-class: ham", "Set: local"),
    "forget": ("Remove: local",),
}


def tell(path, label, message, user=""):
    """A press; the reply's JSON, or raises with the refusal."""
    reply = ask(path, "TELL", message, user, TELL[label])
    if reply.code != 0:
        raise RuntimeError(reply.status)
    return reply.json


def score(path, message, user=""):
    reply = ask(path, "CHECK", message, user)
    if reply.code != 0:
        raise RuntimeError(reply.status)
    return reply.json

# SPDX-License-Identifier: Apache-2.0
"""HTTP over a Unix socket, or over TCP."""
import http.client
import json
import socket
import urllib.parse


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=120):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.code = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


def ask(connection, method, path, body=None, headers=None, **parameters):
    """A list as a value gives the parameter several times."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    connection.request(method, path + ("?" + query if query else ""), body, headers or {})
    return Answer(connection.getresponse())


def http_socket(daemon):
    return daemon.folder / "run" / "http.sock"


def once(daemon, method, path, body=None, headers=None, **parameters):
    connection = UnixConnection(http_socket(daemon))
    try:
        return ask(connection, method, path, body, headers, **parameters)
    finally:
        connection.close()

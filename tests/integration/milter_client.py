# SPDX-License-Identifier: Apache-2.0
"""The mail server's side of the milter protocol (version 6), as engine/protocol/milter.h
tells it: enough to have messages judged."""
import socket
import struct
import threading

NEGOTIATION = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)
FINAL = b"acdrty"  # what ends the wait for a verdict


class Milter:
    def __init__(self, path, timeout=120):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.send(b"O", NEGOTIATION)
        assert self.receive()[0] == b"O"

    def close(self):
        self.send(b"Q")
        self.socket.close()

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", 1 + len(data)) + command + data)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the filter has closed the connection")
            data += piece
        return data

    def receive(self):
        length, = struct.unpack(">I", self.exactly(4))
        frame = self.exactly(length)
        return frame[:1], frame[1:]

    def judge(self, message, sender, recipients, macros=b"", fields=()):
        """The verdict's command and data, and the header fields that were inserted; those
        that were deleted are in `deleted`, as pairs of name and index. `macros` come before
        MAIL, `fields` (pairs of bytes) before the message's own."""
        head, _, body = message.partition(b"\n\n")
        self.send(b"C", b"mx.example.net\0004" + struct.pack(">H", 25) + b"192.0.2.9\0")
        if macros:
            self.send(b"D", b"M" + macros)
        self.send(b"M", b"<%s>\0" % sender.encode())
        for recipient in recipients:
            self.send(b"R", b"<%s>\0" % recipient.encode())
        for name, value in fields:
            self.send(b"L", name + b"\0" + value + b"\0")
        for line in head.replace(b"\n\t", b"\0").split(b"\n"):
            name, _, value = line.partition(b": ")
            self.send(b"L", name + b"\0" + value.replace(b"\0", b"\n\t") + b"\0")
        self.send(b"N")
        self.send(b"B", body.replace(b"\n", b"\r\n"))
        self.send(b"E")
        inserted, self.deleted = {}, []
        while True:
            command, data = self.receive()
            if command == b"m":
                self.deleted.append((data[4:].rstrip(b"\0"), struct.unpack(">I", data[:4])[0]))
            if command == b"i":
                name, value = data[4:-1].split(b"\0")
                inserted[name.decode()] = value.decode()
            if command in FINAL:
                return command, data, inserted


class Stamper(threading.Thread):
    """A milter that puts a field on top of each message, as one that verifies DKIM does."""

    def __init__(self, name, value):
        super().__init__(daemon=True)
        self.field = name.encode() + b"\0" + value.encode() + b"\0"
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(50)
        self.port = self.listening.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rwb")

        def answer(command, data=b""):
            stream.write(struct.pack(">I", 1 + len(data)) + command + data)

        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            frame = stream.read(struct.unpack(">I", head)[0])
            command = frame[:1]
            if command == b"O":
                answer(b"O", struct.pack(">III", 6, 1, 0))
            elif command == b"E":
                answer(b"i", struct.pack(">I", 0) + self.field)
                answer(b"a")
            elif command == b"Q":
                return
            elif command not in b"DAK":
                answer(b"c")
            stream.flush()

    def close(self):
        self.listening.close()

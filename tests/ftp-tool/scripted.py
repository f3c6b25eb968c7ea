# SPDX-License-Identifier: LGPL-2.1-or-later
"""An FTP server over TLS that misbehaves on purpose, each connection in a thread of its own.

What it does otherwise than it should is overridden, command by command; what it was told is kept.
"""

import contextlib
import socket
import ssl
import tempfile
import threading
from pathlib import Path

import servers

MODIFIED = "20200913122640"  # 1600000000
SECONDS = 30


def offered_ticket(connection):
    """The ticket in the ClientHello that has come, which stays there to be read (RFC 8446, sections 4.1.2 and 4.2.11)."""
    record = connection.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
    length = 5 + int.from_bytes(record[3:5], "big")
    hello = connection.recv(length, socket.MSG_PEEK | socket.MSG_WAITALL)
    at = 5 + 4 + 2 + 32  # record, handshake, version, random
    at += 1 + hello[at]  # session id
    at += 2 + int.from_bytes(hello[at:at + 2], "big")  # cipher suites
    at += 1 + hello[at]  # compression
    at += 2
    while at < length:
        kind, size = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        if kind == 41:  # pre_shared_key
            n_identity = int.from_bytes(hello[at + 6:at + 8], "big")
            return hello[at + 8:at + 8 + n_identity]
        at += 4 + size
    return None


class Hangup(Exception):
    """The connection ends here."""


class Server:
    """files: name -> bytes, all in one folder. Overridden: see the methods."""

    implicit = False
    features = ["EPSV", "MDTM", "MLST type*;size*;modify*;", "REST STREAM", "SIZE"]
    greeting = b"220 Welcome\r\n"
    n_tickets = 2

    def __init__(self, files=None):
        self.files = dict(files or {})
        self.modified = MODIFIED
        self.commands = []  # of all connections
        self.tickets = []  # that data connections offered

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="gtls-session-scripted-")
        folder = Path(self.directory.name)
        servers.make_certificates(folder)
        self.ca = folder / "ca.pem"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.num_tickets = self.n_tickets
        self.context.load_cert_chain(folder / "server.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_over = False
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in self.threads:
            thread.join(SECONDS)
        self.listener.close()
        self.directory.cleanup()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            if self.is_over:
                connection.close()
                return
            connection.settimeout(SECONDS)
            self.threads.append(threading.Thread(target=self.serve, args=[connection]))
            self.threads[-1].start()

    def serve(self, connection):
        session = Session(self, connection)
        # A client that leaves in the midst is what half of the stories are about.
        with contextlib.suppress(OSError, Hangup, ssl.SSLError):
            session.run()
        session.close()

    def got(self, verb):
        return [command for command in self.commands if command.split(" ")[0] == verb]

    # What stories override. Each gets the session and the argument, and is to answer.

    def listing(self):
        facts = "".join(f"type=file;size={len(content)};modify={self.modified}; {name}\r\n"
                        for name, content in self.files.items())
        return facts.encode()

    def auth(self, session, _):
        session.reply("234 Go on")
        session.start_tls()

    def prot(self, session, _):
        session.reply("200 Protected")

    def epsv(self, session, _):
        session.listen()
        session.reply(f"229 Extended passive mode (|||{session.passive.getsockname()[1]}|)")

    def pasv(self, session, _):
        session.reply("502 No")

    def rest(self, session, argument):
        session.offset = int(argument)
        session.reply("350 Go on")

    def retr(self, session, path):
        name = path.rsplit("/", 1)[-1]
        if name not in self.files:
            session.reply("550 No such file")
            return
        session.send_data(self.files[name][session.take_offset():])

    def stor(self, session, path):
        content = session.receive_data()
        name, offset = path.rsplit("/", 1)[-1], session.take_offset()
        self.files[name] = self.files.get(name, b"")[:offset] + content
        session.reply("226 Done")

    def appe(self, session, path):
        name = path.rsplit("/", 1)[-1]
        self.files[name] = self.files.get(name, b"") + session.receive_data()
        session.reply("226 Done")

    def size(self, session, path):
        name = path.rsplit("/", 1)[-1]
        session.reply(f"213 {len(self.files[name])}" if name in self.files else "550 No such file")

    def mdtm(self, session, path):
        name = path.rsplit("/", 1)[-1]
        session.reply(f"213 {self.modified}" if name in self.files else "550 No such file")


class Session:
    def __init__(self, server, connection):
        self.server, self.connection, self.passive, self.offset = server, connection, None, 0

    def close(self):
        for open_socket in (self.connection, self.passive):
            if open_socket:
                with contextlib.suppress(OSError):
                    open_socket.close()

    def run(self):
        if self.server.implicit:
            self.start_tls()
        self.connection.sendall(self.server.greeting)
        buffer = b""
        while True:
            while b"\r\n" not in buffer:
                data = self.connection.recv(4096)
                if not data:
                    return
                buffer += data
            line, buffer = buffer.split(b"\r\n", 1)
            self.obey(line.decode(errors="surrogateescape"))

    def obey(self, command):
        self.server.commands.append(command)
        verb, _, argument = command.partition(" ")
        answer = getattr(self.server, verb.lower(), None)
        simple = {"USER": "331 Password", "PASS": "230 Welcome", "PBSZ": "200 0", "TYPE": "200 Binary",
                  "PWD": '257 "/" is here', "CWD": "250 There", "QUIT": "221 Bye"}
        if answer:
            answer(self, argument)
        elif verb == "FEAT":
            self.reply("211-Features:\r\n" + "".join(f" {name}\r\n" for name in self.server.features) + "211 End")
        elif verb == "MLSD":
            self.send_data(self.server.listing())
        else:
            self.reply(simple.get(verb, "502 Not here"))
        if verb == "QUIT":
            raise Hangup

    def reply(self, line):
        self.connection.sendall(f"{line}\r\n".encode(errors="surrogateescape"))

    def start_tls(self):
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)

    def take_offset(self):
        offset, self.offset = self.offset, 0
        return offset

    def listen(self):
        if self.passive:
            self.passive.close()
        self.passive = socket.create_server(("127.0.0.1", 0))
        self.passive.settimeout(SECONDS)

    def open_data(self):
        connection, _ = self.passive.accept()
        connection.settimeout(SECONDS)
        self.reply("150 Here it comes")
        self.server.tickets.append(offered_ticket(connection))
        return self.server.context.wrap_socket(connection, server_side=True)

    def send_data(self, content, cut=False):
        """With cut, the connection ends without close_notify."""
        data = self.open_data()
        with data:
            data.sendall(content)
            if not cut:
                data.unwrap()
        self.reply("426 Broken off" if cut else "226 Done")

    def receive_data(self):
        content = b""
        with self.open_data() as data:
            while block := data.recv(65536):
                content += block
            with contextlib.suppress(OSError):
                data.unwrap()
        return content

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers that talk in the clear before TLS begins, well and badly."""

import socket
import ssl
import threading
from contextlib import contextmanager

LDAP_OID = b"1.3.6.1.4.1.1466.20037"
POSTGRES_REQUEST = bytes.fromhex("0000000804d2162f")
XMPP_TLS = b"urn:ietf:params:xml:ns:xmpp-tls"


class WrongRequest(Exception):
    """The client said something else than the protocol wants."""


class Client:
    """The server's end."""

    def __init__(self, connection):
        self.socket = connection

    def say(self, text):
        self.socket.sendall(text)

    def expect(self, text):
        """Not a byte more: what follows is TLS."""
        heard = b""
        while len(heard) < len(text):
            block = self.socket.recv(len(text) - len(heard))
            if not block:
                break
            heard += block
        if heard.lower() != text.lower():
            raise WrongRequest(f"{heard!r} instead of {text!r}")

    def expect_until(self, end):
        heard = b""
        while not heard.endswith(end):
            block = self.socket.recv(1)
            if not block:
                raise WrongRequest(f"{heard!r} does not end in {end!r}")
            heard += block
        return heard


# Dialogues as they should be. Each says its last word, which agrees to TLS.


def ftp(client, last=b"234 Go on\r\n"):
    client.say(b"220-Welcome\r\n    221 to an odd one\r\n220 Ready\r\n")
    client.expect(b"AUTH TLS\r\n")
    client.say(last)


def smtp(client, last=b"220 Go on\r\n", announced=b"250-STARTTLS\r\n"):
    client.say(b"220-mx.example.org\r\n220 ESMTP\r\n")
    client.expect_until(b"\r\n")
    client.say(b"250-mx.example.org\r\n" + announced + b"250 8BITMIME\r\n")
    client.expect(b"STARTTLS\r\n")
    client.say(last)


def imap(client, last=b"a2 OK Begin\r\n", announced=b" STARTTLS"):
    client.say(b"* OK IMAP4rev1\r\n")
    client.expect(b"a1 CAPABILITY\r\n")
    client.say(b"* CAPABILITY IMAP4rev1" + announced + b" LOGINDISABLED\r\na1 OK Done\r\n")
    client.expect(b"a2 STARTTLS\r\n")
    client.say(last)


def pop3(client, last=b"+OK Begin\r\n"):
    client.say(b"+OK POP3\r\n")
    client.expect(b"STLS\r\n")
    client.say(last)


def xmpp(client, last=b"<proceed xmlns='" + XMPP_TLS + b"'/>", announced=b"<starttls xmlns='" + XMPP_TLS + b"'/>"):
    header = client.expect_until(b"streams'>")
    if b"to='localhost'" not in header:
        raise WrongRequest(f"the stream is opened to somebody else: {header!r}")
    client.say(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' version='1.0'>\n")
    client.say(b"<stream:features>" + announced + b"<mechanisms/></stream:features>")
    client.expect(b"<starttls xmlns='" + XMPP_TLS + b"'/>")
    client.say(last)


def postgres(client, last=b"S"):
    client.expect(POSTGRES_REQUEST)
    client.say(last)


def ldap_response(code=0, long_lengths=False):
    """An ExtendedResponse in BER; long lengths are what Active Directory writes."""
    result = bytes([0x0A, 1, code, 4, 0, 4, 0]) + bytes([0x8A, len(LDAP_OID)]) + LDAP_OID

    def wrap(tag, content):
        length = b"\x84" + len(content).to_bytes(4, "big") if long_lengths else bytes([len(content)])
        return bytes([tag]) + length + content

    return wrap(0x30, b"\x02\x01\x01" + wrap(0x78, result))


def ldap(client, last=None):
    client.expect(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + LDAP_OID)
    client.say(ldap_response() if last is None else last)


class Server:
    """Holds the dialogue with each client, then speaks TLS and listens until the client ends."""

    def __init__(self, certificates, dialogue):
        self.dialogue = dialogue
        self.complaints = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates.server, certificates.server_key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                self.dialogue(Client(connection))
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    while secure.recv(4096):
                        pass
            except WrongRequest as wrong:
                self.complaints.append(str(wrong))
            except OSError:  # the client left, as it should where the dialogue is a bad one
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextmanager
def serving(certificates, dialogue):
    server = Server(certificates, dialogue)
    try:
        yield server
    finally:
        server.close()

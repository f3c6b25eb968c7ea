# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our client, as a program would write it: it trusts the tests' root alone."""

from contextlib import contextmanager

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GTlsSession  # noqa: E402

from tap import Failed, check  # noqa: E402

BLOCK = 65536
TICKET_MILLISECONDS = 5000
SOCKET_SECONDS = 10
VERSIONS = {"1.2": Gio.TlsProtocolVersion.TLS_1_2, "1.3": Gio.TlsProtocolVersion.TLS_1_3}


class Stream:
    """Bytes to and from a connection."""

    def __init__(self, connection):
        self.input, self.output = connection.get_input_stream(), connection.get_output_stream()
        self.unread = b""

    def write(self, data):
        self.output.write_all(data, None)

    def read_more(self):
        block = self.input.read_bytes(BLOCK, None).get_data()
        if not block:
            raise Failed(f"the connection ended after {len(self.unread)} bytes")
        self.unread += block

    def take(self, size):
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def read(self, size):
        while len(self.unread) < size:
            self.read_more()
        return self.take(size)

    def read_until(self, mark):
        while mark not in self.unread:
            self.read_more()
        return self.take(self.unread.index(mark) + len(mark))


def prepare(server, root, certificate=None):
    """A helper whose handshake is still to come."""
    client = Gio.SocketClient()
    client.set_timeout(SOCKET_SECONDS)
    tcp = client.connect_to_host("127.0.0.1", server.port, None)
    helper = GTlsSession.Helper.new_for_stream(tcp, Gio.NetworkAddress.new("localhost", server.port))
    connection = helper.get_connection()
    connection.set_database(GTlsSession.FileDatabase.new(str(root)))
    connection.set_session_resumption_enabled(False)  # what is resumed is what a story offers by hand
    if certificate:
        connection.set_certificate(GTlsSession.Certificate.new_from_file(str(certificate)))
    return helper


@contextmanager
def connected(server, root, source=None, certificate=None):
    """A helper after its handshake, with what the source has to give offered, and the stream on it."""
    helper = prepare(server, root, certificate)
    if source:
        helper.copy_session_state(source)
    connection = helper.get_connection()
    try:
        connection.handshake(None)
        check(connection.get_protocol_version() == VERSIONS[server.version], "another version was spoken")
        yield helper, Stream(connection)
    finally:
        connection.close(None)

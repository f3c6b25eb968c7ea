# SPDX-License-Identifier: LGPL-2.1-or-later
"""The control connection of an FTPS client (RFC 4217): commands and replies. See ftps.py."""

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GTlsSession  # noqa: E402


class FtpsControl:
    def __init__(self, host_and_port, ca=None, only_tls12=False):
        self.address = Gio.NetworkAddress.parse(host_and_port, 21)
        self.database = GTlsSession.FileDatabase.new(ca) if ca else None
        self.only_tls12 = only_tls12
        self.stream = Gio.SocketClient().connect(self.address, None)
        self.replies = Gio.DataInputStream.new(self.stream.get_input_stream())
        self.replies.set_close_base_stream(False)
        self.reply("220")
        self.command("AUTH TLS", "234")
        self.control = self.secure(self.stream)
        self.control.get_connection().handshake(None)
        self.stream = self.control.get_connection()
        self.replies = Gio.DataInputStream.new(self.stream.get_input_stream())

    def secure(self, stream):
        """TLS over a TCP connection; the handshake is still to come."""
        helper = GTlsSession.Helper.new_for_stream(stream, self.address)
        if self.database:
            helper.get_connection().set_database(self.database)
        if self.only_tls12:
            helper.get_connection().set_maximum_protocol_version(Gio.TlsProtocolVersion.TLS_1_2)
        return helper

    def reply(self, *expected):
        """Reads a reply, of several lines perhaps (RFC 959, section 4.2)."""
        line, _ = self.replies.read_line_utf8(None)
        while line is not None and line[3:4] != " ":
            line, _ = self.replies.read_line_utf8(None)
        if line is None or not line.startswith(expected):
            raise RuntimeError(f"The server answered: {line}")
        return line

    def command(self, text, *expected):
        self.stream.get_output_stream().write_all(f"{text}\r\n".encode(), None)
        return self.reply(*expected)

    def login(self, user, password):
        if self.command(f"USER {user}", "331", "230").startswith("331"):
            self.command(f"PASS {password}", "230")
        self.command("PBSZ 0", "200")
        self.command("PROT P", "200")
        self.command("TYPE I", "200")
        self.control.wait_for_ticket(5000, None)

    def quit(self):
        self.command("QUIT", "221")
        self.stream.close(None)

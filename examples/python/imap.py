#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds a connection open for each of several mailboxes (RFC 9051); all resume the first one's TLS session.

    imap.py HOST[:PORT] USER MAILBOX...        The password is read from the standard input.
"""

import getpass
import re
import sys

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402


class Imap:
    def __init__(self, host, source=None):
        address = Gio.NetworkAddress.parse(host, 993)
        self.helper = GTlsSession.Helper.new_for_stream(Gio.SocketClient().connect(address, None), address)
        self.connection = self.helper.get_connection()
        if source:
            self.helper.copy_session_state(source.helper)
        self.connection.handshake(None)
        self.input = Gio.DataInputStream.new(self.connection.get_input_stream())
        self.n_commands = 0
        self.read_line()  # the greeting; in TLS 1.3 the tickets come with it

    def read_line(self):
        line, _ = self.input.read_line_utf8(None)
        if line is None:
            raise RuntimeError("The server ended the connection")
        return line.rstrip("\r")

    def command(self, text):
        """What the server says until it is done with the command."""
        self.n_commands += 1
        tag = f"a{self.n_commands}"
        self.connection.get_output_stream().write_all(f"{tag} {text}\r\n".encode(), None)
        lines = [self.read_line()]
        while not lines[-1].startswith(f"{tag} "):
            lines.append(self.read_line())
        if not lines[-1].startswith(f"{tag} OK"):
            raise RuntimeError(f"The server answered: {lines[-1]}")
        return "\n".join(lines)

    def open(self, user, password, mailbox):
        self.command(f"LOGIN {quote(user)} {quote(password)}")
        return re.search(r"\* (\d+) EXISTS", self.command(f"EXAMINE {quote(mailbox)}")).group(1)

    def close(self):
        self.command("LOGOUT")
        self.connection.close(None)


def quote(text):
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def main(host, user, *mailboxes):
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    open_ones = []
    for mailbox in mailboxes:
        imap = Imap(host, open_ones[0] if open_ones else None)
        open_ones.append(imap)
        print(f"{imap.helper.get_resumption().value_nick}: {imap.open(user, password, mailbox)} in {mailbox}")
    for imap in open_ones:
        imap.close()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(f"usage: {sys.argv[0]} HOST[:PORT] USER MAILBOX...")
    try:
        main(*sys.argv[1:])
    except (GLib.Error, RuntimeError) as error:
        sys.exit(getattr(error, "message", str(error)))

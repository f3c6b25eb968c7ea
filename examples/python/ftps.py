#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.

    ftps.py [--ca FILE] [--tls1.2] [--user U] [--password P] [--times N] HOST:PORT list|get|put [REMOTE] [LOCAL]

With --times N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.
"""

import argparse
import sys

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402

BLOCK = 64 * 1024


class Ftps:
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

    def open_data(self, command):
        """The data connection for a command, with the control connection's session."""
        port = int(self.command("EPSV", "229").split("|")[-2])
        remote = self.stream.get_property("base-io-stream").get_remote_address().get_address()
        tcp = Gio.SocketClient().connect(Gio.InetSocketAddress.new(remote, port), None)
        self.command(command, "150", "125")
        data = self.secure(tcp)
        try:
            data.copy_session_state(self.control)
        except GLib.Error as error:
            print(f"The session could not be carried over: {error.message}", file=sys.stderr)
        data.get_connection().handshake(None)
        return data

    def close_data(self, data):
        data.get_connection().close(None)  # after an upload, this is what makes sure that all of it arrives
        self.reply("226", "250")
        return data.get_resumption()

    def download(self, command):
        data = self.open_data(command)
        content = bytearray()
        while block := data.get_connection().get_input_stream().read_bytes(BLOCK, None).get_data():
            content += block
        return bytes(content), self.close_data(data)

    def list(self, path=""):
        return self.download(f"LIST {path}".rstrip())

    def get(self, remote):
        return self.download(f"RETR {remote}")

    def put(self, remote, content):
        data = self.open_data(f"STOR {remote}")
        data.get_connection().get_output_stream().write_all(content, None)
        return self.close_data(data)

    def quit(self):
        self.command("QUIT", "221")
        self.stream.close(None)


def transfer(ftps, verb, remote, local):
    if verb == "put":
        with open(local, "rb") as file:
            content = file.read()
        return len(content), ftps.put(remote, content)
    content, resumption = ftps.list(remote) if verb == "list" else ftps.get(remote)
    if local:
        with open(local, "wb") as file:
            file.write(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    return len(content), resumption


def main():
    parser = argparse.ArgumentParser(description="A small FTPS client that resumes TLS sessions")
    parser.add_argument("--ca", help="a file of certificates to trust, instead of the system's")
    parser.add_argument("--tls1.2", action="store_true", dest="only_tls12", help="TLS 1.2 at most")
    parser.add_argument("--user", default="anonymous")
    parser.add_argument("--password", default="anonymous@")
    parser.add_argument("--times", type=int, default=1, help="how often, in one session")
    parser.add_argument("host", metavar="HOST:PORT")
    parser.add_argument("verb", choices=["list", "get", "put"])
    parser.add_argument("remote", nargs="?", default="")
    parser.add_argument("local", nargs="?")
    options = parser.parse_args()

    ftps = Ftps(options.host, options.ca, options.only_tls12)
    ftps.login(options.user, options.password)
    for number in range(options.times):
        remote, local = (name and name.replace("%d", str(number)) for name in (options.remote, options.local))
        size, resumption = transfer(ftps, options.verb, remote, local)
        print(f"{options.verb} {remote}: {size} bytes, {resumption.value_nick}", file=sys.stderr)
    ftps.quit()


if __name__ == "__main__":
    try:
        main()
    except (GLib.Error, RuntimeError, OSError) as error:
        sys.exit(f"ftps: {getattr(error, 'message', error)}")

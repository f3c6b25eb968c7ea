# SPDX-License-Identifier: LGPL-2.1-or-later
"""The data connections of an FTPS client, each with the control connection's TLS session. See ftps.py."""

import sys

import gi

gi.require_version("GTlsSession", "1")
from ftps_control import FtpsControl  # noqa: E402
from gi.repository import Gio, GLib  # noqa: E402

BLOCK = 64 * 1024


class FtpsClient(FtpsControl):
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

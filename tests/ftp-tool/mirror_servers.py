# SPDX-License-Identifier: LGPL-2.1-or-later
"""The FTP servers of the bindings' tests, set up so that folders can be made, and files continued and replaced. Both want
each data connection to resume the control connection's session."""

import contextlib
import socket
import time

import servers


class Vsftpd(servers.Vsftpd):
    """Has LIST only, and sets times with MDTM."""

    def settings(self):
        return {**super().settings(), "anon_mkdir_write_enable": "YES"}


class Proftpd(servers.Proftpd):
    """Has MLSD and MFMT."""

    more = ""

    def command(self):
        command = super().command()
        configuration = self.directory / "proftpd.conf"
        configuration.write_text(f"{configuration.read_text()}\nAllowOverwrite on\nAllowStoreRestart on\n{self.more}\n")
        return command


class ImplicitProftpd(Proftpd):
    """Speaks TLS from the first byte on."""

    more = "TLSOptions UseImplicitSSL"

    def wait_until_listening(self):
        """It does not greet before TLS."""
        deadline = time.monotonic() + servers.START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise RuntimeError(f"{type(self).__name__} did not start:\n{self.read_log()}")

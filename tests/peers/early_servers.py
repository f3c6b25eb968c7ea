# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers of others that take early data, and what they say of what they got.

count_arrivals(text) is how often the server has it; was_taken_early(text), whether it came as early data.
"""

import re

import servers
from program import find_installed
from tap import check

PERMITTED = 16384


class EarlyNginx(servers.Nginx):
    """The text is a path, which is asked for."""

    tells_early = True

    def __init__(self, *arguments, permits=True, **keywords):
        super().__init__(*arguments, **keywords)
        self.permits = permits

    def configuration(self):
        (self.directory / "early").touch()
        return super().configuration().replace(
            f"access_log {self.directory}/access account;",
            f"access_log {self.directory}/access account;\n"
            "  log_format early '$request_uri early=$ssl_early_data reused=$ssl_session_reused';\n"
            f"  access_log {self.directory}/early early;\n"
            f"  ssl_early_data {'on' if self.permits else 'off'};")

    def request(self, text):
        return f"GET /{text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def confirm(self, stream, text):
        """The answer to the early data comes first."""
        answer = stream.read_until(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", answer, re.IGNORECASE)
        stream.read(int(length.group(1)))
        self.ask(stream, "GET /last")
        self.program.wait_until(lambda _: "/last" in self.told_early(), "the log")

    def wait_for_early(self, text):
        """It answers before the handshake is done, and calls early only what it answers so."""
        self.program.wait_until(lambda _: self.was_taken_early(text), "the early data")

    def told_early(self):
        return (self.directory / "early").read_text()

    def count_arrivals(self, text):
        return len(re.findall(rf"^/{text} ", self.told_early(), re.MULTILINE))

    def was_taken_early(self, text):
        return re.search(rf"^/{text} early=1 ", self.told_early(), re.MULTILINE) is not None


class EarlyOpenssl(servers.OpensslServer):
    tells_early = True

    def __init__(self, *arguments, permits=True, group=None, **keywords):
        super().__init__(*arguments, **keywords)
        self.permits, self.group = permits, group

    def command(self):
        early = ["-early_data", "-max_early_data", str(PERMITTED)] if self.permits else []
        in_order = [find_installed("stdbuf"), "-oL"]  # it writes the data past its own buffer
        return in_order + super().command() + early + (["-groups", self.group] if self.group else [])

    def request(self, text):
        return f"{text}\n".encode()

    def confirm(self, stream, text):
        self.program.wait_until(lambda told: text in told, "what was sent")

    def wait_for_early(self, _):
        """It says what it has when the handshake is done."""

    def count_arrivals(self, text):
        return self.program.told().count(text)

    def was_taken_early(self, text):
        return re.search(rf"Early data received:\s*{text}\s*End of early data", self.program.told()) is not None


class EarlyGnutls(servers.GnutlsServer):
    """Echoes what it reads as ordinary data, line by line, and keeps to itself what came early."""

    tells_early = False

    def __init__(self, *arguments, permits=True, **keywords):
        super().__init__(*arguments, **keywords)
        self.permits = permits

    def command(self):
        return super().command() + (["--earlydata", f"--maxearlydata={PERMITTED}"] if self.permits else [])

    def request(self, text):
        return f"{text}\n".encode()

    def confirm(self, stream, text):
        line = self.request(text)
        back = stream.read(len(line))
        check(back == line, f"the server echoed {back}")

    def count_arrivals(self, text):
        return self.program.told().count(f"received cmd: {text}")

    def was_taken_early(self, _):
        return False


KINDS = {"nginx": EarlyNginx, "openssl": EarlyOpenssl, "gnutls": EarlyGnutls}

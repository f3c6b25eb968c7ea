# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLS clients of others. Each sends an HTTP request whose body the server gives back, and trusts the tests' root alone.

converse() makes a session and resumes it, and returns what the client says of each connection: was it resumed?
"""

import re
import subprocess
import sys
from pathlib import Path

import payload
from program import find_installed
from tap import Failed, check

PATIENCE_SECONDS = 20


class Client:
    def __init__(self, directory, certificates, port, version):
        self.directory, self.certificates = Path(directory), certificates
        self.port, self.version = port, version
        self.body = payload.make()
        self.request = b"PUT /echo HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body

    def run(self, command, stdin=b""):
        """What it wrote, on both of its outputs."""
        try:
            done = subprocess.run([str(part) for part in command], input=stdin, cwd=self.directory,
                                  capture_output=True, timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{command[0]} did not end:\n{self.tail(late.stdout)}\n{self.tail(late.stderr)}") from None
        check(done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{self.tail(done.stdout)}\n"
                                    f"{self.tail(done.stderr)}")
        return done

    @staticmethod
    def tail(output):
        return (output or b"").decode(errors="replace")[-1500:]

    def check_body(self, output):
        check(self.body in output, f"of {len(self.body)} bytes not all came back in {len(output)}:\n"
                                   f"{self.tail(output)}")


class Curl(Client):
    """Keeps sessions between the requests of one call; tells what it offers, and each message of the handshakes.

    A server that takes the session shows no certificate.
    """

    @staticmethod
    def was_resumed(connection):
        offered = bool(re.search("SSL re-?using session", connection))
        has_certificate = "(IN), TLS handshake, Certificate (11)" in connection
        check("(IN), TLS handshake, Server hello (2)" in connection and offered != has_certificate,
              f"a session was {'' if offered else 'not '}offered, and what came was\n{connection}")
        return offered

    def converse(self):
        (self.directory / "body").write_bytes(self.body)
        url = f"https://localhost:{self.port}/echo"
        done = self.run([find_installed("curl"), "--silent", "--show-error", "--verbose", "--noproxy", "*",
                         "--http1.0", "--cacert", self.certificates.root, f"--tlsv{self.version}", "--tls-max",
                         self.version, "-T", "body", "-o", "first", url, "-T", "body", "-o", "second", url])
        for answer in ("first", "second"):
            self.check_body((self.directory / answer).read_bytes())
        connections = done.stderr.decode(errors="replace").split("* Connected to ")[1:]
        return [self.was_resumed(connection) for connection in connections]


class OpensslClient(Client):
    """A connection a call, and the session in a file, so that it can also be told what to offer."""

    def connect(self, *options):
        done = self.run([find_installed("openssl"), "s_client", "-connect", f"127.0.0.1:{self.port}",
                         "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error",
                         "-CAfile", self.certificates.root, "-tls" + self.version.replace(".", "_"), "-ign_eof",
                         "-nocommands", *options], self.request)
        self.check_body(done.stdout)
        return done.stdout

    def make_session(self, session, *options):
        """The session is a file to write."""
        told = self.connect("-sess_out", session, *options)
        check(b"\nNew, TLSv" in told, f"not a new session:\n{self.tail(told)}")
        return told

    def offer_session(self, session, *options):
        return self.connect("-sess_in", session, *options)

    @staticmethod
    def was_resumed(told):
        return b"\nReused, TLSv" in told

    @staticmethod
    def ticket_key_name(told):
        """A ticket begins with the name of the key that it is sealed with (RFC 5077, section 4)."""
        tickets = re.findall(rb"TLS session ticket:\s+0000 - (.{47})", told)
        return tickets[-1] if tickets else None

    def converse(self):
        session = self.directory / "session"
        told = self.make_session(session), self.offer_session(session)
        return [self.was_resumed(connection) for connection in told]


class GnutlsClient(Client):
    """With --resume it makes a session, says nothing in it, and talks in the next one."""

    def connect(self, *options):
        log = self.directory / "told"
        done = self.run([find_installed("gnutls-cli"), "--port", self.port, "--logfile", log, "--sni-hostname",
                         "localhost", "--verify-hostname", "localhost", "--x509cafile", self.certificates.root,
                         "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}", *options, "127.0.0.1"],
                        self.request)
        self.check_body(done.stdout)
        return "This is a resumed session" in log.read_text(errors="replace")

    def converse(self):
        return [self.connect(), False, self.connect("--resume", "--waitresumption")]


class Script(Client):
    """A client of a few lines, which makes two connections."""

    def converse(self):
        (self.directory / "request").write_bytes(self.request)
        done = self.run([*self.interpreter(), Path(__file__).parent / self.script, self.port, self.certificates.root,
                         self.version, "request", "first", "second"])
        for answer in ("first", "second"):
            self.check_body((self.directory / answer).read_bytes())
        return [reused == b"yes" for reused in re.findall(rb"^reused (yes|no)$", done.stdout, re.MULTILINE)]


class PythonClient(Script):
    script = "python-client.py"

    def interpreter(self):
        return [sys.executable]


class NodeClient(Script):
    script = "node-client.js"

    def interpreter(self):
        return [find_installed("node")]


KINDS = {"curl": Curl, "openssl": OpensslClient, "gnutls": GnutlsClient, "python": PythonClient, "node": NodeClient}

# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLS servers of others, started and stopped by the tests on free loopback ports.

Each has port, exchange(stream) and accounts(n): what the server itself says of the first n connections.
"""

import re
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import payload
from program import Program, find_installed, find_unpacked, free_port
from tap import Failed, check

N_PORTS_TO_TRY = 5


@dataclass
class Account:
    reused: bool
    client_certificate: bool = False


class Server:
    """version is "1.2" or "1.3". wants_client: a client certificate is required."""

    renews_tickets = True  # a resumed connection gets a ticket of its own

    def __init__(self, directory, certificates, version, wants_client=False):
        self.directory, self.certificates = Path(directory), certificates
        self.version, self.wants_client = version, wants_client
        self.program = None

    def start(self):
        """The port that was free may have been taken since by somebody else."""
        for attempt in range(N_PORTS_TO_TRY):
            self.port = free_port()
            self.program = Program(self.command(), self.directory / "log")
            try:
                self.wait_until_listening()
                return
            except Failed:
                if attempt == N_PORTS_TO_TRY - 1 or not self.program.has_ended():
                    raise
                self.program.stop()

    def stop(self):
        if self.program:
            self.program.stop()

    def exchange(self, stream):
        """What is sent comes back."""
        sent = payload.make()
        stream.write(sent)
        back = stream.read(len(sent))
        check(back == sent, payload.describe(back, sent))

    def accounts(self, count):
        def enough(told):
            accounts = self.read_accounts(told)
            return accounts if len(accounts) >= count else None

        accounts = self.program.wait_until(enough, f"the account of connection {count}")
        check(len(accounts) == count, f"{len(accounts)} connections instead of {count}:\n{self.program.told()}")
        return accounts


class Nginx(Server):
    """Answers PUT by keeping what it got, and GET by giving it back."""

    def command(self):
        for name in ("temporary", "files"):
            (self.directory / name).mkdir(exist_ok=True)
        (self.directory / "access").touch()
        program = find_unpacked("usr/sbin/nginx")
        configuration = self.directory / "nginx.conf"
        configuration.write_text(self.configuration())
        return [program, "-c", configuration, "-p", self.directory, "-e", self.directory / "errors"]

    def configuration(self):
        temporaries = "\n".join(f"{name}_temp_path {self.directory}/temporary;"
                                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
daemon off;
master_process off;
pid {self.directory}/pid;
events {{ }}
http {{
  {temporaries}
  log_format account '$ssl_protocol $ssl_session_reused $ssl_client_verify $request_method $status';
  access_log {self.directory}/access account;
  keepalive_requests 2;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    server_name localhost;
    root {self.directory}/files;
    dav_methods PUT;
    client_max_body_size 1m;
    ssl_certificate {self.certificates.server};
    ssl_certificate_key {self.certificates.server_key};
    ssl_protocols TLSv{self.version};
    ssl_session_tickets on;
    {self.client_configuration()}
  }}
}}
"""

    def client_configuration(self):
        if not self.wants_client:
            return ""
        return f"ssl_verify_client on; ssl_client_certificate {self.certificates.root};"

    def wait_until_listening(self):
        self.program.wait_until(lambda _: (self.directory / "pid").exists(), "its pid")

    def ask(self, stream, request, body=b""):
        headers = f"{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        stream.write(headers.encode() + body)
        answer = stream.read_until(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", answer, re.IGNORECASE)
        return answer.split()[1], stream.read(int(length.group(1)) if length else 0)

    def exchange(self, stream):
        sent = payload.make()
        status, _ = self.ask(stream, "PUT /file", sent)
        check(status in (b"201", b"204"), f"PUT was answered with {status}")
        status, back = self.ask(stream, "GET /file")
        check(status == b"200" and back == sent, f"{status}: {payload.describe(back, sent)}")

    def read_accounts(self, _):
        """One for each connection: each ends with its GET."""
        lines = [line.split() for line in (self.directory / "access").read_text().splitlines()]
        return [Account(reused == "r", client == "SUCCESS") for protocol, reused, client, method, status in lines
                if method == "GET" and status == "200" and protocol == f"TLSv{self.version}"]


class OpensslServer(Server):
    """Tells what the client sends, and sends what it is told."""

    def command(self):
        command = [find_installed("openssl"), "s_server", "-accept", f"127.0.0.1:{self.port}",
                   "-cert", self.certificates.server, "-key", self.certificates.server_key,
                   "-tls" + self.version.replace(".", "_")]
        if self.wants_client:
            command += ["-Verify", "2", "-verify_return_error", "-CAfile", self.certificates.root]
        return command

    def wait_until_listening(self):
        self.program.wait_until(lambda told: "ACCEPT" in told, "ACCEPT")

    def exchange(self, stream):
        sent = payload.make()
        stream.write(sent)
        self.program.wait_until(lambda told: sent.decode() in told, "what was sent")
        answer = payload.make()
        self.program.say(answer)
        back = stream.read(len(answer))
        check(back == answer, payload.describe(back, answer))

    def read_accounts(self, told):
        """One for each handshake, each of which ends with the word about renegotiation."""
        handshakes = re.findall(r"BEGIN SSL SESSION PARAMETERS(.*?)Secure Renegotiation", told, re.DOTALL)
        return [Account("Reused session-id" in handshake, "Client certificate" in handshake)
                for handshake in handshakes]


class GnutlsServer(Server):
    def command(self):
        priority = f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}"
        return [find_installed("stdbuf"), "-oL", find_installed("gnutls-serv"), "--echo", "--disable-client-cert",
                f"--port={self.port}", f"--priority={priority}", f"--x509certfile={self.certificates.server}",
                f"--x509keyfile={self.certificates.server_key}"]

    def wait_until_listening(self):
        self.program.wait_until(lambda told: re.search(r"listening on IPv4 .*done", told), "its port")

    def read_accounts(self, told):
        return [Account("This is a resumed session" in connection)
                for connection in told.split("* Accepted connection")[1:]]


class Script(Server):
    """A server of a few lines, which tells its port and what became of each session."""

    def command(self):
        here = Path(__file__).parent
        return [*self.interpreter(), here / self.script, self.certificates.server, self.certificates.server_key,
                self.version]

    def wait_until_listening(self):
        told = self.program.wait_until(lambda told: re.search(r"^port (\d+)$", told, re.MULTILINE), "its port")
        self.port = int(told.group(1))

    def read_accounts(self, told):
        return [Account(reused == "yes") for reused in re.findall(r"^reused (yes|no)$", told, re.MULTILINE)]


class PythonServer(Script):
    script = "python-server.py"

    def interpreter(self):
        return [sys.executable]


class NodeServer(Script):
    """Node's ticket callback tells OpenSSL that the ticket is good, never that it wants renewal."""

    script = "node-server.js"
    renews_tickets = False

    def interpreter(self):
        return [find_installed("node")]


KINDS = {"nginx": Nginx, "openssl": OpensslServer, "gnutls": GnutlsServer, "python": PythonServer, "node": NodeServer}


@contextmanager
def running(kind, certificates, version, **options):
    with tempfile.TemporaryDirectory(prefix="gtls-session-peer-") as directory:
        server = kind(directory, certificates, version, **options)
        try:
            server.start()
            yield server
        finally:
            server.stop()

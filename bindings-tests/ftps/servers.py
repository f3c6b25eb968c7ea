# SPDX-License-Identifier: LGPL-2.1-or-later
"""FTP servers with TLS, as Debian ships them, started and stopped by the tests on free loopback ports.

The packages are not installed: installed they would run as services, and they conflict. ./run unpacks them below the
directory that GTLS_SESSION_SERVERS names.
"""

import contextlib
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 60  # on a busy machine; how long its greeting may take, too


class Missing(Exception):
    """The server's program is not there."""


def find_program(relative):
    top = os.environ.get("GTLS_SESSION_SERVERS", "")
    program = Path(top) / relative
    if not top or not program.exists():
        raise Missing(f"{relative} is not below GTLS_SESSION_SERVERS ({top or 'not set'}); ./run test puts it there")
    return program


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates(directory):
    """A root (ca.pem), and a certificate with its key for localhost and 127.0.0.1 (server.pem)."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=FTPS test root")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "server.crt")
    (directory / "server.pem").write_text((directory / "server.crt").read_text() +
                                          (directory / "server.key").read_text())
    (directory / "server.pem").chmod(0o600)


def plain_user():
    """Who serves the files: ourselves, or if we are root somebody else, whose home has to exist for vsftpd."""
    if os.getuid() != 0:
        return getpass.getuser()
    return next(user.pw_name for user in pwd.getpwall() if user.pw_uid > 0 and Path(user.pw_dir).is_dir())


class Server:
    """user, password, port, ca (a path), and files: where uploads land and downloads come from."""

    user = "anonymous"
    password = "test@localhost"
    upload_folder = ""  # as the client names it, with a slash at its end if there is one

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="gtls-session-ftps-"))
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.directory)
            raise

    def start(self):
        self.directory.chmod(0o755)
        self.port = free_port()
        self.ca = self.directory / "ca.pem"
        self.log = self.directory / "log"
        make_certificates(self.directory)
        self.files = self.make_files()
        with open(self.log, "wb") as log:
            # What is preloaded is for the clients: vsftpd bounds its memory, and has too little for a sanitizer's.
            environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=environment)

    def absolute_folder(self):
        """The upload folder from the root on, which only root's server can choose."""
        return f"/{self.upload_folder}" if os.getuid() == 0 else f"{self.files}/"

    def make_folder(self, *parts, mode=0o777):
        folder = self.directory.joinpath(*parts)
        folder.mkdir(parents=True)
        folder.chmod(mode)
        return folder

    def wait_until_listening(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with (contextlib.suppress(OSError),
                  socket.create_connection(("127.0.0.1", self.port), START_SECONDS) as connection):
                if connection.recv(3) == b"220":
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{type(self).__name__} did not start:\n{self.read_log()}")

    def read_log(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)


class Vsftpd(Server):
    """Anonymous, so that no user has to be made; what is anonymous is held to TLS and to session reuse all the same."""

    upload_folder = "files/"

    def make_files(self):
        self.make_folder("root", mode=0o755)
        return self.make_folder("root", "files")

    def settings(self):
        return {
            "listen": "YES", "listen_address": "127.0.0.1", "listen_port": self.port, "background": "NO",
            "seccomp_sandbox": "NO", "pasv_address": "127.0.0.1", "secure_chroot_dir": self.directory / "empty",
            "run_as_launching_user": "NO" if os.getuid() == 0 else "YES",
            "anonymous_enable": "YES", "local_enable": "NO", "no_anon_password": "YES", "write_enable": "YES",
            "anon_root": self.directory / "root", "anon_upload_enable": "YES", "anon_other_write_enable": "YES",
            "anon_umask": "022", "anon_world_readable_only": "NO", "ftp_username": plain_user(),
            "nopriv_user": plain_user(),
            "ssl_enable": "YES", "require_ssl_reuse": "YES", "ssl_ciphers": "HIGH", "allow_anon_ssl": "YES",
            "force_anon_logins_ssl": "YES", "force_anon_data_ssl": "YES",
            "rsa_cert_file": self.directory / "server.pem", "rsa_private_key_file": self.directory / "server.pem",
            "xferlog_enable": "YES", "vsftpd_log_file": self.directory / "transfers", "debug_ssl": "YES",
        }

    def command(self):
        self.make_folder("empty", mode=0o755)
        configuration = self.directory / "vsftpd.conf"
        configuration.write_text("".join(f"{name}={value}\n" for name, value in self.settings().items()))
        return [find_program("usr/sbin/vsftpd"), configuration]

    def read_log(self):
        transfers = self.directory / "transfers"
        return super().read_log() + (transfers.read_text(errors="replace") if transfers.exists() else "")


class Proftpd(Server):
    user = "tester"
    password = "secret"
    protocols = "TLSv1.2 TLSv1.3"

    def make_files(self):
        return self.make_folder("files")

    def hash_password(self):
        return subprocess.run(["openssl", "passwd", "-6", self.password], check=True, capture_output=True,
                              text=True).stdout.strip()

    def command(self):
        program = find_program("usr/sbin/proftpd")
        account = pwd.getpwnam(plain_user())
        users = self.directory / "users"
        users.write_text(f"{self.user}:{self.hash_password()}:{account.pw_uid}:{account.pw_gid}::{self.files}:/bin/sh\n")
        users.chmod(0o600)
        group = subprocess.run(["id", "-gn", plain_user()], check=True, capture_output=True, text=True).stdout.strip()
        configuration = self.directory / "proftpd.conf"
        configuration.write_text(f"""
ModulePath {program.parents[1] / 'lib/proftpd'}
LoadModule mod_tls.c
ServerName test
ServerType standalone
DefaultAddress 127.0.0.1
Port {self.port}
UseIPv6 off
UseReverseDNS off
WtmpLog off
RequireValidShell off
User {plain_user()}
Group {group}
PidFile {self.directory / 'pid'}
ScoreboardFile {self.directory / 'scoreboard'}
DelayEngine off
AuthOrder mod_auth_file.c
AuthUserFile {users}
{'DefaultRoot ~' if os.getuid() == 0 else ''}
TransferLog none
SystemLog {self.directory / 'system'}
TLSEngine on
TLSRequired on
TLSProtocol {self.protocols}
TLSLog {self.directory / 'tls'}
TLSRSACertificateFile {self.directory / 'server.pem'}
TLSRSACertificateKeyFile {self.directory / 'server.pem'}
""".replace("TLSRSACertificate", "TLSECCertificate"))
        return [program, "--nodaemon", "--config", configuration]

    def read_log(self):
        logs = [self.directory / name for name in ("system", "tls")]
        return super().read_log() + "".join(log.read_text(errors="replace")[-4000:] for log in logs if log.exists())


@contextlib.contextmanager
def running(kind):
    server = kind()
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.stop()

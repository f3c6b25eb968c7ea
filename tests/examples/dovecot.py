# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dovecot, an IMAP server, where ./run has unpacked it, on a free loopback port. Its one user's mail is in mail."""

import getpass
import grp
import os
import pwd
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

from program import Program, find_unpacked, free_port
from tap import Failed

USER, PASSWORD = "tester", 'say"sesame'
N_PORTS_TO_TRY = 5


def plain_user():
    """Who serves; root may not, and then it is somebody who has no rights."""
    return pwd.getpwnam("nobody" if os.getuid() == 0 else getpass.getuser())


def keep_dovecot(_, names):
    return [name for name in names if not name.startswith("dove")]


class Dovecot:
    def __init__(self, directory, certificates, preloaded):
        self.directory, self.certificates = Path(directory), certificates
        self.user = plain_user()
        self.directory.chmod(0o755)
        self.top, self.preloaded = self.make_reachable(preloaded)
        self.library = self.top / "usr/lib/dovecot"
        self.mail = self.directory / "mail"
        self.mail.mkdir()

    def make_reachable(self, preloaded):
        """Whom root chooses to serve may have no right to the folder of this clone, so there is a copy."""
        original = find_unpacked("usr/lib/dovecot").parents[2]
        if os.getuid() != 0:
            return original, preloaded
        copy = self.directory / "program"
        for folder in ("usr/lib/dovecot", "usr/bin", "usr/sbin"):
            shutil.copytree(original / folder, copy / folder, symlinks=True,
                            ignore=None if "dovecot" in folder else keep_dovecot)
        return copy, shutil.copy(preloaded, copy)

    def environment(self):
        """No setting says where Dovecot's parts are when it is not installed."""
        return {"LD_LIBRARY_PATH": f"{self.library}:{self.library}/modules/old-stats", "LD_PRELOAD": self.preloaded,
                "UNPACKED_DOVECOT": str(self.top)}

    def deliver(self, mailbox, n_messages):
        folder = self.mail if mailbox == "INBOX" else self.mail / f".{mailbox}"
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True)
        for number in range(n_messages):
            (folder / "new" / f"{number}.test").write_text(f"Subject: {mailbox} {number}\n\nHello\n")

    def settings(self):
        """All clients are served by one process: each process has ticket keys of its own."""
        group = grp.getgrgid(self.user.pw_gid).gr_name
        variables = " ".join(f"{name}={value}" for name, value in self.environment().items())
        return f"""
base_dir = {self.directory}/run
state_dir = {self.directory}/run
libexec_dir = {self.library}
login_plugin_dir = {self.library}/modules/login
mail_plugin_dir = {self.library}/modules
import_environment = {variables}
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_login_user = {self.user.pw_name}
default_internal_user = {self.user.pw_name}
default_internal_group = {group}
first_valid_uid = 1
ssl = required
ssl_cert = <{self.certificates.server}
ssl_key = <{self.certificates.server_key}
mail_location = maildir:{self.mail}
service imap-login {{
  chroot =
  service_count = 0
  process_limit = 1
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={self.user.pw_uid} gid={self.user.pw_gid} home={self.mail}
}}
"""

    def start(self):
        """Through doveconf, which Dovecot would look for where it is installed."""
        if os.getuid() == 0:
            for path in (self.mail, *self.mail.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        for attempt in range(N_PORTS_TO_TRY):
            self.port = free_port()
            configuration = self.directory / "dovecot.conf"
            configuration.write_text(self.settings())
            self.program = Program([self.top / "usr/bin/doveconf", "-f", "service=master", "-c", configuration,
                                    "-m", "master", "-e", self.top / "usr/sbin/dovecot", "-F", "-c", configuration],
                                   self.directory / "log", self.environment())
            try:
                self.program.wait_until(lambda _: self.is_listening(), "its port")
                return
            except Failed:
                ended = self.program.has_ended()
                self.program.stop()
                if attempt == N_PORTS_TO_TRY - 1 or not ended:
                    raise

    def is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running(certificates, preloaded, mailboxes):
    """mailboxes: the number of messages in each."""
    directory = tempfile.mkdtemp(prefix="gtls-session-dovecot-")
    server = None
    try:
        server = Dovecot(directory, certificates, preloaded)
        for mailbox, n_messages in mailboxes.items():
            server.deliver(mailbox, n_messages)
        server.start()
        yield server
    finally:
        if server and hasattr(server, "program"):
            server.program.stop()
        shutil.rmtree(directory)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""GNOME's virtual file system on our GIO module: test-gvfs.py MODULE

gvfs mounts FTP servers over TLS, both of which want each data connection to resume the control connection's session,
and copies files both ways. It knows nothing of this library.
"""

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import gvfs
import servers
import tap
from tap import Failed, Missing, check

SIZES = [0, 1, 2, 1000, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 100_000, 200_000, 500_000, 999_999,
         1024 * 1024, 1024 * 1024 + 1, 2_000_000, 3_000_003, 5 * 1024 * 1024]
N_AT_ONCE = 4
QUESTION, PASSWORD = "Choice: ", "Password: "
UNKNOWN_ROOT = "The signing certificate authority is not known."
YES, NO = "1", "2"


class Vsftpd(servers.Vsftpd):
    """Anonymous logins that know the password; gvfs asks for one unless the user is called anonymous."""

    user = "ftp"

    def settings(self):
        passwords = self.directory / "passwords"
        passwords.write_text(f"{self.password}\n")
        return {**super().settings(), "no_anon_password": "NO", "secure_email_list_enable": "YES",
                "email_password_file": passwords}

    def check_account(self, n_transfers):
        """Each login is a full handshake; everything else was resumed."""
        log = self.read_log()
        n_full, n_resumed, n_logins = log.count(", not reused,"), log.count(", reused,"), log.count("OK LOGIN")
        check(n_full == n_logins and n_resumed >= n_transfers, f"{n_full} full, {n_resumed} resumed:\n{log}")
        check(log.count("SSL version: TLSv1.3,") == n_full + n_resumed, f"other versions:\n{log}")

    def has_login(self):
        return "OK LOGIN" in self.read_log()


class Proftpd(servers.Proftpd):
    version = "TLSv1.3"
    protocols = version

    def check_account(self, n_transfers):
        log = (self.directory / "tls").read_text()
        n_resumed = log.count("client reused TLS session for data connection")
        check(n_resumed >= n_transfers, f"{n_resumed} resumed:\n{log}")
        versions = set(re.findall(r"(\S+) (?:data )?connection accepted", log))
        check(versions == {self.version}, f"other versions: {versions}\n{log}")


class Proftpd12(Proftpd):
    version = "TLSv1.2"
    protocols = version


def where(server, name=""):
    return f"ftps://{server.user}@localhost:{server.port}{server.absolute_folder()}{name}"


def mount(session, server, answers):
    """As somebody at a terminal does it: the answers, by what they answer. The exit status, and what was said."""
    with session.talk("gio", "mount", where(server)) as dialogue:
        for question, answer in answers:
            dialogue.wait_for(question)
            if question == PASSWORD:
                dialogue.type_secretly(answer)
            else:
                dialogue.type(answer)
        return dialogue.end(), dialogue.transcript


def mount_stranger(session, server):
    """A server whose root is not known: gvfs asks."""
    status, said = mount(session, server, [(QUESTION, YES), (PASSWORD, server.password)])
    check(status == 0 and session.mounts() == [where(server)[:-len(server.absolute_folder())] + "/"],
          f"not mounted, {status}: {said}")
    check(UNKNOWN_ROOT in said, f"why did it ask? {said}")
    check(server.password not in said, f"the password was shown: {said}")


def unmount(session, server):
    session.run("gio", "mount", "--unmount", where(server))
    check(session.mounts() == [], f"still mounted: {session.mounts()}")


def make_files(folder):
    folder.mkdir()
    files = [folder / f"{number}.bin" for number in range(len(SIZES))]
    for file, size in zip(files, SIZES):
        file.write_bytes(os.urandom(size))
    return files


def check_same(expected, folder):
    for file in expected:
        copy = folder / file.name
        check(copy.exists(), f"{file.name}, of {file.stat().st_size} bytes, did not arrive")
        check(copy.read_bytes() == file.read_bytes(),
              f"{file.name}: {copy.stat().st_size} bytes of {file.stat().st_size}, or others")


def copies_twenty_files_each_way(session, server, directory):
    files, back = make_files(directory / "here"), directory / "back"
    back.mkdir()
    mount_stranger(session, server)
    session.check_backend()
    session.run("gio", "copy", *files, where(server))
    check_same(files, server.files)
    session.run("gio", "copy", *[where(server, file.name) for file in files], back)
    check_same(files, back)
    server.check_account(2 * len(files))
    unmount(session, server)


def copies_at_once(session, server, directory):
    """gvfs makes a control connection for each, with a session of its own."""
    files, back = make_files(directory / "here"), directory / "back"
    back.mkdir()
    shares = [files[first::N_AT_ONCE] for first in range(N_AT_ONCE)]
    mount_stranger(session, server)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda share: session.run("gio", "copy", *share, where(server)), shares))
        check_same(files, server.files)
        list(pool.map(lambda share: session.run("gio", "copy", *[where(server, file.name) for file in share], back),
                      shares))
        check_same(files, back)
    server.check_account(2 * len(files))
    unmount(session, server)


def refused_stranger_is_not_mounted(session, server, _):
    status, said = mount(session, server, [(QUESTION, NO)])
    check(status != 0 and UNKNOWN_ROOT in said and session.mounts() == [], f"{status}, {session.mounts()}: {said}")
    check(not server.has_login(), f"it logged in:\n{server.read_log()}")


def known_root_raises_no_question(session, server, _):
    status, said = mount(session, server, [(PASSWORD, server.password)])
    check(status == 0 and "Identity" not in said, f"{status}: {said}")
    session.check_backend()
    check(server.has_login(), f"nobody logged in:\n{server.read_log()}")
    unmount(session, server)


def wrong_password_is_asked_again(session, server, directory):
    status, said = mount(session, server, [(QUESTION, YES), (PASSWORD, "wrong"), (PASSWORD, server.password)])
    check(status == 0, f"{status}: {said}")
    unmount(session, server)


def tell(story, module, kind, knows_root=False):
    # What is missing is told before a server is started.
    gvfs.find_unpacked("usr/libexec/gvfsd-ftp")
    try:
        with servers.running(kind) as server, tempfile.TemporaryDirectory(prefix="gtls-session-files-") as directory:
            environment = {"SSL_CERT_FILE": str(server.ca)} if knows_root else {}
            try:
                with gvfs.running(module, environment) as session:
                    story(session, server, Path(directory))
            except Failed as failed:
                raise Failed(f"{failed}\n{server.read_log()[-4000:]}") from None
    except servers.Missing as missing:
        raise Missing(str(missing)) from None


def stories(module):
    for name, kind in (("vsftpd/tls1.3", Vsftpd), ("proftpd/tls1.3", Proftpd), ("proftpd/tls1.2", Proftpd12)):
        yield f"{name}/copies_twenty_files_each_way", partial(tell, copies_twenty_files_each_way, module, kind)
    for story in (copies_at_once, refused_stranger_is_not_mounted, wrong_password_is_asked_again):
        yield f"vsftpd/{story.__name__}", partial(tell, story, module, Vsftpd)
    yield "vsftpd/known_root_raises_no_question", partial(tell, known_root_raises_no_question, module, Vsftpd,
                                                          knows_root=True)


def main():
    tap.unwind_on_sigterm()
    return tap.tell_all(list(stories(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())

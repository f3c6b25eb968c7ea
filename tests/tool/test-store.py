# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session store: what programs keep, listed, dropped and carried elsewhere."""

import sqlite3
import stat
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import servers
import tap
from certificates import Certificates
from our_client import GTlsSession, TICKET_MILLISECONDS
from tap import check
from tool import DONE, FAILED, NO, USAGE, run

import our_client
from gi.repository import GLib

Resumption = GTlsSession.Resumption
WINDOW = 8  # bytes of a ticket that must not be seen together


def connect(server, certificates, store, expected):
    """A connection whose store it is: all automatic."""
    helper = our_client.prepare(server, certificates.root)
    helper.get_connection().set_session_store(store)
    helper.get_connection().set_session_resumption_enabled(True)
    helper.get_connection().handshake(None)
    check(helper.props.resumption == expected, helper.explain())
    helper.wait_for_ticket(TICKET_MILLISECONDS, None)
    helper.get_connection().close(None)


def add_another(server, certificates, box):
    """A ticket of another connection, under a key of its own."""
    helper = our_client.prepare(server, certificates.root)
    helper.get_connection().set_session_resumption_enabled(False)
    helper.get_connection().handshake(None)
    box.store.put(f"{len(box.ids()):064x}", helper.wait_for_ticket(TICKET_MILLISECONDS, None))
    helper.get_connection().close(None)


class Box:
    """A store in a directory of its own."""

    def __init__(self, directory, name):
        self.path = Path(directory) / name
        self.store = GTlsSession.FileStore.new(str(self.path))

    def entries(self):
        return self.store.list()

    def ids(self):
        return [entry.get_ticket().props.id for entry in self.entries()]

    def run(self, *arguments):
        return run("store", "--file", self.path, *arguments)


@contextmanager
def filled(certificates, version):
    """A server, and a store with a session of it."""
    with servers.running(servers.OpensslServer, certificates, version) as server, tempfile.TemporaryDirectory() as directory:
        box = Box(directory, "sessions.db")
        connect(server, certificates, box.store, Resumption.NONE)
        check(box.ids(), "no ticket came into the store")
        yield server, box


def lists_and_shows(certificates, version):
    with filled(certificates, version) as (_, box):
        ids = box.ids()
        told = box.run("list").expect(DONE, f"TLS {version}", "localhost", "once" if version == "1.3" else "often", *ids)
        check(len(told.output.splitlines()) == len(ids) + 1, told.output)
        box.run("show", ids[0]).expect(DONE, ids[0], "localhost", f"TLS {version}", "received", "expires",
                                       box.entries()[0].get_key())
        box.run("show", ids[0][:10]).expect(DONE, ids[0])
        check(box.ids() == ids, "looking took something out")


def secrets_are_not_printed(certificates, version):
    with filled(certificates, version) as (_, box):
        tickets = [entry.get_ticket() for entry in box.entries()]
        archive = box.path.parent / "archive"
        outcomes = [box.run("list"), *[box.run("show", ticket.props.id) for ticket in tickets],
                    box.run("export", "--keep", archive), box.run("import", archive), box.run("forget", "--all")]
        told = "".join(outcome.output + outcome.complaints for outcome in outcomes).lower()
        for ticket in tickets:
            data = ticket.to_bytes().get_data()
            for at in range(0, len(data) - WINDOW):
                window = data[at:at + WINDOW]
                check(window.hex() not in told, f"bytes {at} to {at + WINDOW} of the ticket were printed:\n{told}")
        for word in ("secret", "master", "psk"):
            check(word not in told, f"'{word}' was printed:\n{told}")


def forgets_what_is_named(certificates):
    with filled(certificates, "1.3") as (server, box):
        add_another(server, certificates, box)
        add_another(server, certificates, box)
        first, *others = box.ids()
        box.run("forget", first).expect(DONE, "1 forgotten")
        check(box.ids() == others, f"{box.ids()} are left of {others}")
        box.run("forget", others[0], first).complains(NO, first)
        check(box.ids() == others, "one was forgotten though another was not there")
        box.run("forget", "--all").expect(DONE, f"{len(others)} forgotten")
        check(box.ids() == [], f"{box.ids()} are left")
        box.run("list").expect(DONE, "is empty")


def carries_sessions_to_another_store(certificates, version):
    with filled(certificates, version) as (server, box):
        ids, archive = box.ids(), box.path.parent / "archive"
        other = Box(box.path.parent, "other.db")
        box.run("export", archive).expect(DONE, f"{len(ids)} moved")
        check(stat.S_IMODE(archive.stat().st_mode) == 0o600, f"mode {archive.stat().st_mode:o}")
        check(box.ids() == [], "what was moved is still there")
        other.run("import", archive).expect(DONE, f"{len(ids)} read, of which {len(ids)} can still be used")
        check(other.ids() == ids, f"{other.ids()} came, not {ids}")
        connect(server, certificates, other.store, Resumption.RESUMED)


def exports_what_is_named_and_keeps_what_it_should(certificates):
    with filled(certificates, "1.3") as (server, box):
        add_another(server, certificates, box)
        ids, directory = box.ids(), box.path.parent
        box.run("export", directory / "one", ids[1], "--keep").expect(DONE, "1 copied")
        check(box.ids() == ids, "what was copied has left")
        box.run("export", directory / "one-more", ids[1]).expect(DONE, "1 moved")
        check(ids[1] not in box.ids() and ids[0] in box.ids(), f"{box.ids()} are left of {ids}")
        other = Box(directory, "other.db")
        other.run("import", directory / "one").expect(DONE, "1 read")
        check(other.ids() == [ids[1]], f"{other.ids()} came")


def overwrites_nothing(certificates):
    with filled(certificates, "1.3") as (_, box):
        archive, ids = box.path.parent / "archive", box.ids()
        archive.write_text("mine")
        box.run("export", archive).complains(FAILED, str(archive), "exists")
        check(archive.read_text() == "mine", "it was overwritten")
        check(box.ids() == ids, "what was not exported has left the store")
        left = sorted(path.name for path in box.path.parent.iterdir() if path.name.startswith("archive"))
        check(left == ["archive"], f"it left {left}")


def bad_archives_are_refused(certificates):
    """Nothing of them gets into the store."""
    with filled(certificates, "1.3") as (_, box):
        archive, bad = box.path.parent / "archive", box.path.parent / "bad"
        box.run("export", archive).expect(DONE)
        good = archive.read_bytes()
        head = good.index(b"\n") + 1
        for data, words in ((b"", "no archive"), (b"gtls-session archive 2\n", "no archive"), (good[:-1], "midst"),
                            (good[:head + 30], "midst"), (good + b"0" * 64, "midst"),
                            (good[:head] + b"/" + good[head + 1:], "a key that is none"),
                            (good[:head + 64] + b"\xff\xff\xff\xff" + good[head + 68:], "midst"),
                            (good[:head + 64] + b"\0\0\0\0" + good[head + 68:], "ticket"),
                            (good[:head + 70] + b"\xff\xff" + good[head + 72:], "ticket")):
            bad.write_bytes(data)
            box.run("import", bad).complains(FAILED, str(bad), words)
            check(box.ids() == [], f"{words}: {box.ids()} got into the store")
        box.run("import", box.path.parent / "missing").complains(FAILED, "missing")


def damaged_ticket_is_told(certificates):
    with filled(certificates, "1.3") as (_, box):
        with sqlite3.connect(box.path) as database:
            database.execute("UPDATE ticket SET content = zeroblob (1000) WHERE number = 1")
        sound = []
        for entry in box.entries():
            try:
                sound.append(entry.get_ticket().props.id)
            except GLib.Error:
                pass
        check(len(sound) < len(box.entries()), "nothing is damaged")
        box.run("list").expect(NO, "(damaged)", *sound)
        box.run("forget", "--all").expect(DONE)
        box.run("list").expect(DONE, "is empty")


def store_that_is_not_there_is_not_made(certificates):
    with tempfile.TemporaryDirectory() as directory:
        for action in (("list",), ("show", "a"), ("forget", "--all"), ("export", Path(directory) / "archive")):
            run("store", "--file", Path(directory) / "none.db", *action).complains(FAILED, "none.db")
        run("store", "list", XDG_STATE_HOME=directory).complains(FAILED, directory)
        check(list(Path(directory).iterdir()) == [], "something was made")
        (Path(directory) / "text").write_text("not a store at all, though long enough to be one, as stores go")
        run("store", "--file", Path(directory) / "text", "list").complains(FAILED, "text")


def finds_the_users_own_store(certificates):
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "gtls-session").mkdir(mode=0o700)
        Box(directory, "gtls-session/sessions.db")
        run("store", "list", XDG_STATE_HOME=directory).expect(DONE, f"{directory}/gtls-session/sessions.db is empty")


def wrong_command_lines_are_told(certificates):
    with filled(certificates, "1.3") as (_, box):
        for arguments in ((), ("what",), ("list", "a"), ("show",), ("show", "a", "b"), ("forget",),
                          ("forget", "a", "--all"), ("export",), ("import",), ("import", "a", "b"),
                          ("list", "--all"), ("forget", "a", "--keep")):
            box.run(*arguments).complains(USAGE, "gtls-session store --help")
        box.run("show").complains(USAGE, "It is: show ID")
        box.run("show", "nothing\x1b[2J").complains(NO, r"nothing\x1b[2J")
        for id in box.ids()[1:]:
            box.run("forget", id).expect(DONE)
        box.run("forget", "").complains(NO, "There is no ticket with the id ''")  # a script's variable that is not set
        check(box.ids(), "something was forgotten")


STORIES = (forgets_what_is_named, exports_what_is_named_and_keeps_what_it_should, overwrites_nothing,
           bad_archives_are_refused, damaged_ticket_is_told, store_that_is_not_there_is_not_made,
           finds_the_users_own_store, wrong_command_lines_are_told)
STORIES_OF_VERSIONS = (lists_and_shows, secrets_are_not_printed, carries_sessions_to_another_store)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-tool-") as directory:
        certificates = Certificates(directory)
        stories = [(story.__name__, partial(story, certificates)) for story in STORIES]
        stories += [(f"{story.__name__}_of_{version}", partial(story, certificates, version))
                    for story in STORIES_OF_VERSIONS for version in ("1.2", "1.3")]
        return tap.tell_all(stories)


if __name__ == "__main__":
    sys.exit(main())

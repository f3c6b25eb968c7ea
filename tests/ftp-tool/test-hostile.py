# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session ftp with servers that are hostile, broken or odd: test-hostile.py TOOL"""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import documented
import scripted
import tap
from ftp_tool import FAILED, NO, Tool
from tap import check

WHOLE = bytes(range(256)) * 4096  # 1 MiB


def tool_for(program, server, *arguments):
    return Tool(program, f"ftp://localhost:{server.port}/", "--ca", server.ca, *arguments)


def check_said(done, words):
    check(words in done.stderr, f"it did not say {words!r}: {done.stderr}")


# Before TLS

def never_speaks_in_plain_text(program, folder):
    class Plain(scripted.Server):
        def auth(self, session, _):
            session.reply("502 What is TLS?")

    with Plain() as server:
        done = tool_for(program, server).run("ls", f"ftp://me:secret@localhost:{server.port}/", code=FAILED)
        check_said(done, "refused TLS")
        check(server.commands == ["AUTH TLS"], f"it said more: {server.commands}")


def takes_nothing_that_came_before_tls(program, folder):
    class Injected(scripted.Server):
        def auth(self, session, _):
            session.connection.sendall(b"234 Go on\r\n230 You are logged in already\r\n")
            session.start_tls()

    with Injected() as server:
        check_said(tool_for(program, server).run("ls", f"ftp://localhost:{server.port}/", code=FAILED), "in plain text")
        check(server.commands == ["AUTH TLS"], f"it went on: {server.commands}")


def says_nothing_to_a_stranger(program, folder):
    with scripted.Server() as server:
        Tool(program, "").run("ls", f"ftp://me:secret@localhost:{server.port}/", code=FAILED)
        check(server.commands == ["AUTH TLS"], f"it said more: {server.commands}")


def transfers_nothing_unprotected(program, folder):
    class Unprotected(scripted.Server):
        def prot(self, session, _):
            session.reply("534 Too much work")

    with Unprotected({"a": b"a"}) as server:
        done = tool_for(program, server).run("get", f"ftp://localhost:{server.port}/a", folder / "a", code=FAILED)
        check_said(done, "PROT P")
        check(not server.got("RETR") and not (folder / "a").exists(), f"it went on: {server.commands}")


# Where to

def connects_to_nobody_else(program, folder):
    """A server that names another address for data is asked at its own."""
    class Elsewhere(scripted.Server):
        def epsv(self, session, _):
            session.reply("500 Unknown")

        def pasv(self, session, _):
            session.listen()
            port = session.passive.getsockname()[1]
            session.reply(f"227 Entering Passive Mode (127,0,0,2,{port // 256},{port % 256}).")

    with Elsewhere({"a": WHOLE}) as server:
        tool_for(program, server).run("get", f"ftp://localhost:{server.port}/a", folder / "a")
        check((folder / "a").read_bytes() == WHOLE, "other bytes")
        check(len(server.got("EPSV")) == 1, f"EPSV was tried again: {server.commands}")


HOSTILE = (b"type=file;size=1; ../outside\r\n"
           b"type=file;size=1; /tmp/outside\r\n"
           b"type=dir; ..\r\n"
           b"type=file;size=1; in/side\r\n"
           b"type=file;size=1; nul\0nul\r\n"
           b"type=file;size=1; \x1b[2Jclear\r\n"
           b"type=file;size=1; \r\n"
           b"type=file;size=1; .good.gtls-session-part\r\n"
           b"type=OS.unix=slink:/etc; link\r\n"
           b"type=file;size=4;modify=20200913122640; good\r\n"
           b"type=dir; good\r\n")


def stays_in_its_folder(program, folder):
    class Hostile(scripted.Server):
        def listing(self):
            return HOSTILE

    with Hostile({"good": b"good", "outside": b"x", "side": b"x"}) as server:
        target = folder / "deep" / "target"
        done = tool_for(program, server).run_json("mirror", f"ftp://localhost:{server.port}/", target, code=NO)
        there = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        check(there == ["deep", "deep/target", "deep/target/good"], f"there is {there}")
        check(len(done["failures"]) == 9 and done["files"]["skipped"] == 1, f"{done}")
        check(server.got("RETR") == ["RETR /good"], f"{server.commands}")


def follows_no_link_on_this_side(program, folder):
    class Nested(scripted.Server):
        folder = "/"

        def cwd(self, session, path):
            self.folder = path
            session.reply("250 There")

        def listing(self):
            return b"type=dir; sub\r\ntype=file;size=4; good\r\n" if self.folder == "/" else b"type=file;size=1; x\r\n"

    with Nested({"good": b"good", "x": b"x"}) as server:
        outside, target, victim = folder / "outside", folder / "target", folder / "victim"
        outside.mkdir()
        target.mkdir()
        victim.write_text("mine")
        (target / "sub").symlink_to(outside)
        (target / "good").symlink_to(victim)
        done = tool_for(program, server).run_json("mirror", f"ftp://localhost:{server.port}/", target, code=NO)
        check(not list(outside.iterdir()), "it went through the link")
        check(victim.read_text() == "mine" and (target / "good").read_bytes() == b"good", "it wrote through the link")
        check(len(done["failures"]) == 1, f"{done}")


def does_not_descend_for_ever(program, folder):
    class Endless(scripted.Server):
        def listing(self):
            return b"type=dir; d\r\n"

    with Endless() as server:
        done = tool_for(program, server).run_json("mirror", f"ftp://localhost:{server.port}/", folder / "x", code=NO)
        check(len(done["failures"]) == 1 and "deep" in done["failures"][0], f"{done}")


def every_data_connection_has_its_own_ticket(program, folder):
    """Else an onlooker could tell that they belong together (RFC 8446, appendix C.4)."""
    files = {f"{number}": WHOLE[:number] for number in range(30)}
    with scripted.Server(files) as server:
        done = tool_for(program, server).run_json("mirror", f"ftp://localhost:{server.port}/", folder / "all")
        check(done["resumed"] == done["data_connections"] == 31, f"{done}")
        check(len(server.tickets) == 31 and None not in server.tickets, "not every one offered a ticket")
        check(len(set(server.tickets)) == 31, f"only {len(set(server.tickets))} of 31 were different")


def says_why_it_was_not_resumed(program, folder):
    class Stingy(scripted.Server):
        n_tickets = 0

    with Stingy({"a": WHOLE}) as server:
        tool, url = tool_for(program, server), f"ftp://localhost:{server.port}/a"
        done = tool.run("get", url, folder / "a")
        check("0 of 1 data connections resumed" in done.stdout, f"{done.stdout}")
        check("The first that did not: " in done.stdout, f"{done.stdout}")
        told = tool.run_json("get", url, folder / "a")
        check(told["resumed"] == 0 and told["why_not_resumed"].endswith("."), f"{told}")


def json_is_as_documented(program, folder):
    class Mixed(scripted.Server):
        n_tickets = 0

        def listing(self):
            return super().listing() + b"type=dir; sub\r\n" + b"type=file; ..\r\n"

    with Mixed({"a": WHOLE}) as server:
        tool, url = tool_for(program, server), f"ftp://me:secret@localhost:{server.port}/"
        reports = [tool.run_json("ls", url, code=NO), tool.run_json("get", f"{url}a", folder),
                   tool.run_json("get", f"{url}b", folder, code=NO), tool.run_json("put", folder / "a", url),
                   tool.run_json("mirror", folder, url),
                   Tool(program, "").run_json("get", f"{url}a", folder / "b", code=FAILED)]
    documented.check_documented("ftp-json.md", reports)
    check([report["verb"] for report in reports] == ["ls", "get", "get", "put", "mirror-up", "get"], f"{reports}")
    check({report["format"] for report in reports} == {1}, "the format")
    check("secret" not in f"{reports}", "a password was told")


# Broken transfers

class Cutting(scripted.Server):
    """Ends every first RETR of a file in its midst."""

    n_cuts = 1

    def retr(self, session, path):
        content = self.files[path[1:]][session.take_offset():]
        cut = self.n_cuts > 0
        self.n_cuts -= 1
        session.send_data(content[:len(content) // 2] if cut else content, cut=cut)


def continues_a_broken_download(program, folder):
    with Cutting({"a": WHOLE}) as server:
        tool, url = tool_for(program, server), f"ftp://localhost:{server.port}/a"
        done = tool.run_json("get", url, folder / "a", code=NO)
        check("426" in done["failures"][0], f"{done}")
        check(not (folder / "a").exists(), "half a file under its own name")
        check((folder / ".a.gtls-session-part").read_bytes() == WHOLE[:len(WHOLE) // 2], "other bytes")

        done = tool.run_json("get", "--continue", url, folder / "a")
        check(server.got("REST") == [f"REST {len(WHOLE) // 2}"], f"{server.commands}")
        check((folder / "a").read_bytes() == WHOLE, "other bytes")
        check(done["files"]["continued"] == 1 and done["bytes"] == len(WHOLE) // 2, f"{done}")
        check(os.listdir(folder) == ["a"], f"left behind: {os.listdir(folder)}")
        check(int((folder / "a").stat().st_mtime) == 1_600_000_000, "another time")


def begins_anew_when_the_file_has_changed(program, folder):
    with Cutting({"a": WHOLE}) as server:
        tool, url = tool_for(program, server), f"ftp://localhost:{server.port}/a"
        tool.run("get", url, folder / "a", code=NO)
        server.files["a"], server.modified = WHOLE[::-1], "20200913122641"
        tool.run("get", "--continue", url, folder / "a")
        check(not server.got("REST"), f"{server.commands}")
        check((folder / "a").read_bytes() == WHOLE[::-1], "other bytes")


def does_not_take_a_cut_for_an_end(program, folder):
    """Without close_notify anybody may have ended it, whatever the server says."""
    class Cut(scripted.Server):
        features = []

        def retr(self, session, path):
            with session.open_data() as data:
                data.sendall(WHOLE)
            session.reply("226 Done")

    with Cut({"a": WHOLE}) as server:
        tool_for(program, server).run("get", f"ftp://localhost:{server.port}/a", folder / "a", code=NO)
        check(not (folder / "a").exists(), "it was taken for whole")


def notices_a_short_file(program, folder):
    class Short(scripted.Server):
        def retr(self, session, path):
            session.send_data(WHOLE[:1000])

    with Short({"a": WHOLE}) as server:
        done = tool_for(program, server).run_json("get", f"ftp://localhost:{server.port}/a", folder / "a", code=NO)
        check("1048576" in done["failures"][0] and "1000" in done["failures"][0], f"{done}")
        check(not (folder / "a").exists(), "it was taken for whole")


def put_continued(program, folder, expected, **methods):
    """An upload whose first half is there; which commands transferred the rest."""
    kind = type("Odd", (scripted.Server,), methods)
    with kind({"a": WHOLE[:1000]}) as server:
        local = folder / "a"
        local.write_bytes(WHOLE)
        os.utime(local, (1_500_000_000, 1_500_000_000))
        done = tool_for(program, server).run_json("put", "--continue", local, f"ftp://localhost:{server.port}/a")
        used = [command for command in server.commands if command.split(" ")[0] in ("REST", "STOR", "APPE")]
        check(used == expected, f"{used}")
        check(server.files["a"] == WHOLE, f"{len(server.files['a'])} bytes, or others")
        check(done["files"]["continued"] == (expected[-1] != "STOR /a" or used == ["REST 1000", "STOR /a"]), f"{done}")


def refuse(self, session, _):
    session.reply("502 No")


def ignore_offset(self, session, _):
    session.reply("350 Certainly")


def uploads_again_what_is_older_than_the_file(program, folder):
    with scripted.Server({"a": b"something else"}) as server:
        (folder / "a").write_bytes(WHOLE)
        tool_for(program, server).run("put", "--continue", folder / "a", f"ftp://localhost:{server.port}/")
        check(server.files["a"] == WHOLE, "other bytes")
        check(not server.got("REST") and not server.got("APPE"), f"{server.commands}")


def says_when_an_upload_did_not_arrive(program, folder):
    class Losing(scripted.Server):
        def stor(self, session, path):
            self.files["a"] = session.receive_data()[:1000]
            session.reply("226 Done")

    with Losing() as server:
        (folder / "a").write_bytes(WHOLE)
        done = tool_for(program, server).run_json("put", folder / "a", f"ftp://localhost:{server.port}/", code=NO)
        check("1000" in done["failures"][0] and done["files"]["transferred"] == 0, f"{done}")


# Broken connections

def comes_back_when_it_is_thrown_out(program, folder):
    class Impatient(scripted.Server):
        n_left = 3

        def retr(self, session, path):
            self.n_left -= 1
            if self.n_left < 0:
                self.n_left = 3
                session.reply("421 Enough")
                raise scripted.Hangup
            super().retr(session, path)

    files = {f"{number}": WHOLE[number:2000] for number in range(10)}
    with Impatient(files) as server:
        done = tool_for(program, server, "--parallel", "1").run_json("mirror", f"ftp://localhost:{server.port}/",
                                                                     folder / "all")
        check(done["files"]["transferred"] == 10 and done["control_connections"] > 1, f"{done}")
        check({path.name: path.read_bytes() for path in (folder / "all").iterdir()} == files, "other bytes")


def is_content_with_fewer_connections(program, folder):
    class Full(scripted.Server):
        n_users = 0

        def user(self, session, _):
            self.n_users += 1
            session.reply("331 Password" if self.n_users == 1 else "421 Too many of you")

    files = {f"{number}": WHOLE[number:] for number in range(10)}
    with Full(files) as server:
        done = tool_for(program, server).run_json("mirror", f"ftp://localhost:{server.port}/", folder / "all")
        check(done["files"]["transferred"] == 10 and not done["failures"], f"{done}")


def gives_up_on_silence(program, folder):
    class Silent(scripted.Server):
        def pbsz(self, session, _):
            session.connection.recv(1)

    with Silent() as server:
        done = tool_for(program, server, "--timeout", "1").run("ls", f"ftp://localhost:{server.port}/", code=FAILED)
        check_said(done, "silent for 1 s")


def gives_up_on_babble(program, folder):
    class Babbling(scripted.Server):
        greeting = b"220-" + b"x" * 200_000

    class Web(scripted.Server):
        greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"

    for kind in (Babbling, Web):
        with kind() as server:
            done = tool_for(program, server).run("ls", f"ftp://localhost:{server.port}/", code=FAILED)
            check_said(done, "not a reply of FTP")


def in_a_folder(story, program):
    with tempfile.TemporaryDirectory(prefix="gtls-session-hostile-") as name:
        story(program, Path(name))


def main():
    tap.unwind_on_sigterm()
    stories = {story.__name__: story for story in (
        never_speaks_in_plain_text, takes_nothing_that_came_before_tls, says_nothing_to_a_stranger,
        transfers_nothing_unprotected, connects_to_nobody_else, stays_in_its_folder, follows_no_link_on_this_side,
        does_not_descend_for_ever, every_data_connection_has_its_own_ticket, says_why_it_was_not_resumed,
        json_is_as_documented,
        continues_a_broken_download,
        begins_anew_when_the_file_has_changed,
        does_not_take_a_cut_for_an_end, notices_a_short_file, uploads_again_what_is_older_than_the_file,
        says_when_an_upload_did_not_arrive, comes_back_when_it_is_thrown_out, is_content_with_fewer_connections,
        gives_up_on_silence, gives_up_on_babble)}
    stories |= {
        "continues_an_upload": partial(put_continued, expected=["REST 1000", "STOR /a"]),
        "continues_an_upload_with_appe": partial(put_continued, rest=refuse,
                                                 expected=["REST 1000", "APPE /a"]),
        "uploads_all_where_nothing_is_continued": partial(put_continued, rest=refuse, appe=refuse,
                                                          expected=["REST 1000", "APPE /a", "STOR /a"]),
        "uploads_all_where_rest_is_ignored": partial(put_continued, rest=ignore_offset,
                                                     expected=["REST 1000", "STOR /a", "STOR /a"]),
    }
    return tap.tell_all([(name, partial(in_a_folder, story, sys.argv[1])) for name, story in stories.items()])


if __name__ == "__main__":
    sys.exit(main())

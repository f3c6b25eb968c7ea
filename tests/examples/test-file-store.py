# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two programs that run one after the other with one file: the second one's connection is resumed.

The server says so, too. In Python, GJS, Vala and C, and from each to the next.
"""

import functools
import os
import stat
import sys
import tempfile
from pathlib import Path

import example
from support import Server
from tap import check, tell_all

PROGRAMS = [f"{language}/file-store.{suffix}"
            for language, suffix in (("python", "py"), ("gjs", "js"), ("vala", "vala"), ("c", "c"))]
VERSIONS = {"tls1.3": ["--tls1.3"], "tls1.2": ["--tls1.2"]}


def visit(program, file, server):
    """What the program says became of the session, which has to be what the server says."""
    before = Server.fields(server.ask("stats"))
    lines = example.run(program, server.ca, file, f"localhost:{server.port}")
    after = Server.fields(server.ask("stats"))
    check(len(lines) == 1, f"{program} printed {lines}")
    outcome, _, sentence = lines[0].partition(": ")
    n_new = int(after["connections"]) - int(before["connections"])
    n_resumed = int(after["resumed"]) - int(before["resumed"])
    check(n_new == 1, f"{program} made {n_new} connections")
    check(n_resumed == (outcome == "resumed"), f"{program} says {lines[0]}, the server {after} after {before}")
    check("localhost" in sentence, f"{program} explains: {sentence}")
    return outcome


def second_run_resumes(program, options):
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as folder, Server(*options) as server:
        file = Path(folder) / "sessions"
        outcomes = [visit(program, file, server) for _ in range(3)]
        check(outcomes == ["none", "resumed", "resumed"], f"the runs say {outcomes}")
        check(stat.S_IMODE(os.stat(file).st_mode) == 0o600, "others may read the file")


def another_file_is_another_memory(program):
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as folder, Server("--tls1.3") as server:
        outcomes = [visit(program, Path(folder) / name, server) for name in ("one", "two", "one")]
        check(outcomes == ["none", "none", "resumed"], f"the runs say {outcomes}")


def languages_resume_each_others_sessions():
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as folder, Server("--tls1.3") as server:
        outcomes = [visit(program, Path(folder) / "sessions", server) for program in [*PROGRAMS, PROGRAMS[0]]]
        check(outcomes == ["none"] + ["resumed"] * len(PROGRAMS), f"the runs say {outcomes}")


def file_that_is_no_store_is_told(program):
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as folder, Server("--tls1.3") as server:
        file = Path(folder) / "letter"
        file.write_text("Dear reader")
        file.chmod(0o600)
        done = example.attempt(program, server.ca, file, f"localhost:{server.port}")
        check(done.returncode == 1 and str(file) in done.stderr, f"it ended with {done.returncode}: {done.stderr}")
        check(file.read_text() == "Dear reader", "the file was changed")


def stories():
    for program in PROGRAMS:
        language = program.split("/")[0]
        for version, options in VERSIONS.items():
            yield f"{language}/{version}/second_run_resumes", functools.partial(second_run_resumes, program, options)
        for story in (another_file_is_another_memory, file_that_is_no_store_is_told):
            yield f"{language}/{story.__name__}", functools.partial(story, program)
    yield "languages_resume_each_others_sessions", languages_resume_each_others_sessions


if __name__ == "__main__":
    sys.exit(tell_all(list(stories())))

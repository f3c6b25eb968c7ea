#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libsoup's own test programs, on this library's GIO module.

They are Debian's libsoup-3.0-tests, those of them that speak TLS and two that do not. Some that are left out need Apache.
GLib says in each program's output which backend it took. What libsoup itself skips is run with the stock backend
(glib-networking) too: it has to be skipped there as well.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import tap
from program import find_unpacked

FOLDER = Path("usr/libexec/installed-tests/libsoup-3.0")
PATIENCE_SECONDS = 120
CASE = re.compile(r"^(ok|not ok) \d+ (\S+)(?: # (SKIP|TODO)\b)?")
BACKEND = re.compile(r"Found default implementation (\S+) \(\S+\) for .gio-tls-backend")

# How many cases each has at least: in libsoup 3.2.3 all of them pass with glib-networking 2.74.
PROGRAMS = {
    "ssl": 7,
    "http2": 32,
    "server": 17,
    "server-auth": 12,
    "misc": 18,
    "hsts": 25,
    "websocket": 52,
    "session": 6,
    "timeout": 4,
    "streaming": 3,
    "hsts-db": 3,
    "continue": 12,
}

# libsoup's authors did not find it reliable, and skip it with every backend.
SKIPPED_BY_LIBSOUP = {"/ssl/tls-interaction"}


class Run:
    """A program that has run: its cases, and what it printed."""

    def __init__(self, top, name, environment):
        folder = top / FOLDER
        places = {"LD_LIBRARY_PATH": str(folder), "G_TEST_SRCDIR": str(folder), "G_TEST_BUILDDIR": str(folder)}
        process = subprocess.Popen([folder / f"{name}-test", "--tap"], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                   env={**os.environ, **places, **environment})
        try:
            self.output = process.communicate(timeout=PATIENCE_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            self.output = process.communicate()[0] + f"\nkilled: it had not ended after {PATIENCE_SECONDS} s"
        finally:
            process.kill()
            process.wait()
        self.status = process.returncode
        matches = [match for match in map(CASE.match, self.output.splitlines()) if match]
        self.cases = {match[2]: match[1] == "ok" for match in matches}
        self.skipped = {match[2] for match in matches if match[3]}
        self.backends = set(BACKEND.findall(self.output))

    def tail(self):
        return "\n".join(self.output.splitlines()[-40:])


class Suite:
    def __init__(self, module, preload):
        self.top = find_unpacked(FOLDER / "ssl-test").parents[len(FOLDER.parts)]
        self.modules, self.preload = str(Path(module).resolve().parent), str(Path(preload).resolve())
        self.number, self.all_told = 0, True

    def run(self, name, backend):
        return Run(self.top, name, {"GIO_USE_TLS": backend, "LD_PRELOAD": self.preload,
                                    "GIO_EXTRA_MODULES": self.modules})

    def tell(self, name, function, *arguments):
        self.number += 1
        self.all_told &= tap.tell(self.number, name, lambda: function(*arguments))

    def tell_program(self, name, least):
        ours = self.run(name, "gtls-session")
        skipped_by_stock = self.run(name, "gnutls").skipped if ours.skipped else set()
        for case, passed in ours.cases.items():
            if case in ours.skipped:
                print(f"# libsoup itself skips {case}, with every backend")
            self.tell(f"{name}{case}", check_case, case, passed, ours.skipped - skipped_by_stock, ours)
        self.tell(f"{name}/runs_whole_on_this_backend", check_whole, ours, least)


def check_case(case, passed, skipped_here, ours):
    tap.check(passed, f"{case} failed\n{ours.tail()}")
    tap.check(case not in skipped_here, f"{case} is skipped, and with glib-networking it is not")
    tap.check(case not in ours.skipped or case in SKIPPED_BY_LIBSOUP, f"{case} is skipped, and is not known to be")


def check_whole(ours, least):
    tap.check(ours.backends == {"gtls-session"}, f"GLib took other backends: {ours.backends or 'none'}\n{ours.tail()}")
    tap.check(len(ours.cases) >= least, f"{len(ours.cases)} cases ran of {least}\n{ours.tail()}")
    tap.check(ours.status == 0, f"it ended with status {ours.status}\n{ours.tail()}")


def main():
    tap.unwind_on_sigterm()
    try:
        suite = Suite(*sys.argv[1:])
    except tap.Missing as missing:
        print(f"1..0 # SKIP {missing}")
        return 0
    for name, least in PROGRAMS.items():
        suite.tell_program(name, least)
    print(f"1..{suite.number}")
    return 0 if suite.all_told else 1


if __name__ == "__main__":
    sys.exit(main())

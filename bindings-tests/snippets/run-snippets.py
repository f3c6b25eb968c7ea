# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every snippet of manual pages, as it stands: run-snippets.py PAGE…

snippets.py says how a page is read. Each program runs in a directory that is the page's own, where it finds

    ca.pem          the root of all servers below, which is the system's trust store here, too (SSL_CERT_FILE)
    gtls-session.js the module for JavaScript
    server.pem      a certificate with its key, for a server of the page's own: good for example.org and localhost

Names below example.org lead to test servers of this machine (example-net.c), which run while the page does: SERVERS. A
page that starts a server of its own does it at the port 4433, instead of which it gets a free one here.

The environment says where things are: TEST_SERVER, EXAMPLE_NET_MODULE (example-net.c, built), BUILD_ROOT (the build
directory), and what a program needs to find the library there.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

from snippets import CONSOLE, Misplaced, Page, commands_of, first_not_printed

# Who answers, and how (see the test server's --help). What it is told at the other end, it sends back.
SERVERS = {
    "example.org:443": [],
    "www.example.org:443": [],
    "old.example.org:443": ["--tls1.2"],
    "stateless.example.org:443": ["--no-tickets"],
}

BUILD_ROOT = Path(os.environ["BUILD_ROOT"])
MODULE = Path(__file__).parents[2] / "introspection" / "overrides" / "gtls-session.js"
PATIENCE = 120  # s, for a program
PORT_ON_PAGES = "4433"
MARK = "-- and its exit status is"


def start_server(stack, options):
    """Its port, and the path of the root that its certificate comes from."""
    process = subprocess.Popen([os.environ["TEST_SERVER"], *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    stack.callback(process.communicate)  # it ends with its input
    told = dict(part.split("=", 1) for part in process.stdout.readline().split())
    return told["port"], Path(told["ca"])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Terminal:
    """A shell in which a page's console blocks are typed: what one has exported or started is there for the next."""

    def __init__(self, directory, environment):
        self.process = subprocess.Popen(["bash"], cwd=directory, env=environment, text=True, start_new_session=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def end(self):
        """With all that was started there."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.communicate()

    def type(self, command):
        """What it prints, and its exit status. "" if the shell ended."""
        self.process.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{MARK}' \"$?\"\n")
        self.process.stdin.flush()
        patience = Timer(PATIENCE, lambda: os.killpg(self.process.pid, signal.SIGKILL))
        patience.start()
        try:
            printed = []
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return "".join(printed), line.split()[-1]
                printed.append(line)
            return "".join(printed), ""
        finally:
            patience.cancel()

    def save(self, name, text):
        """Where the shell is: a page may have gone to another folder."""
        printed, status = self.type(f"cat >{name} <<'END OF {name}'\n{text}END OF {name}")
        assert status == "0", printed


class Place:
    """A page's directory, its servers, and the environment of its programs. With "with"."""

    def __init__(self, text):
        self.text = text
        self.stack = ExitStack()

    def __enter__(self):
        with self.stack:
            self.directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="snippets-")))
            named = {name: options for name, options in SERVERS.items() if name.split(":")[0] in self.text}
            started = {name: start_server(self.stack, options) for name, options in named.items()}
            _, own = start_server(self.stack, [])  # for its certificates
            roots = [ca.read_text() for _, ca in started.values()] + [own.read_text()]
            (self.directory / "ca.pem").write_text("".join(roots))
            shutil.copy(own.with_name("good.pem"), self.directory / "server.pem")
            shutil.copy(MODULE, self.directory)
            self.environment = self.make_environment({name: port for name, (port, _) in started.items()})
            self.terminal = Terminal(self.directory, self.environment)
            self.stack.callback(self.terminal.end)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def make_environment(self, ports):
        return {
            **os.environ,
            "EXAMPLE_NET": ",".join(f"{name}={port}" for name, port in ports.items()),
            "SSL_CERT_FILE": str(self.directory / "ca.pem"),
            "PKG_CONFIG_PATH": str(BUILD_ROOT / "meson-uninstalled"),
            "XDG_DATA_DIRS": f"{BUILD_ROOT / 'introspection'}:/usr/local/share:/usr/share",
            "HOME": str(self.directory),
            "XDG_CACHE_HOME": str(self.directory / ".cache"),
            "XDG_DATA_HOME": str(self.directory / ".local"),
        }

    def run(self, command, program=False):
        """program: it is the page's own, and knows example.org as it knows the rest of the world."""
        preload = {"LD_PRELOAD": os.environ["EXAMPLE_NET_MODULE"]} if program else {}
        return subprocess.run(command, cwd=self.directory, env={**self.environment, **preload}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE)

    def build(self, command):
        done = self.run(command)
        assert done.returncode == 0, f"it does not build\n{done.stdout}"

    def pkg_config(self, *arguments):
        return subprocess.run(["pkg-config", *arguments], env=self.environment, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()

    # How a program of each language is run; each gives the command, after building what is to be built.

    def python(self, source):
        return [sys.executable, source]

    def js(self, source):
        return ["gjs", "-m", source]

    def sh(self, source):
        return ["sh", "-e", source]

    def c(self, source):
        self.build(["cc", "-Wall", "-Werror", "-o", "program", source,
                    *self.pkg_config("--cflags", "--libs", "gtls-session-1")])
        return ["./program"]

    def vala(self, source):
        flags = [option for flag in self.pkg_config("--cflags", "gtls-session-1") for option in ("-X", flag)]
        libraries = [option for flag in self.pkg_config("--libs", "gtls-session-1") for option in ("-X", flag)]
        self.build(["valac", "--pkg", "gio-2.0", "--pkg", "gtls-session-1", "-X", "-w", *flags, *libraries, "-o",
                    "program", source])
        return ["./program"]


ENDINGS = {"python": "py", "js": "js", "sh": "sh", "c": "c", "vala": "vala"}


def type_commands(place, program):
    """Each has to succeed."""
    for command, wanted in commands_of(program.code):
        printed, status = place.terminal.type(command)
        assert status == "0", f"$ {command}\nended with {status or 'the shell'}; it printed\n{printed}"
        missing = first_not_printed(wanted, printed)
        assert missing is None, f"$ {command}\ndoes not print, in its place: {missing}\nbut\n{printed}"


def run_program(place, program):
    if program.file:
        place.terminal.save(program.file, program.code)
        return
    if program.language == CONSOLE:
        type_commands(place, program)
        return
    source = f"snippet.{ENDINGS[program.language]}"
    (place.directory / source).write_text(program.code)
    done = place.run(getattr(place, program.language)(source), program=True)
    assert (done.returncode != 0) == program.fails, f"its exit status is {done.returncode}; it printed\n{done.stdout}"
    missing = first_not_printed(program.prints, done.stdout)
    assert missing is None, f"it does not print, in its place: {missing}\nbut\n{done.stdout}"


class Tap:
    def __init__(self):
        self.number, self.failed = 0, 0

    def tell(self, name, function):
        self.number += 1
        try:
            function()
        except (AssertionError, Misplaced, OSError, subprocess.SubprocessError) as error:
            self.failed += 1
            for line in str(error).splitlines():
                print(f"# {line}")
            print(f"not ok {self.number} {name}", flush=True)
        else:
            print(f"ok {self.number} {name}", flush=True)

    def end(self):
        print(f"1..{self.number}", flush=True)
        return 1 if self.failed or self.number == 0 else 0


def run_page(tap, path):
    text = path.read_text().replace(PORT_ON_PAGES, str(free_port()))
    try:
        programs = [program for program in Page(text).programs if not program.way]
    except Misplaced as misplaced:
        problem = misplaced

        def fail():
            raise problem

        tap.tell(f"{path.name} can be read", fail)
        return
    with Place(text) as place:
        for program in programs:
            tap.tell(f"{path.name}, line {program.line}: {program.file or program.language}",
                     lambda: run_program(place, program))


def main():
    tap = Tap()
    for page in sys.argv[1:]:
        run_page(tap, Path(page))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())

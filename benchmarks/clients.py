# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs that are measured, and the server that they all talk to."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
# All memory comes from malloc(), where it can be counted.
PLAIN_HEAP = {"PYTHONMALLOC": "malloc", "G_SLICE": "always-malloc"}
# What some users' environments say of trust, and would make of each process another one than it is elsewhere.
UNWANTED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
CALLGRIND_COUNT = re.compile(r"Collected : (\d+)")
COUNT = re.compile(r"count: (.*)")


class Failed(Exception):
    """A client did not do what was asked, in words."""


def read_pairs(line):
    """NAME=VALUE NAME=VALUE… as a dictionary of numbers."""
    return {name: float(value) for name, value in (pair.split("=") for pair in line.split())}


@dataclass(frozen=True)
class Client:
    key: str
    name: str
    program: tuple
    mode: str = "sync"
    environment: dict = field(default_factory=dict, hash=False)
    effort: float = 1.0  # the part of what others do that is asked of it; slow ones would take all the time


def all_clients(build):
    """Those that could be there."""
    gio = {backend: {"GIO_USE_TLS": backend} for backend in ("gnutls", "openssl")}
    return [
        Client("openssl", "OpenSSL alone", (build / "bench-openssl",)),
        Client("openssl-lean", "OpenSSL alone, buffers released", (build / "bench-openssl",), "lean"),
        Client("openssl-gio", "OpenSSL alone, libgio loaded", (build / "bench-openssl",), "gio",
               {"LD_PRELOAD": "libgio-2.0.so.0"}),
        Client("ours", "gtls-session", (build / "bench-ours",)),
        Client("ours-async", "gtls-session, async", (build / "bench-ours",), "async"),
        *(Client(f"gio-{backend}{suffix}", f"glib-networking {title}{', async' if suffix else ''}",
                 (build / "bench-gio",), mode, gio[backend], 0.2)
          for backend, title in (("gnutls", "GnuTLS"), ("openssl", "OpenSSL"))
          for suffix, mode in (("", "sync"), ("-async", "async"))),
        Client("python", "Python's ssl", (sys.executable, HERE / "client.py")),
    ]


def spread_over_processors():
    """(the server's, the clients'): apart if that is possible, for less depends on chance then."""
    processors = sorted(os.sched_getaffinity(0))
    return (set(processors[:-1]), {processors[-1]}) if len(processors) > 1 else (set(processors), set(processors))


class Server:
    def __init__(self, build):
        self.processors, self.clients_processors = spread_over_processors()
        self.process = subprocess.Popen([build / "bench-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=lambda: os.sched_setaffinity(0, self.processors))
        found = re.match(r"port=(\d+) ca=(.*)", self.process.stdout.readline())
        if found is None:
            raise Failed("the server did not start")
        self.port, self.ca = found.groups()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def run(command, environment=None, processors=None, timeout=300):
    """(standard output, standard error); it fails with what the program said last."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    try:
        done = subprocess.run([str(part) for part in command], env={**inherited, **(environment or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                              preexec_fn=(lambda: os.sched_setaffinity(0, processors)) if processors else None)
    except subprocess.TimeoutExpired:
        raise Failed(f"it took longer than {timeout} s") from None
    except OSError as error:
        raise Failed(str(error)) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"it ended with exit status {done.returncode}"]
        raise Failed(lines[-1].removeprefix("benchmark: "))
    return done.stdout, done.stderr


class Bench:
    """Runs clients against the server."""

    def __init__(self, build, server):
        self.build, self.server = build, server

    def command(self, client, *verb, ca=None):
        return [*client.program, client.mode, self.server.port, ca or self.server.ca, *verb]

    def measure(self, client, *verb, timeout=300, plain_heap=False):
        environment = {**client.environment, **(PLAIN_HEAP if plain_heap else {})}
        output, _ = run(self.command(client, *verb), environment, self.server.clients_processors, timeout)
        return read_pairs(output)

    def measure_start(self, client, certificates):
        command = [self.build / "bench-start", certificates, *self.command(client, "first", ca="system")]
        output, _ = run(command, client.environment, self.server.clients_processors)
        return read_pairs(output)

    def count_instructions(self, client, *verb):
        """Of the whole program, and what it said itself."""
        output, errors = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                              *self.command(client, *verb)], client.environment)
        return int(CALLGRIND_COUNT.search(errors).group(1)), read_pairs(output)

    def count_calls(self, client, *verb):
        environment = {**client.environment, **PLAIN_HEAP, "LD_PRELOAD": str(self.build / "libbench-count.so")}
        _, errors = run(self.command(client, *verb), environment)
        return read_pairs(COUNT.search(errors).group(1))

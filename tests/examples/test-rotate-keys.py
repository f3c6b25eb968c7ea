# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that rotate their keys, in C and Python."""

import contextlib
import functools
import re
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import example
from certificates import Certificates
from our_client import GTlsSession, connected
from program import Program
from tap import check, tell_all, unwind_on_sigterm

PROGRAMS = ["c/rotate-keys.c", "python/rotate-keys.py"]
A_DAY = 86400


@dataclass
class Address:
    port: int
    version: str


@contextlib.contextmanager
def running(name, certificates, seconds):
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as directory:
        program = Program([*example.command(name), certificates.server_both, "0", seconds], Path(directory) / "log")
        try:
            yield program
        finally:
            program.stop()


def address_of(program):
    told = program.wait_until(lambda told: re.search(r"^Listening on port (\d+)$", told, re.MULTILINE), "its port")
    return Address(int(told.group(1)), "1.3")


def talk(stream):
    stream.write(b"hello")
    check(stream.read(5) == b"hello", "it does not send back what it reads")


def rotate(program, n_keys):
    program.process.send_signal(signal.SIGHUP)
    program.wait_until(lambda told: f"There is a new ticket key, and {n_keys} in all\n" in told, f"key {n_keys}")


def old_keys_open_their_tickets(name, certificates):
    with running(name, certificates, A_DAY) as program:
        address = address_of(program)
        with connected(address, certificates.root) as (first, stream):
            talk(stream)
        rotate(program, 2)
        with connected(address, certificates.root, source=first) as (second, stream):
            talk(stream)
        rotate(program, 3)
        with connected(address, certificates.root, source=second) as (third, stream):
            talk(stream)
        outcomes = [helper.get_resumption() for helper in (first, second, third)]
        expected = [GTlsSession.Resumption.NONE, GTlsSession.Resumption.RESUMED, GTlsSession.Resumption.RESUMED]
        check(outcomes == expected, f"the clients say {outcomes}")
        accounts = re.findall(r"^A client came: (.*)$", program.told(), re.MULTILINE)
        check(accounts == ["a new session", "resumed", "resumed"], f"the server says {program.told()}")


def clock_rotates(name, certificates):
    with running(name, certificates, 1) as program:
        address = address_of(program)
        program.wait_until(lambda told: "There is a new ticket key" in told, "a new key")
        with connected(address, certificates.root) as (_, stream):
            talk(stream)


def client_that_speaks_no_tls_is_told_and_survived(name, certificates):
    with running(name, certificates, A_DAY) as program:
        address = address_of(program)
        with contextlib.closing(socket.create_connection(("127.0.0.1", address.port))) as stranger:
            stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
            program.wait_until(lambda told: "A connection failed: " in told, "the account of the failure")
        with connected(address, certificates.root) as (_, stream):
            talk(stream)


def main():
    unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as directory:
        certificates = Certificates(directory)
        stories = []
        for name in PROGRAMS:
            language = name.split("/")[0]
            stories += [(f"{language}/{story.__name__}", functools.partial(story, name, certificates))
                        for story in (old_keys_open_their_tickets, clock_rotates,
                                      client_that_speaks_no_tls_is_told_and_survived)]
        return tell_all(stories)


if __name__ == "__main__":
    sys.exit(main())

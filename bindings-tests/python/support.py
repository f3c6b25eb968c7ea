# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python tests' own little world: TAP, the test server, and a client."""

import os
import subprocess
import sys
import traceback

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402

KINDS = {"tls1.3": ["--tls1.3"], "tls1.2-ticket": ["--tls1.2"], "tls1.2-session-id": ["--tls1.2", "--session-ids"]}
VERSIONS = {"tls1.3": Gio.TlsProtocolVersion.TLS_1_3, "tls1.2": Gio.TlsProtocolVersion.TLS_1_2}

_stories = []


def story(function):
    """A test; its name is what it shows."""
    _stories.append((function.__name__, function, ()))
    return function


def story_for_each_kind(function):
    """A test for TLS 1.3, for a TLS 1.2 ticket and for a TLS 1.2 session id; it gets the server's options."""
    for kind, options in KINDS.items():
        _stories.append((f"{kind}/{function.__name__}", function, (options,)))
    return function


def story_for_each_version(function):
    """A test for TLS 1.3 and for TLS 1.2; it gets the version."""
    for name, version in VERSIONS.items():
        _stories.append((f"{name}/{function.__name__}", function, (version,)))
    return function


def tell_all():
    print(f"1..{len(_stories)}", flush=True)
    failed = 0
    for number, (name, function, arguments) in enumerate(_stories, 1):
        try:
            function(*arguments)
            print(f"ok {number} {name}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {name}", flush=True)
    sys.exit(1 if failed else 0)


class Server:
    """with Server("--tls1.3", "--behaviour=echo") as server: …"""

    def __init__(self, *options):
        self.process = subprocess.Popen([os.environ["TEST_SERVER"], *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        told = self.fields(self.process.stdout.readline())
        self.port, self.ca = int(told["port"]), told["ca"]

    @staticmethod
    def fields(line):
        return dict(field.split("=", 1) for field in line.split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate("quit\n")

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        return self.process.stdout.readline().strip()

    def record(self, index):
        return self.fields(self.ask(f"record {index}"))

    def tcp(self):
        return Gio.SocketClient().connect_to_host("127.0.0.1", self.port, None)

    def prepare(self, name="localhost"):
        """A helper whose connection trusts this server; the handshake is still to come.

        What it resumes is what a test offers by hand.
        """
        helper = GTlsSession.Helper.new_for_stream(self.tcp(), Gio.NetworkAddress.new(name, self.port))
        helper.get_connection().set_database(GTlsSession.FileDatabase.new(self.ca))
        helper.get_connection().set_session_resumption_enabled(False)
        return helper

    def connect(self):
        helper = self.prepare()
        helper.get_connection().handshake(None)
        return helper

    def connect_with_ticket(self):
        helper = self.prepare()
        assert helper.wait_for_ticket(10000, None) is not None
        return helper

    def resume(self, source):
        helper = self.prepare()
        assert helper.copy_session_state(source)
        helper.get_connection().handshake(None)
        return helper


def write(helper, data):
    helper.get_connection().get_output_stream().write_all(data, None)


def read(helper, size):
    content = b""
    while len(content) < size:
        block = helper.get_connection().get_input_stream().read_bytes(size - len(content), None).get_data()
        assert block, "the connection ended"
        content += block
    return content


def exchange(helper, data):
    write(helper, data)
    assert read(helper, len(data)) == data


def close(helper):
    assert helper.get_connection().close(None)


def raises(domain, code, function, *arguments):
    """The error that the call raises; domain is a quark's string."""
    try:
        function(*arguments)
    except GLib.Error as error:
        assert error.domain == domain and error.code == code, f"{error.domain} {error.code}: {error.message}"
        assert len(error.message) > 10
        return error
    raise AssertionError("no error was raised")


SESSION_ERROR = "g-tls-session-error-quark"
IO_ERROR = "g-io-error-quark"


def run_until(condition, seconds=10):
    """Runs the default main context until the condition holds."""
    context = GLib.MainContext.default()
    late = []
    guard = GLib.timeout_add_seconds(seconds, lambda: late.append(True))
    while not condition() and not late:
        context.iteration(True)
    if not late:
        GLib.source_remove(guard)
    assert condition(), "it took too long"

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is needed to stand outside the tree: commands, a build of the tree, the test server."""

import contextlib
import os
import subprocess
from pathlib import Path

from tap import Failed, check

# Lines of the programs in outside/, when all goes well.
RESUMED = ["none", "ticket of localhost", "resumed"]
PROGRAMS = Path(__file__).parent / "outside"
RUN_SECONDS = 60
BUILD_SECONDS = 1500
# Building, not speed, is what is tried; and others may be building at the same time.
SETUP = ["meson", "setup", "--buildtype=plain", "--libdir=lib"]


def run(command, environment=None, seconds=RUN_SECONDS, **others):
    """What the command prints; it fails if the command does, in its words."""
    command = [str(part) for part in command]
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds, check=False,
                          **others)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
    return done.stdout


def build(source, directory, prefix, *options):
    """Configures, builds and installs the project in source."""
    run([*SETUP, directory, source, f"--prefix={prefix}", *options], seconds=BUILD_SECONDS)
    run(["meson", "compile", "-C", directory], seconds=BUILD_SECONDS)
    run(["meson", "install", "-C", directory, "--no-rebuild"], seconds=BUILD_SECONDS)


@contextlib.contextmanager
def server():
    """The test server's host and port, and the file of its root certificate."""
    process = subprocess.Popen([os.environ["TEST_SERVER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        told = dict(field.split("=", 1) for field in process.stdout.readline().split())
        yield f"localhost:{told['port']}", told["ca"]
    finally:
        process.communicate("quit\n")


def check_resumes(command, environment=None):
    """The program has a handshake with the test server, is given a ticket, and resumes."""
    with server() as (host, ca):
        told = run([*command, host], {**(environment or {}), "SSL_CERT_FILE": ca}).splitlines()
    check(told == RESUMED, f"it said {told}")

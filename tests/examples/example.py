# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the programs of examples/ as their users would, but for the root that they trust."""

import os
import subprocess
import sys
from pathlib import Path

from tap import check

FOLDER = Path(__file__).parents[2] / "examples"
SECONDS = 120


def command(name):
    """name is language/file."""
    path = FOLDER / name
    if path.suffix == ".py":
        return [sys.executable, path]
    if path.suffix == ".js":
        return ["gjs", "-m", path]
    return [Path(os.environ["BUILT_EXAMPLES"]) / f"{path.stem}-{path.parent.name}"]


def trusting(root):
    return {**os.environ, "SSL_CERT_FILE": str(root)}


def attempt(name, root, *arguments, typed=None):
    """The program's end: returncode, stdout and stderr."""
    words = [str(word) for word in [*command(name), *arguments]]
    return subprocess.run(words, env=trusting(root), input=typed, capture_output=True, text=True, timeout=SECONDS)


def run(name, root, *arguments, typed=None):
    """The lines that the program prints; it must not fail."""
    done = attempt(name, root, *arguments, typed=typed)
    check(done.returncode == 0, f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session, run as its users run it: with pipes, or on a terminal."""

import errno
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from dataclasses import dataclass

from tap import check

TIMEOUT_SECONDS = 120
DONE, NO, USAGE, FAILED = 0, 1, 2, 3


@dataclass
class Outcome:
    status: int
    output: str
    complaints: str = ""

    def expect(self, status, *words):
        """The exit status, and what has to be in the output."""
        check(self.status == status, f"exit status {self.status}, not {status}\n{self.output}\n{self.complaints}")
        for word in words:
            check(word in self.output, f"'{word}' is not in the output:\n{self.output}\n{self.complaints}")
        return self

    def complains(self, status, *words):
        check(self.status == status, f"exit status {self.status}, not {status}\n{self.output}\n{self.complaints}")
        for word in words:
            check(word in self.complaints, f"'{word}' is not in what it complains of:\n{self.complaints}")
        return self

    def json(self):
        return json.loads(self.output)


def environment(**changes):
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    return {**clean, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **changes}


def command(arguments):
    return [os.environ["GTLS_SESSION_TOOL"], *(str(argument) for argument in arguments)]


def run_to(output, *arguments, **changes):
    """output: a file, or subprocess.PIPE."""
    ended = subprocess.run(command(arguments), env=environment(**changes), stdin=subprocess.DEVNULL,
                           stdout=output, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS, check=False)
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


def run(*arguments, **changes):
    return run_to(subprocess.PIPE, *arguments, **changes)


def read_all(terminal):
    output = b""
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError as error:  # what Linux says when nobody has the other end any more
            if error.errno != errno.EIO:
                raise
            return output
        if not block:
            return output
        output += block


def run_on_terminal(*arguments, columns, **changes):
    """Its standard output is a terminal of so many columns."""
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(command(arguments), env=environment(**changes), stdin=theirs, stdout=theirs,
                                   stderr=subprocess.PIPE)
        os.close(theirs)
        output = read_all(ours).decode().replace("\r\n", "\n")
        complaints = process.stderr.read().decode()
        process.stderr.close()
        return Outcome(process.wait(TIMEOUT_SECONDS), output, complaints)
    finally:
        os.close(ours)

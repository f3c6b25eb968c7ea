# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs gtls-session ftp: with pipes, or on a terminal whose lines are watched."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

from tap import check
from tool import DONE, FAILED, NO, USAGE  # noqa: F401, for the stories

SECONDS = 240
COLUMNS = 100
UNITS = {"bytes": 1, "byte": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
# "[####   ] 12/500 files, 300.0 MB of 1.1 GB, 200.0 MB/s, 0:04 left"
PROGRESS = re.compile(r"(\d+)/(\d+) files, ([\d.]+)\s(\w+) of ([\d.]+)\s(\w+)")


class Tool:
    def __init__(self, program, server_url, *arguments):
        self.program, self.url, self.arguments = program, server_url, [str(argument) for argument in arguments]

    def command(self, *arguments):
        return [str(self.program), "ftp", *(str(argument) for argument in arguments), *self.arguments]

    @staticmethod
    def environment():
        # No other TLS backend is there to help, and numbers are written as here.
        return {**os.environ, "GIO_MODULE_DIR": "/nonexistent", "LC_ALL": "C.UTF-8"}

    def run(self, *arguments, code=DONE):
        """What was printed; the exit status has to be code."""
        done = subprocess.run(self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=SECONDS)
        check(done.returncode == code,
              f"{arguments}: exit status {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
        return done

    def run_json(self, *arguments, code=DONE):
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


class Terminal:
    """The tool with its standard error on a terminal that is so many columns wide, and JSON on its standard output."""

    def __init__(self, tool, *arguments, stdin_too=False, columns=COLUMNS):
        self.output = tempfile.TemporaryFile()
        self.screen = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            tool.command(*arguments, "--json"), env=tool.environment(), stdout=self.output, stderr=slave,
            stdin=slave if stdin_too else subprocess.DEVNULL, start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0)) if stdin_too else None)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        self.output.close()

    def read(self):
        """Some more of what appears; False at the end."""
        ready, _, _ = select.select([self.master], [], [], SECONDS)
        check(ready, f"nothing appeared for {SECONDS} s: {self.screen[-500:]!r}")
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)

    def read_until(self, condition):
        while not condition(self.screen):
            check(self.read(), f"it ended before: {self.screen[-500:]!r}")

    def type(self, text):
        os.write(self.master, text.encode())

    def interrupt_after(self, n_bytes):
        """SIGINT once the progress tells of so many bytes."""
        self.read_until(lambda _: bytes_told(self.progress()) >= n_bytes)
        self.process.send_signal(signal.SIGINT)

    def progress(self):
        """The last state that was drawn."""
        drawn = PROGRESS.findall(self.screen[-1000:])
        return drawn[-1] if drawn else None

    def finish(self, code):
        while self.read():
            pass
        status = self.process.wait(SECONDS)
        check(status == code, f"exit status {status}, not {code}: {self.screen[-1000:]!r}")
        self.output.seek(0)
        return json.loads(self.output.read())


def bytes_told(progress):
    return float(progress[2]) * UNITS[progress[3]] if progress else 0


def lines_drawn(screen):
    return [line for line in re.split(r"[\r\n]|\x1b\[K", screen) if line]


def password_file(folder, password):
    path = Path(folder) / "password"
    path.write_text(f"{password}\n")
    path.chmod(0o600)
    return path


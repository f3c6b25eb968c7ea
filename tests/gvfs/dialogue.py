# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program at a terminal, and somebody who reads what it says and types the answers."""

import os
import pty
import select
import signal
import termios
import time

from tap import Failed

PATIENCE_SECONDS = 30


class Dialogue:
    def __init__(self, command, environment):
        self.command, self.transcript, self.heard = command, "", 0
        self.deadline = time.monotonic() + PATIENCE_SECONDS
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            try:
                os.execvpe(command[0], command, environment)
            finally:
                os._exit(127)

    def fail(self, words):
        raise Failed(f"{' '.join(self.command)}: {words}\n{self.transcript}")

    def be_patient(self, what):
        if time.monotonic() > self.deadline:
            self.fail(f"{what} did not come")

    def listen(self, what):
        """False when the program has hung up."""
        self.be_patient(what)
        if not select.select([self.terminal], [], [], 0.1)[0]:
            return True
        try:
            said = os.read(self.terminal, 4096)
        except OSError:  # what Linux answers when the other end is closed
            return False
        self.transcript += said.decode(errors="replace")
        return bool(said)

    def wait_for(self, *texts):
        """The first of these that is said after what was waited for before."""
        while True:
            for text in texts:
                found = self.transcript.find(text, self.heard)
                if found >= 0:
                    self.heard = found + len(text)
                    return text
            if not self.listen(" or ".join(texts)):
                self.fail(f"ended before {' or '.join(texts)}")

    def type(self, line):
        os.write(self.terminal, f"{line}\n".encode())

    def type_secretly(self, line):
        """What is typed before the terminal stopped to show it would be thrown away."""
        while termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            self.be_patient("a terminal that keeps a secret")
            time.sleep(0.01)
        self.type(line)

    def end(self):
        """The exit status."""
        while self.listen("the end"):
            pass
        _, status = os.waitpid(self.process, 0)
        self.process = None
        return os.waitstatus_to_exitcode(status)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.terminal)
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)

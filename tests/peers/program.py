# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that is started, listened to through its log, and stopped."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tap import Failed, Missing

PATIENCE_SECONDS = 60  # on a busy machine
STOP_SECONDS = 5


def find_installed(name):
    found = shutil.which(name)
    if not found:
        raise Missing(f"{name} is not installed")
    return found


def find_unpacked(relative):
    """A server that ./run unpacked rather than installed."""
    top = os.environ.get("GTLS_SESSION_SERVERS", "")
    program = Path(top) / relative
    if not top or not program.exists():
        raise Missing(f"{relative} is not below GTLS_SESSION_SERVERS ({top or 'not set'}); ./run test puts it there")
    return program


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    def __init__(self, command, log, environment=None):
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=output,
                                            stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})

    def told(self):
        return self.log.read_text(errors="replace")

    def has_ended(self):
        return self.process.poll() is not None

    def wait_until(self, condition, what):
        """The condition is asked with what the program has told; its truth is returned."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            ended = self.has_ended()
            answer = condition(self.told())
            if answer:
                return answer
            if ended or time.monotonic() > deadline:
                raise Failed(f"{self.process.args[0]}: {what} did not come\n{self.told()[-3000:]}")
            time.sleep(0.01)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash and zsh make of a command line when Tab is pressed."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from program import find_installed
from tap import Failed, check

PATIENCE_SECONDS = 30
PROMPT = "ready> "


def completions():
    return Path(os.environ["GTLS_SESSION_TOP"]) / "tools" / "completions"


def environment():
    tool = Path(os.environ["GTLS_SESSION_TOOL"])
    return {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "xterm",
            "COLUMNS": "200"}


def in_bash(*words):
    """What the last word may become."""
    script = """
      . "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _gtls_session
      [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
    """
    ended = subprocess.run(["bash", "-c", script, "bash", completions() / "gtls-session.bash", "gtls-session", *words],
                           env=environment(), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    check(ended.returncode == 0 and not ended.stderr, f"{ended.returncode}: {ended.stderr}")
    return ended.stdout.split()


class Zsh:
    """An interactive one, on a terminal."""

    def __init__(self, directory):
        self.program = find_installed("zsh")
        self.directory = directory
        self.heard = ""

    def __enter__(self):
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen([self.program, "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=environment(), cwd=self.directory, start_new_session=True)
        os.close(theirs)
        self.say(f"fpath=({completions()} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep\n")
        self.say(f"PROMPT='{PROMPT[:3]}''{PROMPT[3:]}'\n")
        self.wait_for(PROMPT)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def say(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.heard:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise Failed(f"zsh did not say '{text}': {self.heard!r}")
            self.heard += os.read(self.terminal, 65536).decode(errors="replace")

    def complete(self, line, expected):
        """Tab after the line makes it go on as expected."""
        self.heard = ""
        self.say(line)
        self.wait_for(line[-8:])
        self.heard = ""
        self.say("\t")
        self.wait_for(expected)
        self.heard = ""
        self.say("\x15\n")  # the line is dropped
        self.wait_for(PROMPT)

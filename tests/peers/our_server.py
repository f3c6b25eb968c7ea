# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our server in a process of its own, and what it says of its sessions."""

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from program import Program
from tap import check

SCRIPT = Path(__file__).parent / "our-server.py"


@dataclass
class Account:
    resumption: str
    server_name: str
    version: str
    client: str


class OurServer:
    def __init__(self, program):
        self.program = program
        told = program.wait_until(lambda told: re.search(r"^port (\d+)$", told, re.MULTILINE), "its port")
        self.port = int(told.group(1))

    def ask(self, command):
        n_done = self.program.told().count("done\n")
        self.program.say(f"{command}\n".encode())
        self.program.wait_until(lambda told: told.count("done\n") > n_done, f"the end of {command}")

    def accounts(self, count):
        def enough(told):
            accounts = [Account(*line.split()) for line in re.findall(r"^session (.+)$", told, re.MULTILINE)]
            return accounts if len(accounts) >= count else None

        accounts = self.program.wait_until(enough, f"the account of session {count}")
        check(len(accounts) == count, f"{len(accounts)} sessions instead of {count}:\n{self.program.told()}")
        return accounts

    def check_accounts(self, *expected, client="anonymous"):
        """Each expected one is a resumption and a version; every client asked for localhost."""
        accounts = self.accounts(len(expected))
        check(accounts == [Account(resumption, "localhost", version, client) for resumption, version in expected],
              f"our server says {accounts}\n{self.program.told()}")


@contextmanager
def running(directory, certificates, *options):
    """The log is a new one at each start."""
    program = Program([sys.executable, SCRIPT, certificates.server_both, *options], Path(directory) / "our-server")
    try:
        yield OurServer(program)
    finally:
        program.stop()

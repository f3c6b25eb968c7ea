# SPDX-License-Identifier: LGPL-2.1-or-later
"""The faults of mutants.toml, and how one is planted."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True)
class Mutant:
    name: str
    breaks: str  # a sentence: what is wrong then
    file: str  # below the top of the tree
    sound: str  # what stands there
    faulty: str  # what is put in its place
    tests: tuple[str, ...]  # the programs of which at least one has to fail

    def plant(self, text):
        """The file's text with the fault in it."""
        count = text.count(self.sound)
        if count != 1:
            raise ValueError(f"{self.name}: what it replaces is {count} times in {self.file}, not once")
        return text.replace(self.sound, self.faulty)


def read_mutants():
    with LIST.open("rb") as file:
        entries = tomllib.load(file)["mutant"]
    return [Mutant(entry["name"], entry["breaks"], entry["file"], entry["from"], entry["to"], tuple(entry["tests"]))
            for entry in entries]

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the terminal outputs in the manual and the README: make-outputs.py DEMO [ARGUMENT…]

DEMO is the command that ./run demo ends with. What is printed goes into doc/outputs/, and from there into each fenced
block that a line like this stands above:

    <!-- output: demo.txt -->

So nobody writes such a block by hand. The tests (tests/docs) run the same commands and see whether what they print still
has that shape, and whether the blocks are what is in doc/outputs/.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
OUTPUTS = TOP / "doc" / "outputs"
BLOCK = re.compile(r"(?P<head><!-- output: (?P<name>[\w.-]+) -->\n(?P<fence>```+)\n)(?P<text>.*?)(?P<end>^(?P=fence)$)",
                   re.DOTALL | re.MULTILINE)
BUILT = f"{'build _build-demo':<42} ok (0.0 s)\n\n"  # what ./run prints when there is nothing to build


@dataclass
class Output:
    """typed: what a reader types for it. arguments: the demo's."""

    name: str
    typed: str
    arguments: tuple = ()

    def make(self, demo):
        done = subprocess.run([*demo, *self.arguments], env={**os.environ, "LC_ALL": "C.UTF-8"}, check=True, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
        return f"$ {self.typed}\n{BUILT}{done.stdout}"


ALL = (
    Output("demo.txt", "./run demo"),
    Output("demo-tls1.2.txt", "./run demo --tls1.2", ("--tls1.2",)),
)


def pages():
    return [TOP / "README.md", *sorted((TOP / "doc").glob("*.md"))]


def blocks_of(page):
    """The name of the output and the text, of each block."""
    return [(block["name"], block["text"]) for block in BLOCK.finditer(page.read_text())]


def mask(text):
    """The shape of an output: without numbers, ids and times, and what is as wide as they are."""
    text = re.sub(r"\b[0-9a-f]{16}\b", "ID", text)
    return re.sub(r"\d+(?:\.\d+)?", "N", text)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    OUTPUTS.mkdir(exist_ok=True)
    for output in ALL:
        (OUTPUTS / output.name).write_text(output.make(sys.argv[1:]))
    for page in pages():
        text = page.read_text()
        filled = BLOCK.sub(lambda block: block["head"] + (OUTPUTS / block["name"]).read_text() + block["end"], text)
        if filled != text:
            page.write_text(filled)


if __name__ == "__main__":
    main()

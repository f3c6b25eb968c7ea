#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the terminal outputs in the manual and the README: make-outputs.py TOOL

TOOL is the command gtls-session, built; ./run demo ends with its verb demo. What is printed goes into doc/outputs/, and from there into each fenced
block that a line like this stands above:

    <!-- output: demo.txt -->

The two machines that are probed are nginx on two addresses, with different ticket keys; it comes from where ./run test has
unpacked it.

So nobody writes such a block by hand. The tests (tests/docs) run the same commands and see whether what they print still
has that shape, and whether the blocks are what is in doc/outputs/.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests" / "tool"), str(TOP / "tests" / "peers")]
os.environ.setdefault("GTLS_SESSION_SERVERS", str(TOP / ".run" / "servers"))
import nodes  # noqa: E402
from certificates import Certificates  # noqa: E402

OUTPUTS = TOP / "doc" / "outputs"
BLOCK = re.compile(r"(?P<head><!-- output: (?P<name>[\w.-]+) -->\n(?P<fence>```+)\n)(?P<text>.*?)(?P<end>^(?P=fence)$)",
                   re.DOTALL | re.MULTILINE)
BUILT = f"{'build _build-demo':<42} ok (0.0 s)\n\n"  # what ./run prints when there is nothing to build


@dataclass
class Output:
    """make: what is on the terminal, of the command in the tool's place."""

    name: str
    make: Callable


def run(command, directory, status=0):
    done = subprocess.run(command, cwd=directory, env={**os.environ, "LC_ALL": "C.UTF-8"}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    if done.returncode != status:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def demo(*options):
    def make(tool):
        return f"$ {' '.join(('./run demo', *options))}\n{BUILT}{run([tool, 'demo', *options], TOP)}"
    return make


def probe_two_machines(tool):
    with tempfile.TemporaryDirectory(prefix="outputs-") as directory:
        certificates = Certificates(directory)
        with nodes.running(certificates, "a", "b") as server:
            arguments = ["probe", f"localhost:{server.port}", *server.options(), "--ca", certificates.root.name,
                         "--count", "1"]
            return f"$ gtls-session {' '.join(arguments)}\n{run([tool, *arguments], directory, status=1)}"


ALL = (
    Output("demo.txt", demo()),
    Output("demo-tls1.2.txt", demo("--tls1.2")),
    Output("probe-two-machines.txt", probe_two_machines),
)


def pages():
    return [TOP / "README.md", *sorted((TOP / "doc").glob("*.md"))]


def blocks_of(page):
    """The name of the output and the text, of each block."""
    return [(block["name"], block["text"]) for block in BLOCK.finditer(page.read_text())]


def mask(text):
    """The shape of an output: without numbers, ids and times, bars and what is as wide as they are."""
    text = re.sub("[\u2588-\u258f]+", "BAR", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "ID", text)
    text = re.sub(r"\d+(?:\.\d+)?", "N", text)
    return re.sub(r" {2,}", "  ", text)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tool = Path(sys.argv[1]).resolve()
    OUTPUTS.mkdir(exist_ok=True)
    for output in ALL:
        (OUTPUTS / output.name).write_text(output.make(tool))
    for page in pages():
        text = page.read_text()
        filled = BLOCK.sub(lambda block: block["head"] + (OUTPUTS / block["name"]).read_text() + block["end"], text)
        if filled != text:
            page.write_text(filled)


if __name__ == "__main__":
    main()

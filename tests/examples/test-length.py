# SPDX-License-Identifier: LGPL-2.1-or-later
"""An example fits on a screen or two: below 80 lines, but for those that are longer for a reason."""

import sys

import example
from tap import check, tell_all

BELOW = 80
LONGER = {"python/window.py"}  # most of it is widgets


def stories():
    for path in sorted(example.FOLDER.glob("*/*")):
        name = str(path.relative_to(example.FOLDER))
        n_lines = len(path.read_text().splitlines())

        def is_short(n_lines=n_lines):
            check(n_lines < BELOW, f"it has {n_lines} lines")
        if name not in LONGER:
            yield f"{name}/is_short", is_short


if __name__ == "__main__":
    sys.exit(tell_all(list(stories())))

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""contract.py PAGE PROGRAM...: sees that each row of the tables in PAGE names tests, which PROGRAMs have. Prints TAP."""

import re
import subprocess
import sys
from pathlib import Path


def list_tests(programs):
    for program in programs:
        yield from subprocess.run([program, "-l"], check=True, capture_output=True, text=True).stdout.split()


def list_rows(page):
    rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
    return [row for row in rows if not row.startswith(("|---", "| contract |", "| what parts sessions |"))]


def fault_of(row, tests):
    named = re.findall(r"`(/[^`]+)`", row.rsplit("|", 2)[1])
    missing = [name for name in named if name not in tests]
    if missing:
        return f"there is no test {', '.join(missing)}"
    return None if named else "it names no test"


def main(page, *programs):
    tests = set(list_tests(programs))
    rows = list_rows(Path(page))
    failed = not rows
    print(f"1..{len(rows)}")
    for number, row in enumerate(rows, 1):
        fault = fault_of(row, tests)
        failed |= fault is not None
        what = row.split("|")[1].strip().replace("#", "")
        print(f"{'not ok' if fault else 'ok'} {number} {what}{': ' + fault if fault else ''}")
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""contract.py PAGE PROGRAM...: sees that each row of the tables in PAGE names tests, which PROGRAMs have, and that each
type of Gio's that is a heading has rows for all that it promises. Prints TAP. A PROGRAM that is a build directory stands
for all programs of its tests/.
"""

import json
import re
import subprocess
import sys
from pathlib import Path


def list_commands(given):
    for program in given:
        if Path(program).is_dir():
            told = subprocess.run(["meson", "introspect", "--tests", program], check=True, capture_output=True).stdout
            directory = Path(program).resolve() / "tests"
            yield from ([*test["cmd"], "-l"] for test in json.loads(told)
                        if Path(test["cmd"][0]).name.startswith("test-") and directory in Path(test["cmd"][0]).parents)
        else:
            yield [program, "-l"]


def list_tests(programs):
    for command in list_commands(programs):
        yield from subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def read_sections(page):
    """(heading, its rows)"""
    for section in re.split(r"^#+ ", page.read_text(), flags=re.MULTILINE)[1:]:
        heading, *lines = section.splitlines()
        table = [line for line in lines if line.startswith("|")]
        yield heading, table[2:]


def fault_of(row, tests):
    named = re.findall(r"`(/[^`]+)`", row.rsplit("|", 2)[1])
    missing = [name for name in named if name not in tests]
    if missing:
        return f"there is no test {', '.join(missing)}"
    return None if named else "it names no test"


def list_promises(heading):
    """Properties, virtual functions and signals of a class, the codes of an error. An asynchronous function and its
    finish are one with the blocking one.
    """
    import gi

    gi.require_version("Gio", "2.0")
    from gi.repository import Gio

    info = getattr(Gio, heading.removeprefix("G")).__info__
    if hasattr(info, "get_values"):
        prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading.removeprefix("G")).upper()
        return {f"G_{prefix}_{value.get_name().upper()}" for value in info.get_values()}
    members = [*info.get_properties(), *info.get_vfuncs(), *info.get_signals()]
    return {re.sub(r"_(async|finish)$", "", member.get_name()) for member in members}


def list_forgotten(heading, rows):
    named = {name.removesuffix("()") for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    return sorted(list_promises(heading) - named)


def main(page, *programs):
    tests = set(list_tests(programs))
    results = []
    for heading, rows in read_sections(Path(page)):
        if heading.startswith("GTls"):
            forgotten = list_forgotten(heading, rows)
            results.append((f"{heading} is there whole", f"no row for {', '.join(forgotten)}" if forgotten else None))
        results += [(row.split("|")[1].strip().replace("#", ""), fault_of(row, tests)) for row in rows]

    print(f"1..{len(results)}")
    for number, (what, fault) in enumerate(results, 1):
        print(f"{'not ok' if fault else 'ok'} {number} {what}{': ' + fault if fault else ''}")
    return 1 if not results or any(fault for _, fault in results) else 0


sys.exit(main(*sys.argv[1:]))

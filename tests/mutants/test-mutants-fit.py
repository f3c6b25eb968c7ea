# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of mutants is of today's code and today's tests, and doc/mutants.md is of today's list.

usage: test-mutants-fit.py TOP BUILDDIR
"""

import json
import subprocess
import sys
from pathlib import Path

from mutants import read_mutants

LEAST = 24


def list_tests(build):
    told = subprocess.run(("meson", "introspect", "--tests", build), check=True, stdout=subprocess.PIPE).stdout
    return {test["name"] for test in json.loads(told)}


def flaws_of(mutant, top, tests):
    try:
        mutant.plant((top / mutant.file).read_text())
    except (OSError, ValueError) as flaw:
        yield str(flaw)
    for test in mutant.tests:
        if test not in tests:
            yield f"there is no test {test}"


def rows_of(page):
    """The names in the first column of the page's table, and the tests in the last."""
    rows = [line.strip("| \n").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    return [(row[0].strip("`"), row[-1].strip("`")) for row in rows]


def main():
    top = Path(sys.argv[1])
    tests = list_tests(sys.argv[2])
    mutants = read_mutants()
    rows = dict(rows_of((top / "doc" / "mutants.md").read_text()))
    failed = False

    print(f"1..{len(mutants) + 2}")
    for number, mutant in enumerate(mutants, 1):
        flaws = list(flaws_of(mutant, top, tests))
        if rows.get(mutant.name) not in mutant.tests:
            flaws.append(f"doc/mutants.md says that {rows.get(mutant.name)} caught it; it is not among its tests")
        print(f"{'not ok' if flaws else 'ok'} {number} {mutant.name}")
        for flaw in flaws:
            print(f"# {flaw}")
        failed |= bool(flaws)

    enough = len({mutant.name for mutant in mutants}) >= LEAST
    print(f"{'ok' if enough else 'not ok'} {len(mutants) + 1} there are {LEAST} at least, each with its own name")
    known = set(rows) <= {mutant.name for mutant in mutants}
    print(f"{'ok' if known else 'not ok'} {len(mutants) + 2} doc/mutants.md lists no other")
    return 1 if failed or not enough or not known else 0


sys.exit(main())

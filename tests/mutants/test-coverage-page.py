# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every function that doc/coverage.md names is there, in the folder that it says.

usage: test-coverage-page.py TOP
"""

import re
import sys
from pathlib import Path


def list_functions(folder):
    """Those that are defined in the .c and .h files of @folder: their names stand at the beginning of a line."""
    return {name for source in sorted(folder.glob("*.[ch]"))
            for name in re.findall(r"^(?:[A-Za-z].*[ *])?([a-z_][a-z0-9_]*) \(", source.read_text(), flags=re.MULTILINE)}


def rows_of(page):
    """(folder, functions) of each row whose first column is a folder of lib/."""
    for line in page.splitlines():
        row = re.match(r"\| `lib/(\w+)/` \| (.*) \|$", line)
        if row:
            yield row.group(1), re.findall(r"`(\w+)\(\)`", row.group(2))


def main():
    top = Path(sys.argv[1])
    rows = list(rows_of((top / "doc" / "coverage.md").read_text()))
    failed = not rows

    print(f"1..{len(rows) + 1}")
    print(f"{'ok' if rows else 'not ok'} 1 the page has rows")
    for number, (folder, names) in enumerate(rows, 2):
        missing = [name for name in names if name not in list_functions(top / "lib" / folder)]
        good = names and not missing
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} {len(names)} functions of lib/{folder}/")
        for name in missing:
            print(f"# there is no function {name}() in lib/{folder}/")
    return 1 if failed else 0


sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plants one fault after the other in a copy of the tree, and looks whether a test notices.

usage: run-mutants.py TOP BUILDDIR [NAME...]: all of mutants.toml, or those of these names

BUILDDIR is a configured build of a copy of TOP, which lies beside it as BUILDDIR/../tree; see ./run mutants. A full run
writes doc/mutants.md anew.
"""

import subprocess
import sys
import time
from pathlib import Path

from mutants import read_mutants

CANNOT_BE_BUILT = 125  # what meson test exits with then

PAGE = """\
<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->
# Faults planted by hand

A test proves something only if it fails when the code is wrong. Each row is a fault that was planted, by itself, into a
line that safety hangs on; the test in the last column noticed it. `./run mutants` plants them again, and writes this page
anew; the test `mutants-fit` holds that each still fits the code. They are in `tests/mutants/mutants.toml`.

{count} faults, {caught} noticed, on {date}.

| fault | in | what is wrong then | noticed by |
|---|---|---|---|
{rows}

Two others that were planted at first went unnoticed, because what they broke is held twice: the age of a session is looked
at when its ticket is opened and bounds the ticket's lifetime as well, and early data are asked for only once a client has
been accepted, besides being withheld before. A third, a rejected server that was sent the end of the handshake, went
unnoticed for want of a test, which `connection` has now.
"""


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test(build, *names):
    """Whether they pass. What they are made of is built before."""
    done = run("meson", "test", "-C", str(build), "-t", "5", *names)
    if done.returncode == CANNOT_BE_BUILT:
        sys.exit(f"The fault cannot be built, so it proves nothing:\n{done.stdout[-3000:]}")
    return done.returncode == 0


def notice(build, mutant):
    """The test that noticed, or None."""
    return next((name for name in mutant.tests if not test(build, name)), None)


def check_sound(build, mutants):
    """A test that fails anyway notices nothing."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    failing = [name for name in tests if not test(build, name)]
    if failing:
        sys.exit("These fail without a fault: " + " ".join(failing))
    print(f"no fault: {len(tests)} test programs pass", flush=True)


def try_mutant(tree, build, mutant):
    path = tree / mutant.file
    sound = path.read_text()
    path.write_text(mutant.plant(sound))
    try:
        return notice(build, mutant)
    finally:
        path.write_text(sound)


def write_page(top, mutants, noticed):
    rows = [f"| `{m.name}` | `{m.file}` | {m.breaks} | {'`' + noticed[m.name] + '`' if noticed[m.name] else '**nobody**'} |"
            for m in mutants]
    caught = sum(1 for test in noticed.values() if test)
    (top / "doc" / "mutants.md").write_text(PAGE.format(count=len(mutants), caught=caught, rows="\n".join(rows),
                                                        date=time.strftime("%Y-%m-%d")))


def main():
    top, build, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    tree = build.parent / "tree"
    mutants = [mutant for mutant in read_mutants() if not wanted or mutant.name in wanted]
    noticed = {}

    if len(wanted) > len(mutants):
        sys.exit("There is no mutant of one of these names: " + " ".join(wanted))
    check_sound(build, mutants)
    for mutant in mutants:
        began = time.monotonic()
        noticed[mutant.name] = try_mutant(tree, build, mutant)
        print(f"{mutant.name:36} {noticed[mutant.name] or 'NOBODY NOTICED':28} {time.monotonic() - began:.0f} s", flush=True)

    if not wanted:
        write_page(top, mutants, noticed)
    unnoticed = [name for name, test in noticed.items() if test is None]
    print(f"{len(mutants)} faults, {len(mutants) - len(unnoticed)} noticed")
    return 1 if unnoticed else 0


sys.exit(main())

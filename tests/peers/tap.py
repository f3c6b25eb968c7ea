# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tells stories in TAP. A story is a name and a function; what is missing for it skips it."""

import signal
import sys
import traceback


class Missing(Exception):
    """The program that the story is about is not there."""


class Failed(Exception):
    """It went otherwise, in words."""


def check(condition, words):
    if not condition:
        raise Failed(words)


def tell(number, name, function):
    try:
        function()
    except Missing as missing:
        print(f"ok {number} {name} # SKIP {missing}", flush=True)
    except Exception:
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")
        print(f"not ok {number} {name}", flush=True)
        return False
    else:
        print(f"ok {number} {name}", flush=True)
    return True


def tell_all(stories):
    print(f"1..{len(stories)}", flush=True)
    told = [tell(number, name, function) for number, (name, function) in enumerate(stories, 1)]
    return 0 if all(told) else 1


def unwind_on_sigterm():
    """What was started is stopped, and what was made is removed, when the tests are told to end."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))

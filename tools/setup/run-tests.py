#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs all tests, for ./run test: plainly; then the C programs, and the bindings' tests, with sanitizers and valgrind.

Each test program prints TAP; what is counted are its cases. A program that crashes, hangs or fails without a failed
case counts as one failed case. With CI=true a skipped case fails the run; a run without any case always fails.

The suite package builds the whole tree once more. It is run in CI, and when it is asked for by name.

What a pass leaves out it says, with the reason; a test that is neither run nor left out so fails the run.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

GLIB_SUPPRESSIONS = "/usr/share/glib-2.0/valgrind/glib.supp"
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite",
            "--error-exitcode=99", "--num-callers=30"]
CASE = re.compile(r"^(ok|not ok)\b\s*\d*\s*(?:-\s*)?(.*?)(?:\s+#\s*(SKIP|TODO)\b\s*(.*))?$", re.IGNORECASE)


# What a pass leaves out of the C programs or the bindings' tests, and why. Names are patterns.
OTHERS_LOAD = "programs of others load the library there, and they are not built for it"
OTHERS_LEAK = "valgrind would tell what the libraries of others leak there"
ONE_THREAD = "it is of the command, which has one thread and is not built for it"
VALAC_LEAKS = "it hands callbacks on, and what valac makes of that leaks"
OWN_PRELOAD = "its programs are preloaded with a network of their own, and started by compilers and shells"
LEFT_OUT = {
    "sanitized": {"module": OTHERS_LOAD},
    "threads": {
        "module": OTHERS_LOAD,
        "ftp-*": ONE_THREAD,
        "fuzz-ftp": ONE_THREAD,
    },
    "valgrind": {
        "early-data-downgrade": "OpenSSL (3.0) leaves eight bytes as they were before it encrypts the alert that it sends",
        "foreign": OTHERS_LEAK,
        "install": OTHERS_LEAK,
        "module": OTHERS_LEAK,
    },
    "sanitized-bindings": {"snippets-*": OWN_PRELOAD},
    "valgrind-bindings": {
        "gjs-*": "GJS ends without letting go of what JavaScript still has, and that looks leaked",
        "*-helper*": "its uploads take longer there than a close may",
        "*-foreign": OTHERS_LEAK,
        "python-stubs": "no connection is made",
        "python-*-overridden": "the same stories call the same without the override",
        "vala-connect": VALAC_LEAKS,
        "vala-native": VALAC_LEAKS,
        "ftps": "the library is in processes that it starts",
        "snippets-*": OWN_PRELOAD,
    },
}


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add_case(self, where, match):
        verdict, name, directive, reason = match.groups()
        case = f"{where}: {name}"
        if directive and directive.upper() == "SKIP":
            self.skipped.append(f"{case} ({reason or 'no reason given'})")
        elif verdict == "ok":
            self.passed += 1
        else:
            self.failed.append(case)

    def add_program(self, pass_name, program):
        """program is a line of Meson's testlog.json."""
        where = f"{pass_name} {program['name'].split(' / ')[-1]}"
        failed_before, skipped_before = len(self.failed), len(self.skipped)
        for line in (program.get("stdout") or "").splitlines():
            match = CASE.match(line)
            if match:
                self.add_case(where, match)
        if program["result"] == "SKIP" and len(self.skipped) == skipped_before:
            self.skipped.append(f"{where}: all of it")
        elif program["result"] not in ("OK", "SKIP") and len(self.failed) == failed_before:
            self.failed.append(f"{where}: ended with {program['result']}, exit status {program['returncode']}")
        if len(self.failed) > failed_before:
            show_tail(where, program)


def show_tail(where, program):
    print(f"--- the end of what {where} printed")
    for stream in ("stdout", "stderr"):
        lines = (program.get(stream) or "").splitlines()[-40:]
        print("\n".join("    " + line for line in lines))
    print("---", flush=True)


def list_tests(build):
    """What Meson knows of the tests of a build: name, suite, cmd, …"""
    told = subprocess.run(["meson", "introspect", str(build), "--tests"], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(told.stdout)


def is_c_program(test, build):
    return Path(test["cmd"][0]).is_relative_to(build / "tests")


def is_of_bindings(test, build):
    return any(suite.split(":")[-1] == "bindings" for suite in test["suite"])


def choose(tally, pass_name, plain_build, build, is_wanted):
    """The names of the tests for a pass; what it leaves out is printed. All that the plain build has count."""
    wanted = [test["name"] for test in list_tests(plain_build) if is_wanted(test, plain_build)]
    built = {test["name"] for test in list_tests(build)}
    chosen, left_out = [], {}
    for name in wanted:
        pattern = next((pattern for pattern in LEFT_OUT[pass_name] if fnmatch.fnmatchcase(name, pattern)), None)
        if pattern is not None:
            left_out.setdefault(pattern, []).append(name)
        elif name in built:
            chosen.append(name)
        else:
            tally.failed.append(f"{pass_name} {name}: is not built for it, and nothing says why")
    for pattern, reason in LEFT_OUT[pass_name].items():
        if pattern in left_out:
            print(f"left out: {', '.join(left_out[pattern])} ({reason})", flush=True)
        else:
            tally.failed.append(f"{pass_name} {pattern}: is said to be left out, and there is no such test")
    return chosen


def run_pass(tally, pass_name, build, arguments, extra_env=None):
    # Meson puts the wrapper's name behind the pass's, if there is one.
    logs = build / "meson-logs"
    for log in logs.glob(f"{pass_name}*.json"):
        log.unlink()
    command = ["meson", "test", "-C", str(build), "--no-rebuild", "--num-processes", str(os.cpu_count() or 1),
               "--logbase", pass_name, *arguments]
    meson = subprocess.Popen(command, env={**os.environ, **(extra_env or {})}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in meson.stdout:
        if re.match(r"^\s*\d+/\d+ ", line):  # a program has ended
            print(line.rstrip(), flush=True)
    meson.wait()
    log = next(logs.glob(f"{pass_name}*.json"), None)
    if log is None:
        tally.failed.append(f"{pass_name}: Meson ran no test (exit status {meson.returncode})")
        return
    for line in log.read_text().splitlines():
        tally.add_program(pass_name, json.loads(line))


def valgrind_wrapper(*suppressions):
    command = list(VALGRIND)
    for path in (GLIB_SUPPRESSIONS, *suppressions):
        if os.path.exists(path):
            command.append(f"--suppressions={path}")
    return " ".join(command)


def run_passes(top, names):
    tally = Tally()
    plain = top / "_build"
    is_all = os.environ.get("CI") == "true"
    print("\nplain", flush=True)
    run_pass(tally, "plain", plain, names or ([] if is_all else ["--no-suite", "package"]))
    if names:
        return tally

    def run_again(pass_name, build, is_wanted, arguments, extra_env=None):
        print(f"\n{pass_name}", flush=True)
        chosen = choose(tally, pass_name, plain, build, is_wanted)
        # Tests that count in hundreds count in tens.
        run_pass(tally, pass_name, build, [*arguments, *chosen], {"GTLS_SESSION_SLOW": "1", **(extra_env or {})})

    run_again("sanitized", top / "_build-sanitized", is_c_program, ["-t", "4"], {
        "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1:abort_on_error=0",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    })
    run_again("sanitized-bindings", plain, is_of_bindings, ["-t", "4", "--wrap", str(top / "bindings-tests/sanitized")])
    run_again("threads", top / "_build-tsan", is_c_program, ["-t", "10", "--wrap", str(top / "tests/tsan/run")])
    run_again("valgrind", plain, is_c_program, ["-t", "20", "--wrap", valgrind_wrapper()], {"G_SLICE": "always-malloc"})
    run_again("valgrind-bindings", plain, is_of_bindings,
              ["-t", "20", "--wrap", valgrind_wrapper(top / "bindings-tests/valgrind.supp")],
              {"G_SLICE": "always-malloc", "PYTHONMALLOC": "malloc"})
    return tally


def main():
    top = Path(sys.argv[1]).resolve()
    tally = run_passes(top, sys.argv[2:])

    print()
    for case in tally.skipped:
        print(f"skipped: {case}")
    for case in tally.failed:
        print(f"FAILED: {case}")
    print(f"total: {tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")

    is_ci = os.environ.get("CI") == "true"
    if is_ci and tally.skipped:
        print("In CI a skipped test fails the run.", file=sys.stderr)
    nothing_ran = tally.passed + len(tally.failed) == 0
    return 1 if tally.failed or nothing_ran or (is_ci and tally.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())

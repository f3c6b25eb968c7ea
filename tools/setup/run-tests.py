#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs all tests, for ./run test: plainly, with sanitizers, under valgrind, and some with ThreadSanitizer.

Each test program prints TAP; what is counted are its cases. A program that crashes, hangs or fails without a failed
case counts as one failed case. With CI=true a skipped case fails the run; a run without any case always fails.

The suite package builds the whole tree once more. It is run in CI, and when it is asked for by name.
"""

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


def run_pass(tally, pass_name, build, arguments, extra_env=None):
    print(f"\n{pass_name}", flush=True)
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


def valgrind_wrapper():
    command = list(VALGRIND)
    if os.path.exists(GLIB_SUPPRESSIONS):
        command.append(f"--suppressions={GLIB_SUPPRESSIONS}")
    return " ".join(command)


def run_passes(top, names):
    tally = Tally()
    is_all = os.environ.get("CI") == "true"
    run_pass(tally, "plain", top / "_build", names or ([] if is_all else ["--no-suite", "package"]))
    if not names:
        run_pass(tally, "sanitized", top / "_build-sanitized", ["--suite", "c", "-t", "4"], {
            "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1:abort_on_error=0",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
            "GTLS_SESSION_SLOW": "1",  # tests that count in hundreds count in tens
        })
        run_pass(tally, "threads", top / "_build-tsan",
                 ["--suite", "threads", "-t", "10", "--wrap", str(top / "tests/tsan/run")], {
                     "GTLS_SESSION_SLOW": "1",
                 })
        run_pass(tally, "valgrind", top / "_build", ["--suite", "c", "-t", "20", "--wrap", valgrind_wrapper()], {
            "G_SLICE": "always-malloc",
            "GTLS_SESSION_SLOW": "1",
        })
    return tally


def main():
    top = Path(sys.argv[1])
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

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmarks, for ./run bench: bench.py BUILD [--quick] [--json FILE] [--no-page] [--only WORD]…

Side by side on the same server: this library, OpenSSL alone, glib-networking as far as it is installed, Python's ssl.
It prints a table, and writes the manual's page with it, doc/benchmarks.md, and the page's plots. A quick look measures
each thing once, prints, and leaves the page alone.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import page
from clients import Bench, Failed, Server, all_clients
from figures import FIGURES, Results
from steps import STEPS, Run

TOP = Path(__file__).resolve().parent.parent


def output_of(*command):
    try:
        return subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def find_processor():
    try:
        names = re.findall(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def describe_machine():
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "") if os.path.exists("/etc/os-release") else ""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{os.cpu_count()} × {find_processor()}",
        "system": f"{release or platform.system()}, {platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
        "commit": output_of("git", "rev-parse", "--short=12", "HEAD"),
        "openssl": output_of("openssl", "version").removeprefix("OpenSSL ").split(" ")[0],
        "glib": output_of("pkg-config", "--modversion", "glib-2.0"),
        "glib-networking": output_of("dpkg-query", "-W", "-f", "${Version}", "glib-networking"),
        "python": platform.python_version(),
    }


def find_clients(bench, results):
    """Those that are there; a connection each shows it."""
    there, missing = [], []
    for client in all_clients(bench.build):
        try:
            bench.measure(client, "handshakes", "full", 1)
            there.append(client)
        except Failed as failure:
            missing.append(client)
            results.note(client.key, f"not measured: {failure}")
    return there, missing


def run_steps(it, only):
    for title, step in STEPS:
        if only and not any(word in title for word in only):
            continue
        print(f"{title:<46} ", end="", flush=True)
        began = time.monotonic()
        try:
            step(it)
            print(f"{time.monotonic() - began:6.1f} s", flush=True)
        except Failed as failure:
            print(f"failed: {failure}", flush=True)
            it.results.note("openssl", f"{title}: {failure}")


def to_json(machine, results, names):
    return {
        "machine": machine,
        "clients": names,
        "figures": {figure.key: {"title": figure.title, "unit": figure.unit, "divide-by": figure.scale,
                                 "series": results.series[figure.key]}
                    for figure in FIGURES if figure.key in results.series},
        "crowds": results.crowds,
        "notes": results.notes,
    }


def from_json(values):
    results = Results()
    results.series = {figure: told["series"] for figure, told in values["figures"].items()}
    results.crowds = {int(n): crowd for n, crowd in values["crowds"].items()}
    results.notes = values["notes"]
    return values["machine"], results, values["clients"]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./run bench", description="Measures this library beside others.")
    parser.add_argument("build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="each thing once and little of it; does not write the page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all values to FILE as well")
    parser.add_argument("--from", type=Path, metavar="FILE", dest="source",
                        help="measures nothing, and writes the page from what --json wrote")
    parser.add_argument("--no-page", action="store_true", help="leaves doc/benchmarks.md and its plots as they are")
    parser.add_argument("--only", action="append", metavar="WORD", help="only the steps whose title has WORD in it")
    return parser.parse_args()


def measure(build, quick, only):
    results, machine = Results(), describe_machine()
    began = time.monotonic()
    with Server(build) as server:
        bench = Bench(build, server)
        clients, missing = find_clients(bench, results)
        for client in missing:
            print(f"{client.name}: {results.notes[client.key][0]}")
        run_steps(Run(bench, clients, results, quick), only)
    machine["minutes"] = round((time.monotonic() - began) / 60, 1)
    return machine, results, {client.key: client.name for client in clients + missing}


def main():
    arguments = parse_arguments()
    if arguments.source:
        told = from_json(json.loads(arguments.source.read_text()))
    else:
        told = measure(arguments.build.resolve() / "benchmarks", arguments.quick, arguments.only)
        print(f"\n{page.to_terminal(*told[1:])}")
    if arguments.json:
        arguments.json.write_text(json.dumps(to_json(*told), indent=2) + "\n")
        print(f"All values are in {arguments.json}")
    if arguments.source or not (arguments.quick or arguments.no_page or arguments.only):
        for path in page.write(TOP / "doc", *told):
            print(f"Written: {path.relative_to(TOP)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

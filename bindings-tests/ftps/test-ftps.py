# SPDX-License-Identifier: LGPL-2.1-or-later
"""The FTPS story: each language's example client against each server, over TLS 1.3 and 1.2.

Fifty uploads and fifty downloads in one session each, every file whole to the byte, every data connection resumed.
Usage: test-ftps.py EXAMPLES-DIR VALA-CLIENT
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import servers

N_TRANSFERS = 50
SIZES = [0, 1, 16383, 16384, 16385, 100_000, 1024 * 1024]
CLIENT_SECONDS = 240


class Failed(Exception):
    pass


def clients(examples, vala_client):
    return {
        "python": [sys.executable, examples / "python/ftps.py"],
        "gjs": ["gjs", "-m", examples / "gjs/ftps.js"],
        "vala": [vala_client],
    }


def run_client(server, client, tls12, verb, remote, local):
    command = [*client, f"--ca={server.ca}", f"--user={server.user}", f"--password={server.password}",
               f"--times={N_TRANSFERS}", *(["--tls1.2"] if tls12 else []), f"localhost:{server.port}", verb, remote,
               local]
    # No other TLS backend is there to help.
    environment = {**os.environ, "GIO_MODULE_DIR": str(server.directory / "no-modules")}
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                          timeout=CLIENT_SECONDS)
    if done.returncode != 0:
        raise Failed(f"{verb}: exit status {done.returncode}\n{done.stderr}")

    told = re.findall(rf"^{verb} .*: (\d+) bytes, (\S+)$", done.stderr, re.MULTILINE)
    if len(told) != N_TRANSFERS:
        raise Failed(f"{verb}: told of {len(told)} transfers\n{done.stderr}")
    if any(resumption != "resumed" for _, resumption in told):
        raise Failed(f"{verb}: not every data connection was resumed\n{done.stderr}")


def compare(verb, expected_folder, actual_folder):
    for number in range(N_TRANSFERS):
        expected = (expected_folder / f"{number}.bin").read_bytes()
        actual_file = actual_folder / f"{number}.bin"
        actual = actual_file.read_bytes() if actual_file.exists() else None
        if actual != expected:
            raise Failed(f"{verb}: file {number} has {len(actual) if actual is not None else 'no'} bytes of "
                         f"{len(expected)}, or others")


def empty(folder):
    for file in folder.iterdir():
        file.unlink()


def tell_story(server, client, tls12):
    with tempfile.TemporaryDirectory(prefix="gtls-session-ftps-") as name:
        here, back = Path(name) / "here", Path(name) / "back"
        here.mkdir()
        back.mkdir()
        for number in range(N_TRANSFERS):
            (here / f"{number}.bin").write_bytes(os.urandom(SIZES[number % len(SIZES)]))

        remote = server.upload_folder + "%d.bin"
        empty(server.files)
        run_client(server, client, tls12, "put", remote, here / "%d.bin")
        compare("put", here, server.files)
        run_client(server, client, tls12, "get", remote, back / "%d.bin")
        compare("get", here, back)


def tell_stories(kind, all_clients, report):
    cases = [(language, tls12) for language in all_clients for tls12 in (False, True)]
    names = {case: f"{kind.__name__.lower()}/tls1.{2 if case[1] else 3}/{case[0]}" for case in cases}
    try:
        with servers.running(kind) as server:
            for language, tls12 in cases:
                try:
                    tell_story(server, all_clients[language], tls12)
                    report(True, names[language, tls12])
                except (Failed, subprocess.TimeoutExpired) as failure:
                    report(False, names[language, tls12], f"{failure}\n{server.read_log()[-3000:]}")
    except servers.Missing as missing:
        for case in cases:
            report(True, f"{names[case]} # SKIP {missing}")


def main():
    examples, vala_client = Path(sys.argv[1]), Path(sys.argv[2])
    all_clients = clients(examples, vala_client)
    kinds = [servers.Vsftpd, servers.Proftpd]
    n_cases = 0
    n_failed = 0

    def report(ok, name, detail=""):
        nonlocal n_cases, n_failed
        n_cases += 1
        n_failed += not ok
        for line in detail.splitlines():
            print(f"# {line}")
        print(f"{'ok' if ok else 'not ok'} {n_cases} {name}", flush=True)

    print(f"1..{len(kinds) * len(all_clients) * 2}", flush=True)
    for kind in kinds:
        tell_stories(kind, all_clients, report)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mirrors 500 files, 1 GiB in all, up and down again, interrupted in the midst and continued: test-mirror.py TOOL

With vsftpd and ProFTPD, on a terminal. What arrives is the same to the byte, with the same times, and every data
connection was resumed.
"""

import filecmp
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import mirror_servers
import servers
import tap
from ftp_tool import COLUMNS, DONE, NO, Terminal, Tool, bytes_told, lines_drawn, password_file
from tap import Missing, check

N_FILES = 500
N_BYTES = 1024**3
N_LARGE = 12
INTERRUPT_AFTER = 372_000_000  # more than four large files and all small ones: then a large one is on its way
WAS_LONG_AGO = 1_600_000_000


def make_tree(top):
    """Random bytes, so that nothing that is left out or comes twice goes unnoticed."""
    small = [number * 97 % 60_000 for number in range(N_FILES - N_LARGE)]
    large = (N_BYTES - sum(small)) // N_LARGE
    sizes = [*small, *[large] * (N_LARGE - 1), N_BYTES - sum(small) - large * (N_LARGE - 1)]
    for number, size in enumerate(sizes):
        folder = top / f"folder {number % 7}" / ("more" if number % 3 else ".hidden")
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number} ü [{size}].bin"
        with open(file, "wb") as out:
            while size > 0:
                size -= out.write(os.urandom(min(size, 16 * 1024**2)))
        os.utime(file, (WAS_LONG_AGO + number, WAS_LONG_AGO + number))


def list_files(top):
    return {str(path.relative_to(top)): path for path in top.rglob("*") if path.is_file()}


def check_same(expected_top, actual_top):
    expected, actual = list_files(expected_top), list_files(actual_top)
    check(expected.keys() == actual.keys(), f"missing or more: {sorted(expected.keys() ^ actual.keys())[:5]}")
    check(len(actual) == N_FILES, f"{len(actual)} files")
    for name, path in expected.items():
        check(filecmp.cmp(path, actual[name], shallow=False), f"{name} has other bytes")
        check(int(path.stat().st_mtime) == int(actual[name].stat().st_mtime), f"{name} has another time")


def check_resumed(told, at_least):
    check(told["data_connections"] >= at_least and told["resumed"] == told["data_connections"], f"not resumed: {told}")


def check_progress(screen):
    lines = lines_drawn(screen)
    check(len(lines) > 3, f"no progress: {screen!r}")
    for line in lines:
        check(len(line) < COLUMNS, f"wider than the terminal: {line!r}")
    check(any("/s, " in line and " left" in line and line.startswith("[#") for line in lines), f"no rate: {lines[-5:]}")


def mirror_with_an_interruption(tool, source, target):
    with Terminal(tool, "mirror", source, target) as terminal:
        terminal.interrupt_after(INTERRUPT_AFTER)
        first = terminal.finish(NO)
        check_progress(terminal.screen)
    check(first["interrupted"] and not first["failures"], f"interrupted: {first}")
    check(first["files"]["transferred"] < N_FILES, f"it was over before: {first}")
    check_resumed(first, 1)

    with Terminal(tool, "mirror", "--continue", source, target) as terminal:
        second = terminal.finish(DONE)
        check_progress(terminal.screen)
        files, n_bytes = terminal.progress()[:2], bytes_told(terminal.progress())
    check(files == (str(N_FILES), str(N_FILES)) and n_bytes == 1.1e9, f"the end of the progress: {files}, {n_bytes}")
    check(second["files"]["continued"] >= 1, f"nothing was continued: {second}")
    # A file may have been whole when the interruption came, and only the server's last word about it missing.
    more = second["files"]["same"] - first["files"]["transferred"]
    check(0 <= more <= first["control_connections"], f"{first}, {second}")
    check(second["files"]["same"] + second["files"]["transferred"] == N_FILES, f"{second}")
    # What was on its way when it was interrupted, a few MB in the kernels' buffers perhaps, may come again.
    check(first["bytes"] + second["bytes"] < N_BYTES + 100_000_000, f"not continued: {first}, {second}")
    check_resumed(second, second["files"]["transferred"])


def mirror_again(tool, source, target):
    told = tool.run_json("mirror", source, target)
    check(told["files"] == {"transferred": 0, "continued": 0, "same": N_FILES, "skipped": 0}, f"again: {told}")
    check_resumed(told, 1)


def tell_up_and_down(tool, server, tree):
    url = f"{tool.url}tree"
    uploaded = server.files / "tree"
    mirror_with_an_interruption(tool, tree, url)
    check_same(tree, uploaded)
    mirror_again(tool, tree, url)

    with tempfile.TemporaryDirectory(prefix="gtls-session-mirror-") as name:
        back = Path(name) / "back"
        mirror_with_an_interruption(tool, url, back)
        check_same(tree, back)
        mirror_again(tool, url, back)
    shutil.rmtree(uploaded)


def tell_with(kind, program, tree, *arguments):
    try:
        with servers.running(kind) as server, tempfile.TemporaryDirectory() as folder:
            url = f"ftp://{server.user}@localhost:{server.port}/{server.upload_folder}"
            tool = Tool(program, url, "--ca", server.ca, "--password-file", password_file(folder, server.password),
                        *arguments)
            try:
                tell_up_and_down(tool, server, tree)
            except Exception:
                print("# " + server.read_log()[-3000:].replace("\n", "\n# "))
                raise
    except servers.Missing as missing:
        raise Missing(str(missing)) from None


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-tree-") as name:
        tree = Path(name)
        make_tree(tree)
        return tap.tell_all([
            ("vsftpd/mirrors_1_gib_both_ways", partial(tell_with, mirror_servers.Vsftpd, sys.argv[1], tree)),
            ("proftpd/mirrors_1_gib_both_ways", partial(tell_with, mirror_servers.Proftpd, sys.argv[1], tree)),
        ])


if __name__ == "__main__":
    sys.exit(main())

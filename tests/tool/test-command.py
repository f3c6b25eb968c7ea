# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command around the verbs: help, manual page, completion, demo."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import tap
from program import find_installed
from shells import Zsh, completions, in_bash
from tap import check
from tool import DONE, FAILED, USAGE, command, environment, run, run_on_terminal, run_to

SCENES = ("1 full handshake", "2 tickets arrive", "3 resumed", "4 refused")


def verbs():
    return re.findall(r"^  (\w+)  +[A-Z]", run("--help").expect(DONE).output, re.MULTILINE)


def options(verb):
    return set(re.findall(r"(--[\w.-]+)", run(verb, "--help").expect(DONE).output.split("Application Options:")[1]
                          .split("\n\n")[0]))


def page():
    return Path(os.environ["GTLS_SESSION_TOP"]) / "doc" / "gtls-session.1"


def helps():
    for arguments in (("--help",), ("-h",), ("help",)):
        run(*arguments).expect(DONE, "gtls-session VERB", "Exit status: 0", "gtls-session probe example.org")
    check({"probe", "store", "demo"} <= set(verbs()), f"{verbs()}")
    for verb in verbs():
        run(verb, "--help").expect(DONE, f"gtls-session {verb} [OPTION", "Exit status: 0")


def tells_its_version():
    told = run("--version").expect(DONE)
    check(re.fullmatch(r"gtls-session \d+\.\d+\.\d+\n", told.output), told.output)


def wrong_verbs_are_told():
    run().complains(USAGE, "a verb is missing", "--help")
    run("prove").complains(USAGE, "there is no verb 'prove'", "--help")
    run("demo", "a", "b").complains(USAGE, "One HOST at most", "gtls-session demo --help")
    run("demo", "--nonsense").complains(USAGE, "gtls-session demo --help")
    run("demo", "--timeout", "0").complains(USAGE, "--timeout has to be from 1 to 3600, not 0")
    run("demo", "\x1b[2J", "b").complains(USAGE)


def complaints_steer_no_terminal():
    told = run("probe", "--\x1b[2J").complains(USAGE, r"\x1b[2J")
    check("\x1b" not in told.complaints, repr(told.complaints))
    check("\x1b" not in run("\x1b[2J").complaints, "a verb that is none")


def output_that_cannot_be_written_is_told():
    """It was not done then, whatever else there is to say; but a reader that left needs no words."""
    for arguments in (("--version",), ("--help",), ("probe", "--help"), ("demo",), ("probe", "127.0.0.1:1"),
                      ("probe", "127.0.0.1:1", "--json"), ("ftp", "get", "--json", "ftp://127.0.0.1:1/a", "/tmp/a")):
        with open("/dev/full", "wb") as full:
            told = run_to(full, *arguments).complains(FAILED, "Standard output cannot be written: No space left")
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as pipe:
            told = run_to(pipe, *arguments)
        check(told.status == FAILED and "output" not in told.complaints, f"{arguments}: {told}")


def json_is_utf8_everywhere():
    for arguments in (("probe", "bücher.invalid", "--address", "127.0.0.1:1", "--json"),
                      ("ftp", "get", "ftp://127.0.0.1:1/%C3%BC", "/tmp/a", "--json")):
        told = run(*arguments, LC_ALL="C").json()
        check(told["format"] == 1 and "?" not in f"{told}", f"{told}")


def interrupted_probe_ends_at_once():
    """While it waits for a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(command(["probe", "localhost", "--address", f"127.0.0.1:{silent.getsockname()[1]}"]),
                                   env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            output, complaints = process.communicate(timeout=5)
    check(process.returncode == -signal.SIGINT and not output and not complaints, f"{process.returncode}: {complaints}")


def closed_streams_are_nobody_elses():
    """Else a socket or a file that is opened has the number of standard output, and gets what is printed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe = command(["probe", "localhost", "--address", f"127.0.0.1:{silent.getsockname()[1]}"])
        process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *probe], env=environment())
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            streams = [os.readlink(f"/proc/{process.pid}/fd/{stream}") for stream in range(3)]
            process.kill()
            process.wait()
    check(streams == ["/dev/null"] * 3, f"{streams}")

    told = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command(["demo"])], env=environment(),
                          stderr=subprocess.PIPE, text=True, check=False)
    check(told.returncode == FAILED and "output cannot be written: Bad file descriptor" in told.stderr, f"{told}")


def demo_plays_its_scenes():
    for arguments in ((), ("--tls1.2",)):
        told = run("demo", *arguments).expect(DONE, *SCENES)
        check(len(told.output.splitlines()) == 1 + len(SCENES), told.output)
        n_tickets = 1 if arguments else 2
        check(f"{n_tickets} so far" in told.output, f"not all tickets of its own server: {told.output}")


def demo_without_a_server_fails():
    run("demo", "127.0.0.1:1").complains(FAILED, "The demo failed")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run("demo", "--timeout", 1, f"127.0.0.1:{silent.getsockname()[1]}").complains(FAILED, "The demo failed")
    run("demo", TMPDIR="/nowhere").complains(FAILED, "The demo failed", "/nowhere, where they would be made")
    told = run("demo", "\x1b[2J").complains(FAILED, r"\x1b[2J")
    check("\x1b" not in told.complaints + told.output, f"{told}")


def manual_page_is_sound():
    ended = subprocess.run([find_installed("mandoc"), "-Tlint", "-Wwarning", page()], capture_output=True, text=True,
                           check=False)
    check(ended.returncode == 0, ended.stdout + ended.stderr)


def manual_page_has_all_options():
    text = page().read_text()
    for verb in verbs():
        check(f".Cm {verb}\n" in text, f"the manual page does not have '{verb}'")
        for option in options(verb) - {"--help"}:
            check(f"Fl -{option[2:]}" in text, f"the manual page does not have {verb} {option}")


def completions_have_all_options():
    zsh = (completions() / "_gtls-session").read_text()
    for verb in verbs():
        check(f"'{verb}:" in zsh or f'"{verb}:' in zsh, f"zsh does not know '{verb}'")
        offered = set(in_bash(verb, "list", "-") + in_bash(verb, "forget", "-") + in_bash(verb, "export", "-") +
                      in_bash(verb, "-")) | {"--help"}
        check(options(verb) | {"--help"} == offered, f"{verb}: bash offers {offered}, there are {options(verb)}")
        for option in options(verb):
            check(option in zsh, f"zsh does not know {verb} {option}")


def bash_completes():
    subprocess.run(["bash", "-n", completions() / "gtls-session.bash"], check=True)
    check(in_bash("pr") == ["probe"], f"{in_bash('pr')}")
    check(set(verbs()) <= set(in_bash("")), f"{in_bash('')}")
    check(in_bash("probe", "--star") == ["--starttls"], f"{in_bash('probe', '--star')}")
    check(in_bash("probe", "--starttls", "p") == ["pop3", "postgres"], f"{in_bash('probe', '--starttls', 'p')}")
    check(in_bash("store", "sh") == ["show"], f"{in_bash('store', 'sh')}")
    ca = str(completions() / "gtls-session.b")
    check(in_bash("probe", "--ca", ca) == [ca + "ash"], f"{in_bash('probe', '--ca', ca)}")


def zsh_completes():
    with tempfile.TemporaryDirectory(prefix="gtls-session-tool-") as directory, Zsh(directory) as zsh:
        zsh.complete("gtls-session pro", "be")
        zsh.complete("gtls-session probe --star", "ttls")
        zsh.complete("gtls-session probe --starttls postg", "res")
        zsh.complete("gtls-session store forg", "et")


def help_fits_a_terminal():
    told = run_on_terminal("--help", columns=100).expect(DONE, "\x1b[1m")
    lines = re.sub(r"\x1b\[\d*m", "", told.output).splitlines()
    check(max(map(len, lines)) <= 100, max(lines, key=len))


STORIES = (helps, tells_its_version, wrong_verbs_are_told, complaints_steer_no_terminal,
           output_that_cannot_be_written_is_told, closed_streams_are_nobody_elses, json_is_utf8_everywhere,
           interrupted_probe_ends_at_once, demo_plays_its_scenes, demo_without_a_server_fails, manual_page_is_sound,
           manual_page_has_all_options, completions_have_all_options, bash_completes, zsh_completes,
           help_fits_a_terminal)


def main():
    tap.unwind_on_sigterm()
    return tap.tell_all([(story.__name__, story) for story in STORIES])


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs the manual's snippets fails where it has to."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNNER = Path(__file__).with_name("run-snippets.py")

_stories = []


def story(function):
    _stories.append((function.__name__, function))
    return function


def run(page):
    """The exit status, and what the runner printed."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "page.md"
        path.write_text(page)
        done = subprocess.run([sys.executable, str(RUNNER), str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=150)
    return done.returncode, done.stdout


def is_running(pid):
    """A process that has ended and that nobody asks for is not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def expect(page, status, *printed):
    found, output = run(page)
    assert found == status, f"exit status {found}:\n{output}"
    for text in printed:
        assert text in output, f"there is no '{text}' in:\n{output}"


@story
def good_program_passes():
    expect("```sh\ntrue\n```\n", 0, "ok 1 page.md, line 1: sh", "1..1")


@story
def failing_program_fails():
    expect("```python\nraise SystemExit(3)\n```\n", 1, "not ok 1", "its exit status is 3")


@story
def program_that_should_fail_and_does_not_fails():
    expect("<!-- snippet: fails -->\n```sh\ntrue\n```\n", 1, "not ok 1")
    expect("<!-- snippet: fails -->\n```sh\nfalse\n```\n", 0, "ok 1")


@story
def continued_program_knows_what_was_before():
    page = "```python\nword = 'tick'\n```\nand then\n\n<!-- snippet: continues -->\n```python\n{}\n```\n"
    expect(page.format("print(word)"), 0, "1..1")
    expect(page.format("print(words)"), 1, "NameError")
    expect("```python\nword = 1\n```\n```python\nword\n```\n", 1, "not ok 2")


@story
def hidden_code_belongs_to_it():
    expect("<!-- snippet: hidden python\nword = 1\n-->\n<!-- snippet: continues -->\n```python\nword\n```\n", 0, "1..1")


@story
def what_it_prints_is_checked():
    page = "```sh\necho one; echo two three\n```\n<!-- snippet: prints -->\n```text\n{}\n```\n"
    expect(page.format("one\ntwo …"), 0)
    expect(page.format("two three"), 0)
    expect(page.format("two"), 1, "it does not print, in its place: two")
    expect(page.format("two three\none"), 1)


@story
def commands_are_typed_in_one_shell():
    page = "```console\n$ word=tick\n$ echo noise; \\\n  echo $word\n{}\n```\nand\n```console\n$ {}\n```\n"
    expect(page.format("tick", "test $word = tick"), 0, "ok 2 page.md, line 8: console", "1..2")
    expect(page.format("tock", "true"), 1, "not ok 1", "does not print, in its place: tock", "ok 2")
    expect(page.format("ti…", "test $word = tock"), 1, "ended with 1")
    expect(page.format("tick", "exit 0"), 1, "ended with the shell")
    expect("```console\ntrue\n```\n", 1, "begins with what is typed")


@story
def what_was_started_ends_with_the_page():
    with tempfile.NamedTemporaryFile("r") as file:
        expect(f"```console\n$ sleep 1000 &\n$ echo $! >{file.name}\n```\n", 0)
        pid = int(file.read())
    for _ in range(100):  # it is told to end; when it does is up to the kernel
        if not is_running(pid):
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is there still")


@story
def server_of_the_page_gets_a_free_port():
    expect("```console\n$ test 4433 -ne $((4400 + 33))\n```\n", 0)


@story
def other_ways_are_not_gone():
    expect("<!-- snippet: way any -->\n```console\n$ false\n```\n```sh\ntrue\n```\n", 0, "1..1")
    expect("<!-- snippet: way any -->\n```sh\nfalse\n```\n", 1, "nothing one can say")


@story
def block_that_nothing_runs_says_why():
    for block in "```\nx\n```\n", "```ini\nx\n```\n":
        expect("```sh\ntrue\n```\n" + block, 1, "line 4: nothing runs this block, and it does not say why")
        expect("```sh\ntrue\n```\n<!-- snippet: not run: it is none -->\n" + block, 0, "1..1")
        expect("```sh\ntrue\n```\n<!-- output: x.txt -->\n" + block, 0, "1..1")


@story
def saved_file_is_there():
    expect("<!-- snippet: file x.txt -->\n```ini\nhello\n```\n```sh\ngrep hello x.txt\n```\n", 0, "1..2")


@story
def misplaced_remark_is_told():
    expect("<!-- snippet: continues -->\n```python\n```\n", 1, "nothing before it")
    expect("<!-- snippet: prints -->\nno block\n```sh\n```\n", 1, "a snippet should stand here")
    expect("<!-- snippet: continued -->\n```sh\ntrue\n```\n", 1, "nothing one can say")
    expect("<!-- snippet: continues\n```sh\ntrue\n```\n", 1, "says nothing about a snippet")
    expect("```sh\ntrue\n", 1, "it has no end")


@story
def page_without_programs_fails():
    expect("words\n", 1, "1..0")


@story
def names_lead_to_test_servers():
    expect("```python\nimport socket\nsocket.create_connection(('example.org', 443))\n```\n", 0)
    expect("```python\nimport socket\nsocket.create_connection(('example.org', 444))\n```\n", 1, "ConnectionRefused")
    expect("```python\nimport socket\nsocket.create_connection(('no.example.org', 443))\n```\n", 1, "not known")


@story
def programs_in_c_are_built_and_run():
    program = "```c\n#include <gtls-session.h>\nint main (void) {{ return {}; }}\n```\n"
    expect(program.format("g_tls_session_error_quark () == 0"), 0)
    expect(program.format("g_tls_session_error_quark () != 0"), 1, "its exit status is 1")
    expect(program.format("nonsense"), 1, "it does not build")


@story
def programs_in_vala_are_built_and_run():
    program = "```vala\nint main () {{ return GTlsSession.MAJOR_VERSION == {} ? 0 : 1; }}\n```\n"
    expect(program.format("0"), 0)
    expect(program.format("7"), 1, "its exit status is 1")
    expect(program.format("nonsense"), 1, "it does not build")


def main():
    print(f"1..{len(_stories)}", flush=True)
    failed = 0
    for number, (name, function) in enumerate(_stories, 1):
        try:
            function()
            print(f"ok {number} {name}", flush=True)
        except AssertionError as error:
            failed += 1
            print("\n".join(f"# {line}" for line in str(error).splitlines()))
            print(f"not ok {number} {name}", flush=True)
    return 1 if failed else 0


sys.exit(main())

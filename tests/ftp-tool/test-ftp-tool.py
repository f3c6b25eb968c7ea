# SPDX-License-Identifier: LGPL-2.1-or-later
"""gtls-session ftp as people use it, with vsftpd and ProFTPD: test-ftp-tool.py TOOL"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import mirror_servers
import servers
import tap
from ftp_tool import DONE, FAILED, NO, USAGE, Terminal, Tool, lines_drawn, password_file
from tap import Missing, check

WHOLE = os.urandom(1024 * 1024 + 1)
TIME = 1_600_000_000  # 2020-09-13 12:26:40


def url_of(server, scheme="ftp", user=None):
    return f"{scheme}://{user or server.user}@localhost:{server.port}/{server.upload_folder}"


def make_file(folder, name, content=WHOLE):
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (TIME, TIME))
    return path


# With every server, protocol and way of TLS

def make_pipe(path):
    os.mkfifo(path)
    return path


def puts_no_file_in_the_place_of_a_device(tool, server, folder):
    """A pipe, here; root would lose /dev/null."""
    pipe, link = make_pipe(folder / "a"), folder / "b"
    link.symlink_to(pipe)
    for name in ("a", "b", "c"):
        make_file(server.files, name)
    done = tool.run_json("mirror", tool.url, folder, code=NO)
    check(len(done["failures"]) == 2 and all("is not a file" in failure for failure in done["failures"]), f"{done}")
    check(pipe.is_fifo() and link.is_symlink() and (folder / "c").read_bytes() == WHOLE, "something was replaced")
    check(sorted(os.listdir(folder)) == ["a", "b", "c"], f"{os.listdir(folder)}")


def sends_lists_and_fetches(tool, server, folder):
    name = "ü [x] %.bin"
    local = make_file(folder, name)
    sent = tool.run_json("put", local, tool.url)
    check(sent["files"]["transferred"] == 1 and sent["bytes"] == len(WHOLE), f"{sent}")
    check((server.files / name).read_bytes() == WHOLE, "other bytes were sent")
    check(int((server.files / name).stat().st_mtime) == TIME, "it has another time there")

    listed = tool.run_json("ls", tool.url)
    check([(entry["name"], entry["kind"], entry["size"]) for entry in listed["entries"]] == [(name, "file", len(WHOLE))],
          f"{listed}")
    check(listed["entries"][0]["modified"].startswith("2020-09-13T"), f"{listed}")
    words = tool.run("ls", tool.url).stdout.split()
    check(words[:3] == ["file", str(len(WHOLE)), "2020-09-13"] and words[-1] == "%.bin", f"{words}")

    back = folder / "back"
    got = tool.run_json("get", f"{tool.url}%C3%BC%20%5Bx%5D%20%25.bin", back)
    check(back.read_bytes() == WHOLE and int(back.stat().st_mtime) == TIME, "other bytes or time came back")
    for told in (sent, listed, got):
        check(told["data_connections"] == told["resumed"] == 1, f"not resumed: {told}")


def file_that_may_not_grow_is_told(tool, server, folder):
    make_file(server.files, "large")
    command = ["prlimit", f"--fsize={len(WHOLE) // 2}", "--", *tool.command("get", f"{tool.url}large", folder / "large")]
    done = subprocess.run(command, env=tool.environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    check(done.returncode == NO and "File too large" in done.stderr, f"{done}")
    check(not (folder / "large").exists(), "half a file is there as a whole one")


def transfers_nothing_at_all(tool, server, folder):
    """An empty file, and an empty folder."""
    (folder / "tree" / "empty").mkdir(parents=True)
    make_file(folder / "tree", "nothing", b"")
    tool.run("mirror", folder / "tree", f"{tool.url}tree")
    check((server.files / "tree/nothing").read_bytes() == b"" and (server.files / "tree/empty").is_dir(), "not there")
    tool.run("mirror", f"{tool.url}tree", folder / "back")
    check(sorted(os.listdir(folder / "back")) == ["empty", "nothing"], f"{os.listdir(folder / 'back')}")
    check((folder / "back/nothing").read_bytes() == b"", "other bytes")


def tells_what_fails(tool, server, folder):
    done = tool.run("get", f"{tool.url}missing", folder / "x", code=NO)
    check("missing" in done.stderr and "550" in done.stderr, f"{done.stderr}")
    check(not list(folder.glob("*x*")), f"left behind: {os.listdir(folder)}")
    make_file(folder, "a")
    done = tool.run_json("put", folder / "a", f"{tool.url}missing/folder/", code=NO)
    check(done["failures"] and not done["files"]["transferred"], f"{done}")
    tool.run("ls", f"{tool.url}missing", code=NO)


def mirrors_what_has_changed(tool, server, folder):
    tree, back = folder / "tree", folder / "back"
    (tree / "sub").mkdir(parents=True)
    make_file(tree, "same")
    make_file(tree / "sub", "changes")
    (tree / "link").symlink_to("/etc/passwd")
    tool.run("mirror", tree, f"{tool.url}tree")
    tool.run("mirror", f"{tool.url}tree", back)

    make_file(tree / "sub", "changes", WHOLE[::-1])
    os.utime(tree / "sub/changes", (TIME + 1, TIME + 1))
    done = tool.run("mirror", tree, f"{tool.url}tree").stdout.splitlines()
    check(sorted(line.split()[0] for line in done[:2]) == ["same", "sent"], f"{done}")
    check("1 that are neither files nor folders left out" in done[2], f"{done}")
    check("data connections resumed the TLS session" in done[3], f"{done}")
    told = tool.run_json("mirror", f"{tool.url}tree", back)
    check(told["files"] == {"transferred": 1, "continued": 0, "same": 1, "skipped": 0}, f"{told}")
    check((back / "sub/changes").read_bytes() == WHOLE[::-1], "other bytes")
    check(not (back / "link").exists(), "the link came along")


# Passwords and the command line, with ProFTPD

def asks_for_the_password(tool, server, folder):
    without = Tool(tool.program, tool.url, "--ca", server.ca)
    with Terminal(without, "ls", tool.url, stdin_too=True) as terminal:
        terminal.read_until(lambda screen: f"Password of {server.user} at localhost: " in screen)
        terminal.type(f"{server.password}\n")
        terminal.finish(0)
        check(server.password not in terminal.screen, f"it was shown: {terminal.screen!r}")
    with Terminal(without, "ls", tool.url, stdin_too=True) as terminal:
        terminal.read_until(lambda screen: "Password" in screen)
        terminal.type("\x03")
        while terminal.read():
            pass
        check(terminal.process.wait() == FAILED and "No password" in terminal.screen, f"{terminal.screen!r}")


def says_when_there_is_nobody_to_ask(tool, server, folder):
    """Without a terminal, as in a cron job."""
    command = Tool(tool.program, tool.url, "--ca", server.ca).command("ls", tool.url)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True)
    check(done.returncode == FAILED and "--password-file" in done.stderr, f"{done}")


def hides_the_password(tool, server, folder):
    """The one in a URL is gone from the arguments of the process by the time it talks to the server."""
    url = tool.url.replace(f"{server.user}@", f"{server.user}:{server.password}@")
    make_file(folder, "large", WHOLE * 100)
    with Terminal(Tool(tool.program, url, "--ca", server.ca), "put", folder / "large", url) as terminal:
        terminal.read_until(lambda _: terminal.progress())
        arguments = Path(f"/proc/{terminal.process.pid}/cmdline").read_bytes()
        terminal.finish(0)
        check(b"put" in arguments and server.password.encode() not in arguments, f"{arguments}")
        check(server.password not in terminal.screen, f"{terminal.screen!r}")


def says_that_the_login_failed(tool, server, folder):
    wrong = Tool(tool.program, tool.url, "--ca", server.ca, "--password-file", password_file(folder, "wrong"))
    for arguments in (["ls", tool.url], ["mirror", tool.url, folder / "x"]):
        done = wrong.run(*arguments, code=FAILED)
        check("refused the login: 530" in done.stderr, f"{done.stderr}")
        check(done.stderr.count("\n") == 1, f"more than once: {done.stderr}")


def leaves_a_partial_file_on_sigterm(tool, server, folder):
    (server.files / "large").write_bytes(WHOLE * 100)
    with Terminal(tool, "get", f"{tool.url}large", folder / "large") as terminal:
        terminal.read_until(lambda _: terminal.progress() and float(terminal.progress()[2]) > 0)
        terminal.process.terminate()
        check(terminal.finish(NO)["interrupted"], "it was over before")
    check((folder / ".large.gtls-session-part").stat().st_size > 0 and not (folder / "large").exists(), "no partial file")
    check(tool.run_json("get", "-c", f"{tool.url}large", folder)["files"]["continued"] == 1, "not continued")
    check((folder / "large").read_bytes() == WHOLE * 100, "other bytes")


def tells_first_what_is_missing_here(tool, server, folder):
    """Before it asks anybody for anything, a password for instance."""
    plain, url = Tool(tool.program, ""), f"ftp://{server.user}@localhost:{server.port}/"
    for arguments, words in ((["put", folder / "nothing", url], "nothing cannot be read"),
                             (["put", folder, url], "which mirror uploads"),
                             (["put", "/dev/null", url], "/dev/null cannot be read"),
                             (["mirror", folder / "nothing", url], "nothing cannot be read"),
                             (["mirror", make_file(folder, "file"), url], "Not a directory"),
                             (["get", f"{url}a", folder / "no" / "such"], "no cannot be written to"),
                             (["get", f"{url}a", make_pipe(folder / "pipe")], "is not a file"),
                             (["ls", url, "--ca", "/nowhere"], "/nowhere"),
                             (["ls", url, "--password-file", "/nowhere"], "/nowhere")):
        done = plain.run(*arguments, code=FAILED)
        check(words in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, f"{arguments}: {done}")


def says_when_nobody_answers(tool, server, folder):
    plain = Tool(tool.program, "")
    for url in (f"ftp://127.0.0.1:{servers.free_port()}/", f"ftps://[::1]:{servers.free_port()}/", "ftp://nobody.invalid/",
                f"ftp://localhost:{server.port}/"):  # the last one answers, and is not trusted
        for arguments in (["ls", url], ["get", f"{url}a", folder], ["mirror", url, folder / "all"]):
            done = plain.run(*arguments, code=FAILED)
            check(done.stderr.startswith("gtls-session: ") and done.stderr.count("\n") == 1, f"{done}")
            check("data connections" not in done.stdout, f"of none there is nothing to say: {done.stdout}")
    check(not (folder / "all").exists() and not list(folder.iterdir()), f"it left {os.listdir(folder)}")


def progress_fits_any_terminal(tool, server, folder):
    (server.files / "large").write_bytes(WHOLE * 100)
    for columns in (20, 40, 200):
        with Terminal(tool, "get", f"{tool.url}large", folder / "large", columns=columns) as terminal:
            terminal.finish(DONE)
            lines = lines_drawn(terminal.screen)
        check(lines and max(map(len, lines)) < columns, f"{columns} columns: {max(lines, key=len)!r}")


def goes_on_when_nobody_reads(tool, server, folder):
    """A pipe that is closed early is no reason to leave half of a mirror."""
    tree = folder / "tree"
    tree.mkdir()
    for number in range(5):
        make_file(tree, f"{number}")
    command = subprocess.Popen(tool.command("mirror", tree, f"{tool.url}tree"), env=tool.environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    command.stdout.close()
    complaints = command.stderr.read()
    command.stderr.close()
    check(command.wait() == FAILED and not complaints, f"{command.returncode}: {complaints}")
    check(sorted(os.listdir(server.files / "tree")) == sorted(os.listdir(tree)), "not all of it is there")


def explains_its_usage(tool, server, folder):
    plain = Tool(tool.program, "")
    for arguments in ([], ["ls"], ["fly", "ftp://h/"], ["ls", "h"], ["ls", "http://h/"], ["get", "ftp://h/a/"],
                      ["get", "ftp://h/.."], ["get", "ftp://h/a", ""], ["mirror", "ftp://h/", "ftp://h/"],
                      ["mirror", "a", "b"], ["ls", "ftp://h/", "--parallel=0"], ["ls", "ftp://h/", "--nonsense"],
                      ["ls", "ftp://h/a%0d%0ab"]):
        check("--help" in plain.run(*arguments, code=USAGE).stderr, f"{arguments}")
    done = plain.run("--help")
    check("mirror FOLDER URL" in done.stdout and "Exit status" in done.stdout, f"{done.stdout}")


def with_server(stories, kind, program, scheme, arguments):
    """Each story gets the tool, the server and a folder; its files are its own."""
    def tell(story):
        try:
            with servers.running(kind) as server, tempfile.TemporaryDirectory(prefix="gtls-session-ftp-") as name:
                folder = Path(name)
                secret = folder / "secret"
                secret.mkdir()
                here = folder / "here"
                here.mkdir()
                tool = Tool(program, url_of(server, scheme), "--ca", server.ca, "--password-file",
                            password_file(secret, server.password), *arguments)
                try:
                    story(tool, server, here)
                except Exception:
                    print("# " + server.read_log()[-2000:].replace("\n", "\n# "))
                    raise
        except servers.Missing as missing:
            raise Missing(str(missing)) from None

    return [partial(tell, story) for story in stories]


def main():
    tap.unwind_on_sigterm()
    common = [sends_lists_and_fetches, transfers_nothing_at_all, tells_what_fails, mirrors_what_has_changed]
    alone = [puts_no_file_in_the_place_of_a_device, file_that_may_not_grow_is_told, asks_for_the_password,
             says_when_there_is_nobody_to_ask, hides_the_password, says_that_the_login_failed,
             leaves_a_partial_file_on_sigterm, tells_first_what_is_missing_here, says_when_nobody_answers,
             progress_fits_any_terminal, goes_on_when_nobody_reads, explains_its_usage]
    groups = [
        ("vsftpd", common, mirror_servers.Vsftpd, "ftp", []),
        ("vsftpd/tls1.2", common, mirror_servers.Vsftpd, "ftpes", ["--tls1.2"]),
        ("proftpd", common + alone, mirror_servers.Proftpd, "ftp", []),
        ("proftpd/tls1.2", common, mirror_servers.Proftpd, "ftp", ["--tls1.2"]),
        ("proftpd/implicit", common, mirror_servers.ImplicitProftpd, "ftps", []),
    ]
    return tap.tell_all([(f"{name}/{story.__name__}", told)
                         for name, stories, kind, scheme, arguments in groups
                         for story, told in zip(stories, with_server(stories, kind, sys.argv[1], scheme, arguments))])


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples on libsoup, with nginx, which says of each connection whether it was resumed."""

import functools
import sys
import tempfile
from pathlib import Path

import example
import servers
from certificates import Certificates
from tap import check, tell_all, unwind_on_sigterm

PAGES = {
    "index.html": '<a href="one.html">1</a> <a href="/two.html#end">2</a> <a href="https://other.test/">away</a>',
    "one.html": '<a href="two.html">2</a> <a href="index.html">home</a> <a>nowhere</a>',
    "two.html": '<a href="three.html">3</a> <a href="mailto:a@example.org">write</a>',
    "three.html": "the end",
}


def check_accounts(server, reused):
    told = [account.reused for account in server.accounts(len(reused))]
    check(told == reused, f"nginx says {told}")


def https_shows_resumption(certificates, version):
    with servers.running(servers.Nginx, certificates, version) as server:
        (server.directory / "files/page").write_text("hello")
        url = f"https://localhost:{server.port}/page"
        lines = example.run("python/https.py", certificates.root, url, url, url)
        check([line.split(":")[0] for line in lines[::2]] == ["none", "resumed", "resumed"], f"it says {lines}")
        check(lines[1::2] == [f"200 {url}: 5 bytes"] * 3, f"it says {lines}")
        check_accounts(server, [False, True, True])


def https_tells_what_fails(certificates):
    with servers.running(servers.Nginx, certificates, "1.3") as server, tempfile.NamedTemporaryFile() as no_root:
        done = example.attempt("python/https.py", no_root.name, f"https://localhost:{server.port}/")
        check(done.returncode == 1 and "certificate" in done.stderr, f"it ended with {done.returncode}: {done.stderr}")


def crawl(certificates, server, file):
    start = f"https://localhost:{server.port}/"
    lines = [line.split() for line in example.run("python/crawl.py", certificates.root, file, f"{start}index.html")]
    visited = sorted(url.removeprefix(start) for _, url in lines)
    check(visited == sorted(PAGES), f"it visited {visited}")
    return [outcome for outcome, _ in lines]


def second_crawl_resumes_from_its_first_connection_on(certificates):
    with servers.running(servers.Nginx, certificates, "1.3") as server, tempfile.TemporaryDirectory() as folder:
        for name, text in PAGES.items():
            (server.directory / "files" / name).write_text(text)
        first, second = (crawl(certificates, server, Path(folder) / "sessions") for _ in range(2))
        check(first == ["none"] + ["resumed"] * 3, f"the first run says {first}")
        check(second == ["resumed"] * 4, f"the second run says {second}")
        check_accounts(server, [False] + [True] * 7)


def main():
    unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-examples-") as directory:
        certificates = Certificates(directory)
        stories = [(f"tls{version}/https_shows_resumption",
                    functools.partial(https_shows_resumption, certificates, version)) for version in ("1.3", "1.2")]
        stories += [(story.__name__, functools.partial(story, certificates))
                    for story in (https_tells_what_fails, second_crawl_resumes_from_its_first_connection_on)]
        return tell_all(stories)


if __name__ == "__main__":
    sys.exit(main())

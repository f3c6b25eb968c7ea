# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages, as ./run package builds and checks them: test-package.py SOURCE

./run test leaves this out unless it runs in CI, or is asked for it by name: it builds the whole tree once more.
"""

import re
import sys
import tempfile
from functools import partial
from pathlib import Path

import tap
from outside import BUILD_SECONDS, PROGRAMS, check_resumes, run
from tap import check

# What each package is for; debhelper itself refuses to leave anything out that was installed.
CONTENTS = {
    "libgtls-session-1-0": [r"usr/lib/[^/]+/libgtls-session-1\.so\.0\.[\d.]+"],
    "libgtls-session-1-dev": [r"usr/include/gtls-session-1/gtls-session\.h", r"usr/lib/[^/]+/libgtls-session-1\.so",
                              r"usr/lib/[^/]+/pkgconfig/gtls-session-1\.pc", r"usr/share/gir-1\.0/GTlsSession-1\.gir",
                              r"usr/share/vala/vapi/gtls-session-1\.vapi"],
    "gir1.2-gtlssession-1": [r"usr/lib/[^/]+/girepository-1\.0/GTlsSession-1\.typelib",
                             r"usr/share/gtls-session-1/gtls-session\.js"],
    "python3-gtlssession": [r"usr/lib/python3/dist-packages/gi/overrides/GTlsSession\.py",
                            r"usr/lib/python3/dist-packages/gi-stubs/repository/GTlsSession\.pyi"],
    "gtls-session-gio-module": [r"usr/lib/[^/]+/gio/modules/libgiogtlssession\.so"],
    "gtls-session-tools": [r"usr/bin/gtls-session", r"usr/share/man/man1/gtls-session\.1\.gz",
                           r"usr/share/bash-completion/completions/gtls-session",
                           r"usr/share/zsh/vendor-completions/_gtls-session"],
    "libgtls-session-1-doc": [r"usr/share/doc/gtls-session-1/index\.html",
                              r"usr/share/doc/gtls-session-1/class\.Helper\.html"],
}


class Packages:
    def __init__(self, source, root):
        self.source = source
        self.root = root

    def deb(self, name):
        (found,) = (self.source / ".run/packages").glob(f"{name}_*.deb")
        return found

    def field(self, name, field):
        return run(["dpkg-deb", "-f", self.deb(name), field]).strip()

    def one_below(self, pattern):
        (found,) = self.root.glob(pattern)
        return found


def builds_and_lintian_finds_no_error(packages):
    run([packages.source / "run", "package"], seconds=2 * BUILD_SECONDS)


def each_holds_what_it_is_for(packages):
    for name, patterns in CONTENTS.items():
        paths = [line.split()[5].removeprefix("./")
                 for line in run(["dpkg-deb", "-c", packages.deb(name)]).splitlines()]
        for pattern in patterns:
            check(any(re.fullmatch(pattern, path) for path in paths), f"{name} has no {pattern}, but {paths}")


def development_needs_no_more_than_glibs(packages):
    version = packages.field("libgtls-session-1-dev", "Version")
    depends = set(packages.field("libgtls-session-1-dev", "Depends").split(", "))
    check(depends == {f"libgtls-session-1-0 (= {version})", f"gir1.2-gtlssession-1 (= {version})",
                      "libglib2.0-dev (>= 2.74)"}, depends)


def unpacked_they_serve(packages):
    for name in CONTENTS:
        run(["dpkg-deb", "-x", packages.deb(name), packages.root])
    library = packages.one_below("usr/lib/*/libgtls-session-1.so.0")
    environment = {"LD_LIBRARY_PATH": str(library.parent), "GI_TYPELIB_PATH": str(library.parent / "girepository-1.0")}
    check_resumes([sys.executable, PROGRAMS / "resume.py"], environment)

    environment |= {"GIO_MODULE_DIR": str(library.parent / "gio/modules"), "GIO_USE_TLS": "gtls-session"}
    asks = "from gi.repository import Gio; print(Gio.TlsBackend.get_default().__gtype__.name)"
    backend = run([sys.executable, "-c", asks], environment).strip()
    check(backend == "GTlsSessionBackend", f"GIO's backend is {backend}")


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-packages-") as root:
        packages = Packages(Path(sys.argv[1]), Path(root))
        return tap.tell_all([(story.__name__, partial(story, packages)) for story in (
            builds_and_lintian_finds_no_error, each_holds_what_it_is_for, development_needs_no_more_than_glibs,
            unpacked_they_serve)])


if __name__ == "__main__":
    sys.exit(main())

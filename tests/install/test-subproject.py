# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree as a subproject of another one, with all that is optional left out: test-subproject.py SOURCE"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import outside
import tap
from outside import PROGRAMS, check_resumes, run
from tap import check

SUPERPROJECT = Path(__file__).parent / "superproject"


def builds_with_nothing_optional_and_resumes(source, top):
    project, prefix = top / "project", top / "prefix"
    (project / "subprojects").mkdir(parents=True)
    (project / "subprojects" / "gtls-session").symlink_to(source)
    (project / "meson.build").symlink_to(SUPERPROJECT / "meson.build")
    (project / "resume.c").symlink_to(PROGRAMS / "resume.c")
    outside.build(project, top / "build", prefix, "-Dwerror=true", "-Dgtls-session:werror=true",
                  "--wrap-mode=forcefallback")

    check_resumes([prefix / "bin/resume"], {"LD_LIBRARY_PATH": f"{prefix}/lib"})
    linked = run(["objdump", "-p", prefix / "lib/libgtls-session-1.so"])
    check("libssl" in linked and "hiredis" not in linked, linked)
    extra = [name for name in ("lib/gio", "lib/girepository-1.0", "share/vala") if (prefix / name).exists()]
    check(not extra, f"{extra} was not asked for")


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-subproject-") as top:
        return tap.tell_all([("builds_with_nothing_optional_and_resumes",
                              partial(builds_with_nothing_optional_and_resumes, Path(sys.argv[1]), Path(top)))])


if __name__ == "__main__":
    sys.exit(main())

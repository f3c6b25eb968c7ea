# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell that ./run shell opens, in which the library is not installed: test-devenv.py BUILDDIR PLAIN-PROGRAM"""

import os
import subprocess
import sys

import tap
from tap import check


def gio_finds_the_module():
    told = subprocess.run(["meson", "devenv", "-C", sys.argv[1], sys.argv[2], "backend"], capture_output=True,
                          text=True, env={**os.environ, "GIO_USE_TLS": "gtls-session"}, check=True)
    check("backend=GTlsSessionBackend\n" in told.stdout, f"{told.stdout}\n{told.stderr}")
    check(f"library={sys.argv[1]}/lib/" in told.stdout, told.stdout)


if __name__ == "__main__":
    sys.exit(tap.tell_all([(gio_finds_the_module.__name__, gio_finds_the_module)]))

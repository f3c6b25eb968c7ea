# SPDX-License-Identifier: LGPL-2.1-or-later
"""README.md's Python does what it says, typed as it stands, but for the name of the server."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support import Server, story, tell_all

README = Path(sys.argv[1])


@story
def readme_resumes_a_session():
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    assert code.count("example.org") == 2 and code.count("443") == 2
    with Server() as server:
        code = code.replace("example.org", "localhost").replace("443", str(server.port))
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "SSL_CERT_FILE": server.ca},
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("resumed The server at localhost took the session ticket"), done.stdout


if __name__ == "__main__":
    tell_all()

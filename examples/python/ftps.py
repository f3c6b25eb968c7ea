#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.

    ftps.py [--ca FILE] [--tls1.2] [--user U] [--password P] [--times N] HOST:PORT list|get|put [REMOTE] [LOCAL]

With --times N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.
"""

import argparse
import sys

from ftps_client import FtpsClient
from gi.repository import GLib


def transfer(ftps, verb, remote, local):
    if verb == "put":
        with open(local, "rb") as file:
            content = file.read()
        return len(content), ftps.put(remote, content)
    content, resumption = ftps.list(remote) if verb == "list" else ftps.get(remote)
    if local:
        with open(local, "wb") as file:
            file.write(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    return len(content), resumption


def main():
    parser = argparse.ArgumentParser(description="A small FTPS client that resumes TLS sessions")
    parser.add_argument("--ca", help="a file of certificates to trust, instead of the system's")
    parser.add_argument("--tls1.2", action="store_true", dest="only_tls12", help="TLS 1.2 at most")
    parser.add_argument("--user", default="anonymous")
    parser.add_argument("--password", default="anonymous@")
    parser.add_argument("--times", type=int, default=1, help="how often, in one session")
    parser.add_argument("host", metavar="HOST:PORT")
    parser.add_argument("verb", choices=["list", "get", "put"])
    parser.add_argument("remote", nargs="?", default="")
    parser.add_argument("local", nargs="?")
    options = parser.parse_args()

    ftps = FtpsClient(options.host, options.ca, options.only_tls12)
    ftps.login(options.user, options.password)
    for number in range(options.times):
        remote, local = (name and name.replace("%d", str(number)) for name in (options.remote, options.local))
        size, resumption = transfer(ftps, options.verb, remote, local)
        print(f"{options.verb} {remote}: {size} bytes, {resumption.value_nick}", file=sys.stderr)
    ftps.quit()


if __name__ == "__main__":
    try:
        main()
    except (GLib.Error, RuntimeError, OSError) as error:
        sys.exit(f"ftps: {getattr(error, 'message', error)}")

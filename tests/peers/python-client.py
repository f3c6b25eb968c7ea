# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two connections with Python's ssl module: python-client.py PORT ROOT 1.2|1.3 REQUEST ANSWER ANSWER

REQUEST is a file, the answers go to files. Says "reused no" or "reused yes" for each.
"""

import socket
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def exchange(context, port, request, answer, session=None):
    """The session to resume, which TLS 1.3 has after something was read."""
    tcp = socket.create_connection(("127.0.0.1", port), 10)
    with context.wrap_socket(tcp, server_hostname="localhost", session=session) as connection:
        connection.sendall(request)
        while data := connection.recv(65536):
            answer.write(data)
        print("reused", "yes" if connection.session_reused else "no", flush=True)
        return connection.session


def main():
    port, root, version, request, *answers = sys.argv[1:]
    context = ssl.create_default_context(cafile=root)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    with open(request, "rb") as file:
        content = file.read()
    session = None
    for answer in answers:
        with open(answer, "wb") as file:
            session = exchange(context, int(port), content, file, session)


if __name__ == "__main__":
    main()

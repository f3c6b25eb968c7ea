# SPDX-License-Identifier: LGPL-2.1-or-later
"""Echoes with Python's ssl module: python-server.py CERTIFICATE KEY 1.2|1.3

Says "port N", and after each handshake "reused yes" or "reused no".
"""

import socket
import ssl
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def serve(context, listener):
    while True:
        tcp, _ = listener.accept()
        try:
            with context.wrap_socket(tcp, server_side=True) as connection:
                print("reused", "yes" if connection.session_reused else "no", flush=True)
                echo(connection)
        except OSError as error:
            print(f"error {error}", flush=True)


def main():
    certificate, key, version = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        serve(context, listener)


if __name__ == "__main__":
    main()

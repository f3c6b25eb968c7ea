# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our server: our-server.py CERTIFICATE [--keys FILE] [--lifetime SECONDS] [--client-root FILE]

Answers an HTTP request with the request's body. With --client-root it wants a certificate of that root from each
client. Says "port N", and after each handshake "session RESUMPTION SERVER-NAME VERSION CLIENT", where CLIENT is
"certified" or "anonymous". Understands two lines on its standard input: "save" (the ticket keys, to the file they are
read from at the start) and "rotate", and answers "done".
"""

import argparse
import os
import sys
import traceback

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402

BLOCK = 65536
SOCKET_SECONDS = 10
VERSIONS = {Gio.TlsProtocolVersion.TLS_1_2: "1.2", Gio.TlsProtocolVersion.TLS_1_3: "1.3"}


class Keys:
    """The ticket keys, and the file that keeps them over a restart."""

    def __init__(self, path):
        self.path = path
        if path and os.path.exists(path):
            with open(path, "rb") as file:
                self.keys = GTlsSession.TicketKeys.new_from_bytes(GLib.Bytes.new(file.read()))
        else:
            self.keys = GTlsSession.TicketKeys.new()

    def save(self):
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self.keys.to_bytes().get_data())

    def rotate(self):
        self.keys.rotate()


class Tls:
    """What all connections have in common."""

    def __init__(self, options):
        self.keys = Keys(options.keys)
        if options.lifetime:
            self.keys.keys.set_lifetime(options.lifetime)
        self.certificate = GTlsSession.Certificate.new_from_file(options.certificate)
        self.client_database = GTlsSession.FileDatabase.new(options.client_root) if options.client_root else None

    def secure(self, tcp):
        connection = GTlsSession.ServerConnection.new(tcp, self.certificate)
        connection.props.ticket_keys = self.keys.keys
        if self.client_database:
            connection.props.authentication_mode = Gio.TlsAuthenticationMode.REQUIRED
            connection.set_database(self.client_database)
            connection.connect("accept-certificate", lambda _, certificate, faults: faults == 0)
        return connection

    def describe(self, connection):
        client = "certified" if connection.get_peer_certificate() else "anonymous"
        version = VERSIONS[connection.get_protocol_version()]
        return f"{connection.props.resumption.value_nick} {connection.props.server_name} {version} {client}"


def answer(connection):
    """One request, if there is one: a client may only want a session."""
    request = Gio.DataInputStream.new(connection.get_input_stream())
    line, _ = request.read_line_utf8(None)
    if line is None:
        return
    length = 0
    while line is not None and line.rstrip("\r"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
        line, _ = request.read_line_utf8(None)
    body = b""
    while len(body) < length:
        block = request.read_bytes(min(BLOCK, length - len(body)), None).get_data()
        if not block:
            raise RuntimeError(f"the request ended after {len(body)} of {length} bytes")
        body += block
    head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.get_output_stream().write_all(head.encode() + body, None)


def serve(tls, tcp):
    tcp.get_socket().set_timeout(SOCKET_SECONDS)
    connection = tls.secure(tcp)
    try:
        connection.handshake(None)
        print("session", tls.describe(connection), flush=True)
        answer(connection)
    finally:
        connection.close(None)


def on_incoming(_, tcp, __, tls):
    try:
        serve(tls, tcp)
    except GLib.Error as error:
        print("error", error.message, flush=True)
    except Exception:
        traceback.print_exc()
    return True


def on_command(stdin, _, tls, loop):
    command = stdin.readline().strip()
    if not command:
        loop.quit()
        return False
    {"save": tls.keys.save, "rotate": tls.keys.rotate}[command]()
    print("done", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate")
    parser.add_argument("--keys")
    parser.add_argument("--lifetime", type=int)
    parser.add_argument("--client-root")
    options = parser.parse_args()
    tls = Tls(options)
    loop = GLib.MainLoop()
    service = Gio.SocketService.new()
    loopback = Gio.InetSocketAddress.new_from_string("127.0.0.1", 0)
    _, address = service.add_address(loopback, Gio.SocketType.STREAM, Gio.SocketProtocol.TCP, None)
    service.connect("incoming", on_incoming, tls)
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_command,
                      tls, loop)
    print("port", address.get_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()

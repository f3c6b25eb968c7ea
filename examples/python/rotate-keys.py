#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TLS server that sends back what it reads, resumes sessions, and rotates the keys of its tickets.

    rotate-keys.py CERTIFICATE PORT SECONDS

CERTIFICATE is a PEM file with the chain and the key. There is a new ticket key every so many SECONDS (a day is 86400),
and at once on SIGHUP; the old ones open their tickets until those expire. Port 0 is a free one.
"""

import signal
import sys

import gi

gi.require_version("GTlsSession", "1")
from gi.repository import Gio, GLib, GTlsSession  # noqa: E402


def serve(_service, tcp, _source, certificate, keys):
    """In a thread of its own, like every client."""
    tcp.get_socket().set_timeout(60)  # seconds without a word
    try:
        connection = GTlsSession.ServerConnection.new(tcp, certificate)
        connection.set_ticket_keys(keys)
        connection.handshake(None)
        resumed = connection.get_resumption() == GTlsSession.Resumption.RESUMED
        print("A client came:", "resumed" if resumed else "a new session", flush=True)
        connection.get_output_stream().splice(connection.get_input_stream(), Gio.OutputStreamSpliceFlags.NONE, None)
        connection.close(None)
    except GLib.Error as error:
        print(f"A connection failed: {error.message}", flush=True)
    return True


def rotate(keys):
    try:
        keys.rotate()
        print(f"There is a new ticket key, and {keys.get_n_keys()} in all", flush=True)
    except GLib.Error as error:
        print(f"The old ticket key stays: {error.message}", flush=True)
    return GLib.SOURCE_CONTINUE


def main(certificate_path, port, seconds):
    keys = GTlsSession.TicketKeys.new()
    certificate = GTlsSession.Certificate.new_from_file(certificate_path)
    service = Gio.ThreadedSocketService.new(16)  # clients at a time
    address = Gio.InetSocketAddress.new_from_string("127.0.0.1", int(port))
    _, address = service.add_address(address, Gio.SocketType.STREAM, Gio.SocketProtocol.TCP, None)
    service.connect("run", serve, certificate, keys)
    GLib.timeout_add_seconds(int(seconds), rotate, keys)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGHUP, rotate, keys)
    print(f"Listening on port {address.get_port()}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    if len(sys.argv) != 4 or not (sys.argv[2] + sys.argv[3]).isdigit():
        sys.exit(f"usage: {sys.argv[0]} CERTIFICATE PORT SECONDS")
    try:
        main(*sys.argv[1:])
    except GLib.Error as error:
        sys.exit(error.message)

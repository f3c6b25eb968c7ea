#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fetches pages with libsoup, each over a connection of its own, and tells what became of their TLS sessions.

    https.py URL...
"""

import sys

import gi

gi.require_version("GTlsSession", "1")
gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, GTlsSession, Soup  # noqa: E402


def on_network_event(message, event, connection):
    """libsoup's TLS connection, once it is open. A helper can wrap it at any time."""
    if event == Gio.SocketClientEvent.TLS_HANDSHAKED:
        helper = GTlsSession.Helper.new(connection)
        print(f"{helper.get_resumption().value_nick}: {helper.explain()}")


def fetch(session, url):
    message = Soup.Message.new("GET", url)
    if message is None:
        sys.exit(f"This is no URL: {url}")
    message.get_request_headers().append("Connection", "close")  # or libsoup would keep the first one
    message.connect("network-event", on_network_event)
    body = session.send_and_read(message, None)
    print(f"{int(message.get_status())} {url}: {body.get_size()} bytes")


def main(urls):
    if not urls:
        sys.exit(f"usage: {sys.argv[0]} URL...")
    GTlsSession.Backend.install()  # before anything uses TLS
    session = Soup.Session()
    for url in urls:
        fetch(session, url)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except GLib.Error as error:
        sys.exit(error.message)

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Crawls the pages of one site with libsoup, a connection for each, and keeps the TLS sessions in a file.

Within a run each connection resumes an earlier one's session; the first one resumes a session of the run before.

    crawl.py FILE URL
"""

import html.parser
import sys
import urllib.parse

import gi

gi.require_version("GTlsSession", "1")
gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, GTlsSession, Soup  # noqa: E402

MAX_PAGES = 100


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if (tag, name) == ("a", "href") and value]


class Crawler:
    def __init__(self, store, start):
        self.store, self.start = store, start
        self.session = Soup.Session()

    def on_network_event(self, message, event, connection):
        if event == Gio.SocketClientEvent.TLS_HANDSHAKING:
            connection.set_session_store(self.store)
        elif event == Gio.SocketClientEvent.TLS_HANDSHAKED:
            print(f"{connection.props.resumption.value_nick} {message.get_uri().to_string()}")

    def fetch(self, url):
        message = Soup.Message.new("GET", url)
        message.get_request_headers().append("Connection", "close")
        message.connect("network-event", self.on_network_event)
        return self.session.send_and_read(message, None).get_data().decode(errors="replace")

    def is_of_this_site(self, url):
        return urllib.parse.urlsplit(url)[:2] == urllib.parse.urlsplit(self.start)[:2]

    def crawl(self):
        found = [self.start]
        for url in found:  # which grows meanwhile
            for link in Links(self.fetch(url)).found:
                target = urllib.parse.urldefrag(urllib.parse.urljoin(url, link)).url
                if self.is_of_this_site(target) and target not in found and len(found) < MAX_PAGES:
                    found.append(target)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].startswith("https://"):
        sys.exit(f"usage: {sys.argv[0]} FILE https://…")
    try:
        GTlsSession.Backend.install()  # before anything uses TLS
        Crawler(GTlsSession.FileStore.new(sys.argv[1]), sys.argv[2]).crawl()
    except GLib.Error as error:
        sys.exit(error.message)

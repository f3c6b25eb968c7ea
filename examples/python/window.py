#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A window that shows TLS connections live: the handshake, the tickets that arrive, and what becomes of them.

    window.py [HOST[:PORT]]

Each ticket is a card whose remaining life runs down; its button connects once more and offers it.
"""

import sys
import time
from pathlib import Path

import gi

gi.require_version("GTlsSession", "1")
gi.require_version("Gdk", "4.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, Gio, GLib, GTlsSession, Gtk  # noqa: E402

WORDS = {"none": "Full handshake", "resumed": "Resumed", "refused": "Refused"}
VERSIONS = {Gio.TlsProtocolVersion.TLS_1_2: "TLS 1.2", Gio.TlsProtocolVersion.TLS_1_3: "TLS 1.3"}
TICK_MILLISECONDS = 200


def label(text, *classes, xalign=0, **properties):
    return Gtk.Label(label=text, xalign=xalign, css_classes=classes, **properties)


def line(*children, **properties):
    box = Gtk.Box(**properties)
    for child in children:
        box.append(child)
    return box


def column(*children, **properties):
    return line(*children, orientation=Gtk.Orientation.VERTICAL, **properties)


def duration(seconds):
    hours, minutes = divmod(int(seconds) // 60, 60)
    parts = ((hours, "h"), (minutes, "min"), (int(seconds) % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


class TicketCard(Gtk.Box):
    def __init__(self, ticket, on_use):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=10, hexpand=False)
        self.ticket, self.on_use, self.used_by = ticket, on_use, None
        self.left = label("", "life", hexpand=True)
        self.life = Gtk.ProgressBar()
        self.button = Gtk.Button(label="Offer")
        self.button.connect("clicked", self.on_clicked)
        self.append(line(label("Ticket", "name", hexpand=True), label(ticket.get_id()[:8], "id")))
        self.append(self.life)
        self.append(line(self.left, self.button))
        self.tick()

    def tick(self):
        seconds = max(self.ticket.get_expires().to_unix() - time.time(), 0)
        share = min(seconds / max(self.ticket.get_lifetime(), 1), 1)
        self.life.set_fraction(share)
        self.left.set_label(f"{duration(seconds)} left" if seconds else "Expired")
        self.set_css_classes(["ticket", "low" if share < 0.25 else "fresh", "used" if self.used_by else "unused"])
        self.button.set_sensitive(not self.used_by and seconds > 0)

    def on_clicked(self, _):
        self.used_by = self.on_use(self.ticket)
        self.button.set_label(f"Offered by {self.used_by}")
        self.tick()


class ConnectionRow(Gtk.Box):
    """One connection from its beginning to its end."""

    def __init__(self, number, host, ticket, on_use):
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=12, css_classes=["connection"])
        self.host, self.ticket, self.on_use = host, ticket, on_use
        self.details = label("Connecting…", "details")
        self.outcome = label("Handshake", "outcome", "under-way", valign=Gtk.Align.CENTER)
        self.sentence = label("", "sentence", wrap=True, visible=False)
        self.tickets = line(spacing=12, visible=False)
        names = column(label(host, "host"), self.details, spacing=2, hexpand=True)
        self.append(line(label(str(number), "number", xalign=0.5, valign=Gtk.Align.CENTER), names, self.outcome,
                        spacing=12))
        self.append(self.sentence)
        self.append(self.tickets)
        self.cards = []

    def start(self):
        self.address = Gio.NetworkAddress.parse(self.host, 443)
        Gio.SocketClient().connect_async(self.address, None, self.attempt(self.on_tcp))

    def attempt(self, step):
        """A callback that tells of failures in the window."""
        def attempted(source, result):
            try:
                step(source, result)
            except GLib.Error as error:
                self.conclude("failed", "Failed", error.message)
        return attempted

    def on_tcp(self, client, result):
        self.helper = GTlsSession.Helper.new_for_stream(client.connect_finish(result), self.address)
        self.helper.connect("ticket-available", self.on_ticket)
        self.connection = self.helper.get_connection()
        self.connection.set_session_resumption_enabled(False)  # here the user says what is resumed
        if self.ticket:
            self.helper.set_ticket(self.ticket)
        self.connection.handshake_async(GLib.PRIORITY_DEFAULT, None, self.attempt(self.on_handshake))

    def on_handshake(self, connection, result):
        connection.handshake_finish(result)
        outcome = self.helper.get_resumption().value_nick
        self.conclude(outcome, WORDS[outcome], self.helper.explain())
        version = VERSIONS.get(connection.get_protocol_version(), "TLS")
        self.details.set_label(f"{version}  ·  {connection.get_ciphersuite_name()}")
        connection.get_input_stream().read_bytes_async(65536, GLib.PRIORITY_DEFAULT, None, self.attempt(self.on_read))

    def on_read(self, stream, result):
        """What the server sends does not matter here; but tickets come only to those who read."""
        if stream.read_bytes_finish(result).get_size() > 0:
            stream.read_bytes_async(65536, GLib.PRIORITY_DEFAULT, None, self.attempt(self.on_read))
        else:
            self.details.set_label(f"{self.details.get_label()}  ·  closed")
            self.connection.close_async(GLib.PRIORITY_DEFAULT, None, self.attempt(Gio.IOStream.close_finish))

    def on_ticket(self, _, ticket):
        self.cards.append(TicketCard(ticket, self.on_use))
        self.tickets.append(self.cards[-1])
        self.tickets.show()

    def conclude(self, outcome, word, sentence):
        self.outcome.set_css_classes(["outcome", outcome])
        self.outcome.set_label(word)
        self.sentence.set_label(sentence)
        self.sentence.show()


class Window(Gtk.ApplicationWindow):
    def __init__(self, application, host):
        super().__init__(application=application, title="TLS sessions", default_width=720, default_height=860)
        self.host = Gtk.Entry(text=host, width_chars=28, placeholder_text="HOST or HOST:PORT")
        button = Gtk.Button(label="Connect", css_classes=["suggested-action"])
        self.host.connect("activate", lambda _: self.open())
        button.connect("clicked", lambda _: self.open())
        self.rows = []
        self.list = column(spacing=16, css_classes=["connections"])
        self.set_child(Gtk.ScrolledWindow(child=self.list, hscrollbar_policy=Gtk.PolicyType.NEVER))
        bar = Gtk.HeaderBar(title_widget=self.host)
        bar.pack_end(button)
        self.set_titlebar(bar)
        GLib.timeout_add(TICK_MILLISECONDS, self.tick)

    def open(self, ticket=None):
        """A new connection; with a ticket, it offers that one. Its number."""
        row = ConnectionRow(len(self.rows) + 1, self.host.get_text(), ticket, self.open)
        self.rows.append(row)
        self.list.prepend(row)
        row.start()
        return len(self.rows)

    def tick(self):
        for row in self.rows:
            for card in row.cards:
                card.tick()
        return GLib.SOURCE_CONTINUE


def load_style():
    style = Gtk.CssProvider()
    style.load_from_path(str(Path(__file__).with_name("window.css")))
    Gtk.StyleContext.add_provider_for_display(Gdk.Display.get_default(), style, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)


def main(host="example.org"):
    application = Gtk.Application(application_id="org.gtls_session.Window", flags=Gio.ApplicationFlags.NON_UNIQUE)
    application.connect("startup", lambda _: load_style())
    application.connect("activate", lambda _: Window(application, host).present())
    application.run()


if __name__ == "__main__":
    main(*sys.argv[1:2])

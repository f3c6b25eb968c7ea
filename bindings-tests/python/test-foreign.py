# SPDX-License-Identifier: LGPL-2.1-or-later
"""Around another backend's connection the helper says honestly what cannot be known. Needs glib-networking."""

import sys

from support import SESSION_ERROR, Server, exchange, raises, story, tell_all
from gi.repository import Gio, GTlsSession


def prepare_foreign(server):
    connection = Gio.TlsClientConnection.new(server.tcp(), Gio.NetworkAddress.new("localhost", server.port))
    connection.set_database(Gio.TlsFileDatabase.new(server.ca))
    return GTlsSession.Helper.new(connection)


@story
def foreign_connection_is_unknown():
    with Server("--tls1.2") as server:
        first = prepare_foreign(server)
        first.get_connection().handshake(None)
        exchange(first, b"hello")
        second = prepare_foreign(server)
        unsupported = GTlsSession.Error.UNSUPPORTED
        raises(SESSION_ERROR, unsupported, second.copy_session_state, first)
        raises(SESSION_ERROR, unsupported, first.wait_for_ticket, 0, None)
        second.get_connection().handshake(None)
        exchange(second, b"hello")
        assert second.get_resumption() == GTlsSession.Resumption.UNKNOWN
        assert second.get_ticket() is None and len(second.list_tickets()) == 0
        assert "another TLS backend" in second.explain()


if __name__ == "__main__":
    if not Gio.TlsBackend.get_default().supports_tls():
        print("1..0 # SKIP Gio has no TLS backend here; install glib-networking")
        sys.exit(0)
    tell_all()

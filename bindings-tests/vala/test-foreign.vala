// SPDX-License-Identifier: LGPL-2.1-or-later

// Around another backend's connection the helper says honestly what cannot be known. Needs glib-networking.

GTlsSession.Helper prepare_foreign (Server server) throws Error {
    var connection = TlsClientConnection.new (server.tcp (), new NetworkAddress ("localhost", server.port));
    ((TlsConnection) connection).set_database (TlsFileDatabase.new (server.ca));
    return new GTlsSession.Helper (connection);
}

void foreign_connection_is_unknown () throws Error {
    var server = new Server ({ "--tls1.2" });
    var first = prepare_foreign (server);
    first.connection.handshake ();
    exchange (first, "hello");
    var second = prepare_foreign (server);
    assert (raised (() => second.copy_session_state (first)) is GTlsSession.Error.UNSUPPORTED);
    assert (raised (() => first.wait_for_ticket (0)) is GTlsSession.Error.UNSUPPORTED);
    second.connection.handshake ();
    exchange (second, "hello");
    assert (second.resumption == GTlsSession.Resumption.UNKNOWN);
    assert (second.get_ticket () == null);
    assert ("another TLS backend" in second.explain ());
}

int main () {
    if (!TlsBackend.get_default ().supports_tls ()) {
        print ("1..0 # SKIP Gio has no TLS backend here; install glib-networking\n");
        return 0;
    }
    tell ("foreign_connection_is_unknown", foreign_connection_is_unknown);
    return end_stories ();
}

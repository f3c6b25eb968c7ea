// SPDX-License-Identifier: LGPL-2.1-or-later

// Around another backend's connection the helper says honestly what cannot be known. Needs glib-networking.

GTlsSession.Helper prepare_foreign (Server server) throws Error {
    var connection = TlsClientConnection.new (server.tcp (), new NetworkAddress ("localhost", server.port));
    ((TlsConnection) connection).set_database (TlsFileDatabase.new (server.ca));
    return new GTlsSession.Helper (connection);
}

GTlsSession.Helper connect_foreign (Server server) throws Error {
    var helper = prepare_foreign (server);
    helper.connection.handshake ();
    exchange (helper, "hello");
    return helper;
}

async void wait_async (GTlsSession.Helper helper) throws Error {
    yield helper.wait_for_ticket_async (-1, null);
}

void foreign_connection_is_unknown (string[] options) throws Error {
    var server = new Server (options);
    var first = connect_foreign (server);
    var second = prepare_foreign (server);
    assert (second.resumption == GTlsSession.Resumption.UNKNOWN);
    var told = "";
    try {
        second.copy_session_state (first);
    } catch (GTlsSession.Error.UNSUPPORTED error) {
        told = error.message;
    }
    assert ("another TLS backend" in told);
    assert (raised (() => first.wait_for_ticket (0)) is GTlsSession.Error.UNSUPPORTED);
    var result = finish ((callback) => wait_async.begin (first, (owned) callback));
    assert (raised (() => wait_async.end (result)) is GTlsSession.Error.UNSUPPORTED);
    second.connection.handshake ();
    exchange (second, "hello");
    assert (second.resumption == GTlsSession.Resumption.UNKNOWN);
    assert (second.get_ticket () == null);
    assert (second.list_tickets ().length () == 0);
    assert ("another TLS backend" in second.explain ());
    hang_up (second);
    hang_up (first);
}

void nothing_passes_between_backends (string[] options) throws Error {
    var server = new Server (options);
    var foreign = connect_foreign (server);
    var ours = server.connect_with_ticket ();
    var next_ours = server.prepare ();
    var next_foreign = prepare_foreign (server);
    assert (raised (() => next_ours.copy_session_state (foreign)) is GTlsSession.Error.UNSUPPORTED);
    assert (raised (() => next_foreign.copy_session_state (ours)) is GTlsSession.Error.UNSUPPORTED);
    assert (raised (() => next_foreign.set_ticket (ours.get_ticket ())) is GTlsSession.Error.UNSUPPORTED);
    foreach (var helper in new GTlsSession.Helper[] { next_ours, next_foreign }) {
        helper.connection.handshake ();
        exchange (helper, "hello");
        hang_up (helper);
    }
    assert (next_ours.resumption == GTlsSession.Resumption.NONE);
    assert (next_foreign.resumption == GTlsSession.Resumption.UNKNOWN);
    hang_up (foreign);
    hang_up (ours);
}

int main () {
    if (!TlsBackend.get_default ().supports_tls ()) {
        print ("1..0 # SKIP Gio has no TLS backend here; install glib-networking\n");
        return 0;
    }
    tell_for_each_kind ("foreign_connection_is_unknown", foreign_connection_is_unknown);
    tell_for_each_kind ("nothing_passes_between_backends", nothing_passes_between_backends);
    return end_stories ();
}

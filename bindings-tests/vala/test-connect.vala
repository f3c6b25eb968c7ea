// SPDX-License-Identifier: LGPL-2.1-or-later

// TCP and TLS in one call. A program of its own, because the system's trust store, which it puts its own root into, is
// opened once in a process.

Server server;

async GTlsSession.Helper connect_async (string host, uint16 port, Cancellable? cancellable = null) throws Error {
    return yield GTlsSession.Helper.connect_to_host_async (host, port, cancellable);
}

GTlsSession.Helper connect_by_main_loop (string host, uint16 port, Cancellable? cancellable = null) throws Error {
    return connect_async.end (finish ((callback) => connect_async.begin (host, port, cancellable, (owned) callback)));
}

void connects_in_one_call () throws Error {
    var helper = GTlsSession.Helper.connect_to_host ("localhost:%d".printf (server.port), 443);
    assert (helper.wait_for_ticket (10000).is_usable ());
    exchange (helper, "hello");
    hang_up (helper);
}

void connects_in_one_async_call () throws Error {
    var helper = connect_by_main_loop ("localhost", server.port);
    assert (helper.wait_for_ticket (10000).is_usable ());
    var second = server.resume (helper);
    assert (second.resumption == GTlsSession.Resumption.RESUMED);
    hang_up (second);
    hang_up (helper);
}

void failing_to_connect_is_told () throws Error {
    var stranger = new Server ({ "--certificate=stranger" });
    var cancelled = new Cancellable ();
    cancelled.cancel ();
    assert (raised (() => GTlsSession.Helper.connect_to_host ("localhost", server.port, cancelled))
            is IOError.CANCELLED);
    assert (raised (() => connect_by_main_loop ("localhost", server.port, cancelled)) is IOError.CANCELLED);
    assert (raised (() => GTlsSession.Helper.connect_to_host ("127.0.0.1:1", 443)) is IOError.CONNECTION_REFUSED);
    assert (raised (() => connect_by_main_loop ("127.0.0.1", 1)) is IOError.CONNECTION_REFUSED);
    assert (raised (() => GTlsSession.Helper.connect_to_host ("localhost", stranger.port))
            is TlsError.BAD_CERTIFICATE);
    assert (raised (() => connect_by_main_loop ("localhost", stranger.port)) is TlsError.BAD_CERTIFICATE);
}

int main () {
    try {
        server = new Server ({ "--tls1.3" });
    } catch (Error error) {
        GLib.error ("%s", error.message);
    }
    Environment.set_variable ("SSL_CERT_FILE", server.ca, true);
    tell ("connects_in_one_call", connects_in_one_call);
    tell ("connects_in_one_async_call", connects_in_one_async_call);
    tell ("failing_to_connect_is_told", failing_to_connect_is_told);
    return end_stories ();
}

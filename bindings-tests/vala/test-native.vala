// SPDX-License-Identifier: LGPL-2.1-or-later

// What the VAPI knows: which values may be null, what may be left out of a call, and of a store.
//
// That a value may be null is a matter of the compiler's, so some of this is shown by being built (see meson.build).

// Has only what a store must have.
class SmallStore : Object, GTlsSession.Store {
    public GTlsSession.Ticket? ticket = null;

    public bool put (string key, GTlsSession.Ticket ticket) throws Error {
        this.ticket = ticket;
        return true;
    }

    public GTlsSession.Ticket? take (string key) throws Error {
        return (owned) ticket;
    }

    public bool clear () throws Error {
        ticket = null;
        return true;
    }
}

void store_may_be_small () throws Error {
    GTlsSession.Store store = new SmallStore ();
    var server = new Server ({ "--tls1.3", "--tickets=1" });
    var helper = server.prepare ();
    var connection = (GTlsSession.ClientConnection) helper.connection;
    connection.session_store = store;
    connection.session_resumption_enabled = true;
    exchange (helper, "hello");
    assert (store.remove ("another", helper.get_ticket ()));
    assert (raised (() => store.load_bytes ("keys")) is GTlsSession.Error.UNSUPPORTED);
    assert (raised (() => store.save_bytes ("keys", new Bytes ({ 1 }))) is GTlsSession.Error.UNSUPPORTED);
    assert (store.take ("any").id == helper.get_ticket ().id && store.take ("any") == null);
    hang_up (helper);
}

void properties_may_be_null () throws Error {
    var server = new Server ({ "--tls1.3" });
    var helper = server.prepare ();
    var connection = (GTlsSession.ClientConnection) helper.connection;
    connection.session_store = null;
    GTlsSession.Store? store = connection.session_store;
    assert (store == null);
    GTlsSession.Ticket ticket = helper.wait_for_ticket (10000);
    string? protocol = ticket.application_protocol;
    string? name = ticket.server_name;
    assert (protocol == null && name == "localhost");
    var socket = new GTlsSession.ServerConnection (server.tcp (), null);
    socket.ticket_keys = null;
    GTlsSession.TicketKeys? keys = socket.ticket_keys;
    string? asked = socket.server_name;
    assert (keys == null && asked == null);
    hang_up (helper);
}

async string awaited (Server server) throws Error {
    var helper = server.prepare ();
    yield helper.connection.handshake_async (Priority.DEFAULT, null);
    var ticket = yield helper.wait_for_ticket_async (10000);
    yield helper.connection.close_async (Priority.DEFAULT, null);
    return ticket.id;
}

void cancellables_may_be_left_out () throws Error {
    var server = new Server ({ "--tls1.3" });
    assert (awaited.end (finish ((callback) => awaited.begin (server, (owned) callback))).length > 0);
}

void length_may_be_left_out () throws Error {
    var server = new Server ({ "--tls1.3" });
    string pem;
    FileUtils.get_contents (server.ca, out pem);
    assert (new GTlsSession.Certificate.from_pem (pem).is_same (new GTlsSession.Certificate.from_file (server.ca)));
}

int main () {
    tell ("store_may_be_small", store_may_be_small);
    tell ("properties_may_be_null", properties_may_be_null);
    tell ("cancellables_may_be_left_out", cancellables_may_be_left_out);
    tell ("length_may_be_left_out", length_may_be_left_out);
    return end_stories ();
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// Connects to a server and keeps the TLS session in a file; the next run resumes it.
//
//     file-store FILE HOST[:PORT]

string name_of (GTlsSession.Resumption resumption) {
    return ((EnumClass) typeof (GTlsSession.Resumption).class_ref ()).get_value (resumption).value_nick;
}

void visit (GTlsSession.Store store, string host) throws Error {
    var address = NetworkAddress.parse (host, 443);
    var tcp = new SocketClient ().connect (address);
    var helper = new GTlsSession.Helper.for_stream (tcp, address);
    var connection = (GTlsSession.ClientConnection) helper.connection;
    connection.session_store = store;
    connection.handshake ();
    print ("%s: %s\n", name_of (helper.resumption), helper.explain ());
    helper.wait_for_ticket (5000); // milliseconds; a TLS 1.3 server sends tickets after the handshake
    connection.close ();
}

int main (string[] args) {
    if (args.length != 3) {
        printerr ("usage: %s FILE HOST[:PORT]\n", args[0]);
        return 2;
    }
    try {
        visit (new GTlsSession.FileStore (args[1]), args[2]);
        return 0;
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// A program outside the tree: resume HOST:PORT. It has a handshake, waits for a ticket, and resumes.

void tell (GTlsSession.Helper helper) {
    var nicks = (EnumClass) typeof (GTlsSession.Resumption).class_ref ();
    print ("%s\n", nicks.get_value (helper.resumption).value_nick);
}

void main (string[] arguments) {
    try {
        var host = arguments[1];
        var first = GTlsSession.Helper.connect_to_host (host, 443);
        tell (first);
        var ticket = first.wait_for_ticket (10000);
        print ("ticket of %s\n", ticket.server_name);

        var address = NetworkAddress.parse (host, 443);
        var second = new GTlsSession.Helper.for_stream (new SocketClient ().connect (address), address);
        second.copy_session_state (first);
        second.connection.handshake ();
        tell (second);
    } catch (Error error) {
        GLib.error ("%s", error.message);
    }
}

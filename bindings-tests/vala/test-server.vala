// SPDX-License-Identifier: LGPL-2.1-or-later

// A server of ours in Vala resumes its clients' sessions, and says so as they do.

const uint DAY = 24 * 60 * 60;

// The certificates are those of the other test server, which has them made when it starts.
string directory;

GTlsSession.Certificate load (string name) throws Error {
    return new GTlsSession.Certificate.from_file (Path.build_filename (directory, name));
}

GTlsSession.FileDatabase trust (string name) throws Error {
    return new GTlsSession.FileDatabase (Path.build_filename (directory, name));
}

delegate void PrepareServer (GTlsSession.ServerConnection connection);
delegate void PrepareClient (TlsConnection connection) throws Error;

// Serves one client after the other in a thread of its own, which is where its connections' signals come.
class OurServer {
    public uint16 port;
    public PrepareServer? prepare = null; // called before each handshake
    public GenericArray<GTlsSession.ServerConnection> served = new GenericArray<GTlsSession.ServerConnection> ();
    public Error? failure = null;

    TlsProtocolVersion version;
    GTlsSession.TicketKeys? keys;
    GTlsSession.Certificate certificate;
    SocketListener listener = new SocketListener ();
    Cancellable leaving = new Cancellable ();
    AsyncQueue<string> ended = new AsyncQueue<string> ();
    Thread<bool> thread;

    public OurServer (TlsProtocolVersion version, GTlsSession.TicketKeys? keys,
                      string certificate = "good.pem") throws Error {
        this.version = version;
        this.keys = keys;
        this.certificate = load (certificate);
        SocketAddress address;
        listener.add_address (new InetSocketAddress.from_string ("127.0.0.1", 0), SocketType.STREAM,
                              SocketProtocol.TCP, null, out address);
        port = (uint16) ((InetSocketAddress) address).port;
        thread = new Thread<bool> ("server", serve_all);
    }

    public void stop () {
        leaving.cancel ();
        thread.join ();
        listener.close ();
    }

    bool serve_all () {
        while (true) {
            try {
                serve (listener.accept (null, leaving));
            } catch (Error error) {
                if (leaving.is_cancelled ())
                    return true;
                failure = error;
            }
            ended.push ("one");
        }
    }

    void serve (SocketConnection tcp) throws Error {
        var connection = new GTlsSession.ServerConnection (tcp, certificate);
        connection.ticket_keys = keys;
        connection.minimum_protocol_version = version;
        connection.maximum_protocol_version = version;
        if (prepare != null)
            prepare (connection);
        try {
            connection.handshake ();
            var buffer = new uint8[4096];
            ssize_t n_read;
            while ((n_read = connection.input_stream.read (buffer)) > 0)
                connection.output_stream.write_all (buffer[0:n_read], null);
            connection.close ();
        } catch (Error error) {
            tcp.close ();
            throw error;
        }
        served.add (connection);
    }

    // Until the client that came last has been served.
    public void wait () {
        assert (ended.timeout_pop (30 * TimeSpan.SECOND) != null);
    }

    public GTlsSession.ServerConnection last () {
        return served[served.length - 1];
    }

    // A helper whose connection trusts this server; the handshake is still to come.
    public GTlsSession.Helper client () throws Error {
        var tcp = new SocketClient ().connect_to_host ("127.0.0.1", port);
        var helper = new GTlsSession.Helper.for_stream (tcp, new NetworkAddress ("localhost", port));
        ((TlsConnection) helper.connection).set_database (trust ("ca.pem"));
        // A session is resumed when a story says so.
        ((GTlsSession.ClientConnection) helper.connection).session_store = null;
        return helper;
    }

    // A client comes, offers the ticket if there is one, and both sides say what became of it.
    public GTlsSession.Helper meet (GTlsSession.Ticket? ticket = null,
                                    GTlsSession.Resumption resumption = GTlsSession.Resumption.NONE,
                                    PrepareClient? prepare_client = null) throws Error {
        var helper = client ();
        if (prepare_client != null)
            prepare_client ((TlsConnection) helper.connection);
        if (ticket != null)
            assert (helper.set_ticket (ticket));
        exchange (helper, "hello");
        hang_up (helper);
        wait ();
        if (failure != null)
            throw failure;
        assert (helper.resumption == resumption);
        assert (last ().resumption == resumption);
        assert (last ().get_resumption () == resumption);
        return helper;
    }
}

void second_connection_is_resumed_on_both_sides (TlsProtocolVersion version) throws Error {
    var server = new OurServer (version, new GTlsSession.TicketKeys ());
    var first = server.meet ();
    var second = server.meet (first.get_ticket (), GTlsSession.Resumption.RESUMED);
    assert (((GTlsSession.ClientConnection) second.connection).get_session_reused ());
    server.stop ();
}

void without_keys_there_are_no_tickets (TlsProtocolVersion version) throws Error {
    var server = new OurServer (version, null);
    assert (server.meet ().get_ticket () == null);
    assert (server.last ().get_ticket_keys () == null);
    server.stop ();
}

void rotated_keys_take_old_tickets (TlsProtocolVersion version) throws Error {
    var keys = new GTlsSession.TicketKeys ();
    var server = new OurServer (version, keys);
    var ticket = server.meet ().get_ticket ();
    assert (keys.get_n_keys () == 1);
    assert (keys.rotate ());
    assert (keys.get_n_keys () == 2);
    server.meet (ticket, GTlsSession.Resumption.RESUMED);
    assert (server.last ().ticket_keys == keys);
    server.stop ();
}

void restarted_server_takes_its_tickets_only_with_its_keys (TlsProtocolVersion version) throws Error {
    var keys = new GTlsSession.TicketKeys ();
    keys.lifetime = DAY;
    var server = new OurServer (version, keys);
    var ticket = server.meet ().get_ticket ();
    server.stop ();

    var data = keys.to_bytes ().get_data ();
    var imported = new GTlsSession.TicketKeys.from_bytes (new Bytes (data));
    assert (imported.lifetime == DAY);
    assert (imported.to_bytes ().compare (new Bytes (data)) == 0);
    server = new OurServer (version, imported);
    server.meet (ticket, GTlsSession.Resumption.RESUMED);
    server.stop ();

    server = new OurServer (version, new GTlsSession.TicketKeys ());
    server.meet (ticket, GTlsSession.Resumption.REFUSED);
    server.stop ();
}

void damaged_keys_are_bad_data () throws Error {
    var data = new GTlsSession.TicketKeys ().to_bytes ().get_data ();
    uint8[] damaged = data;
    damaged[20] ^= 1;
    Bytes[] all_bad = { new Bytes (damaged), new Bytes (data[0:data.length - 1]), new Bytes ({}) };
    foreach (var bad in all_bad)
        assert (raised (() => new GTlsSession.TicketKeys.from_bytes (bad)) is GTlsSession.Error.BAD_DATA);
}

void client_is_told_the_lifetime (TlsProtocolVersion version) throws Error {
    var keys = new GTlsSession.TicketKeys ();
    uint[] changes = {};
    keys.notify["lifetime"].connect (() => {
        changes += keys.get_lifetime ();
    });
    keys.set_lifetime (1234);
    assert (changes.length == 1 && changes[0] == 1234);
    var server = new OurServer (version, keys);
    assert (server.meet ().get_ticket ().lifetime == 1234);
    server.stop ();
}

void client_gets_as_many_tickets_as_the_server_was_told () throws Error {
    var server = new OurServer (TlsProtocolVersion.TLS_1_3, new GTlsSession.TicketKeys ());
    uint[] counts = { 0, 1, 5 };
    foreach (var count in counts) {
        server.prepare = (connection) => connection.set_ticket_count (count);
        assert (server.meet ().list_tickets ().length () == count);
        assert (server.last ().ticket_count == count);
    }
    server.stop ();
}

// The server has another one to begin with.
void certificate_is_chosen_by_name (TlsProtocolVersion version) throws Error {
    var server = new OurServer (version, new GTlsSession.TicketKeys (), "other-name.pem");
    var good = load ("good.pem");
    var n_chosen = 0;
    server.prepare = (connection) => {
        connection.notify["server-name"].connect ((object, pspec) => {
            assert (((GTlsSession.ServerConnection) object).server_name == "localhost");
            ((TlsConnection) object).set_certificate (good);
            n_chosen++;
        });
    };
    var ticket = server.meet ().get_ticket ();
    server.meet (ticket, GTlsSession.Resumption.RESUMED);
    assert (n_chosen == 2);
    assert (server.last ().dup_server_name () == "localhost");
    server.stop ();
}

void client_certificate_is_seen_when_resumed_too (TlsProtocolVersion version) throws Error {
    var server = new OurServer (version, new GTlsSession.TicketKeys ());
    var own = load ("good.pem");
    var root = trust ("ca.pem");
    var n_asked = 0;
    server.prepare = (connection) => {
        connection.authentication_mode = TlsAuthenticationMode.REQUIRED;
        connection.set_database (root);
        connection.accept_certificate.connect ((certificate, faults) => {
            n_asked++;
            return faults == 0;
        });
    };
    PrepareClient bring_it = (connection) => connection.set_certificate (own);
    var ticket = server.meet (null, GTlsSession.Resumption.NONE, bring_it).get_ticket ();
    server.meet (ticket, GTlsSession.Resumption.RESUMED, bring_it);
    assert (server.served.length == 2);
    assert (n_asked == 2);
    for (var i = 0; i < 2; i++)
        assert (server.served[i].get_peer_certificate ().is_same (own));
    server.stop ();
}

void strange_client_is_asked_about_each_time (TlsProtocolVersion version) throws Error {
    var server = new OurServer (version, new GTlsSession.TicketKeys ());
    var stranger = load ("stranger.pem");
    var root = trust ("ca.pem");
    var n_asked = 0;
    server.prepare = (connection) => {
        connection.authentication_mode = TlsAuthenticationMode.REQUIRED;
        connection.set_database (root);
        connection.accept_certificate.connect ((certificate, faults) => {
            assert (faults == TlsCertificateFlags.UNKNOWN_CA);
            return n_asked++ < 2;
        });
    };
    PrepareClient bring_it = (connection) => connection.set_certificate (stranger);
    var ticket = server.meet (null, GTlsSession.Resumption.NONE, bring_it).get_ticket ();
    server.meet (ticket, GTlsSession.Resumption.RESUMED, bring_it);

    var helper = server.client ();
    bring_it ((TlsConnection) helper.connection);
    helper.set_ticket (ticket);
    var buffer = new uint8[5];
    var n_read = (ssize_t) 0;
    try {
        helper.connection.output_stream.write_all ("hello".data, null);
        n_read = helper.connection.input_stream.read (buffer);
    } catch (Error error) {
        // Told by an alert or by the end, whatever comes first.
    }
    assert (n_read == 0);
    server.wait ();
    assert (server.failure is TlsError.BAD_CERTIFICATE);
    assert (n_asked == 3);
    server.stop ();
}

int main () {
    Server certificates;

    try {
        certificates = new Server ({});
    } catch (Error error) {
        printerr ("The test server did not start: %s\n", error.message);
        return 1;
    }
    directory = Path.get_dirname (certificates.ca);
    tell_for_each_version ("second_connection_is_resumed_on_both_sides", second_connection_is_resumed_on_both_sides);
    tell_for_each_version ("without_keys_there_are_no_tickets", without_keys_there_are_no_tickets);
    tell_for_each_version ("rotated_keys_take_old_tickets", rotated_keys_take_old_tickets);
    tell_for_each_version ("restarted_server_takes_its_tickets_only_with_its_keys",
                           restarted_server_takes_its_tickets_only_with_its_keys);
    tell ("damaged_keys_are_bad_data", damaged_keys_are_bad_data);
    tell_for_each_version ("client_is_told_the_lifetime", client_is_told_the_lifetime);
    tell ("client_gets_as_many_tickets_as_the_server_was_told", client_gets_as_many_tickets_as_the_server_was_told);
    tell_for_each_version ("certificate_is_chosen_by_name", certificate_is_chosen_by_name);
    tell_for_each_version ("client_certificate_is_seen_when_resumed_too", client_certificate_is_seen_when_resumed_too);
    tell_for_each_version ("strange_client_is_asked_about_each_time", strange_client_is_asked_about_each_time);
    return end_stories ();
}

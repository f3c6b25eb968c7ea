// SPDX-License-Identifier: LGPL-2.1-or-later

// The control connection of an FTPS client (RFC 4217): commands and replies. See ftps.vala.

errordomain FtpError {
    REFUSED
}

class FtpsControl {
    NetworkAddress address;
    TlsDatabase? database;
    bool only_tls12;
    IOStream stream;
    protected InetAddress remote;
    DataInputStream replies;
    protected GTlsSession.Helper control;

    public FtpsControl (string host_and_port, string? ca, bool only_tls12) throws Error {
        address = (NetworkAddress) NetworkAddress.parse (host_and_port, 21);
        database = ca != null ? new GTlsSession.FileDatabase (ca) : null;
        this.only_tls12 = only_tls12;

        var tcp = new SocketClient ().connect (address);
        remote = ((InetSocketAddress) tcp.get_remote_address ()).address;
        stream = tcp;
        replies = new DataInputStream (stream.input_stream) { close_base_stream = false };
        reply ("220");
        command ("AUTH TLS", "234");
        control = secure (tcp);
        control.connection.handshake ();
        stream = control.connection;
        replies = new DataInputStream (stream.input_stream);
    }

    // TLS over a TCP connection; the handshake is still to come.
    protected GTlsSession.Helper secure (IOStream tcp) throws Error {
        var helper = new GTlsSession.Helper.for_stream (tcp, address);
        var connection = (GTlsSession.Connection) helper.connection;
        if (database != null)
            connection.set_database (database);
        if (only_tls12)
            connection.maximum_protocol_version = TlsProtocolVersion.TLS_1_2;
        return helper;
    }

    // Reads a reply, of several lines perhaps (RFC 959, section 4.2).
    protected string reply (string code, string other_code = "none") throws Error {
        var line = replies.read_line_utf8 ();
        while (line != null && line.substring (3, 1) != " ")
            line = replies.read_line_utf8 ();
        if (line == null || !(line.has_prefix (code) || line.has_prefix (other_code)))
            throw new FtpError.REFUSED ("The server answered: %s", line ?? "nothing");
        return line;
    }

    protected string command (string text, string code, string other_code = "none") throws Error {
        stream.output_stream.write_all ((text + "\r\n").data, null);
        return reply (code, other_code);
    }

    public void login (string user, string password) throws Error {
        if (command ("USER " + user, "331", "230").has_prefix ("331"))
            command ("PASS " + password, "230");
        command ("PBSZ 0", "200");
        command ("PROT P", "200");
        command ("TYPE I", "200");
        control.wait_for_ticket (5000);
    }

    public void quit () throws Error {
        command ("QUIT", "221");
        stream.close ();
    }
}

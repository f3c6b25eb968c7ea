// SPDX-License-Identifier: LGPL-2.1-or-later

// The data connections of an FTPS client, each with the control connection's TLS session. See ftps.vala.

class FtpsClient : FtpsControl {
    public FtpsClient (string host_and_port, string? ca, bool only_tls12) throws Error {
        base (host_and_port, ca, only_tls12);
    }

    // The data connection for a command, with the control connection's session.
    GTlsSession.Helper open_data (string text) throws Error {
        var port = (uint16) int.parse (command ("EPSV", "229").split ("|")[3]);
        var tcp = new SocketClient ().connect (new InetSocketAddress (remote, port));
        command (text, "150", "125");
        var data = secure (tcp);
        try {
            data.copy_session_state (control);
        } catch (Error error) {
            printerr ("The session could not be carried over: %s\n", error.message);
        }
        data.connection.handshake ();
        return data;
    }

    string close_data (GTlsSession.Helper data) throws Error {
        data.connection.close (); // after an upload, this is what makes sure that all of it arrives
        reply ("226", "250");
        var kind = (EnumClass) typeof (GTlsSession.Resumption).class_ref ();
        return kind.get_value (data.resumption).value_nick;
    }

    public uint8[] download (string text, out string resumption) throws Error {
        var data = open_data (text);
        var content = new MemoryOutputStream.resizable ();
        content.splice (data.connection.input_stream, OutputStreamSpliceFlags.CLOSE_TARGET);
        resumption = close_data (data);
        return content.steal_as_bytes ().get_data ();
    }

    public string put (string remote_name, uint8[] content) throws Error {
        var data = open_data ("STOR " + remote_name);
        data.connection.output_stream.write_all (content, null);
        return close_data (data);
    }
}

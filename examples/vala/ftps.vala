// SPDX-License-Identifier: LGPL-2.1-or-later

// A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.
//
//     ftps [--ca FILE] [--tls1.2] [--user U] [--password P] [--times N] HOST:PORT list|get|put [REMOTE] [LOCAL]
//
// With --times N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.

errordomain FtpError {
    REFUSED
}

class Ftps {
    NetworkAddress address;
    TlsDatabase? database;
    bool only_tls12;
    IOStream stream;
    InetAddress remote;
    DataInputStream replies;
    GTlsSession.Helper control;

    public Ftps (string host_and_port, string? ca, bool only_tls12) throws Error {
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
    GTlsSession.Helper secure (IOStream tcp) throws Error {
        var helper = new GTlsSession.Helper.for_stream (tcp, address);
        var connection = (GTlsSession.Connection) helper.connection;
        if (database != null)
            connection.set_database (database);
        if (only_tls12)
            connection.maximum_protocol_version = TlsProtocolVersion.TLS_1_2;
        return helper;
    }

    // Reads a reply, of several lines perhaps (RFC 959, section 4.2).
    string reply (string code, string other_code = "none") throws Error {
        var line = replies.read_line_utf8 ();
        while (line != null && line.substring (3, 1) != " ")
            line = replies.read_line_utf8 ();
        if (line == null || !(line.has_prefix (code) || line.has_prefix (other_code)))
            throw new FtpError.REFUSED ("The server answered: %s", line ?? "nothing");
        return line;
    }

    string command (string text, string code, string other_code = "none") throws Error {
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

    public void quit () throws Error {
        command ("QUIT", "221");
        stream.close ();
    }
}

string? ca = null;
string? user = null;
string? password = null;
bool only_tls12 = false;
int times = 1;
[CCode (array_length = false, array_null_terminated = true)]
string[]? arguments = null;

const OptionEntry[] OPTIONS = {
    { "ca", 0, 0, OptionArg.FILENAME, ref ca, "Certificates to trust, instead of the system's", "FILE" },
    { "tls1.2", 0, 0, OptionArg.NONE, ref only_tls12, "TLS 1.2 at most", null },
    { "user", 0, 0, OptionArg.STRING, ref user, null, "U" },
    { "password", 0, 0, OptionArg.STRING, ref password, null, "P" },
    { "times", 0, 0, OptionArg.INT, ref times, "How often, in one session", "N" },
    { OPTION_REMAINING, 0, 0, OptionArg.STRING_ARRAY, ref arguments, null, "HOST:PORT list|get|put [REMOTE] [LOCAL]" },
    { null }
};

int transfer (Ftps ftps, string verb, string remote, string? local, out string resumption) throws Error {
    uint8[] content;
    if (verb == "put") {
        FileUtils.get_data (local, out content);
        resumption = ftps.put (remote, content);
        return content.length;
    }
    content = ftps.download ((verb == "list" ? "LIST " + remote : "RETR " + remote).strip (), out resumption);
    if (local != null)
        FileUtils.set_data (local, content);
    else
        stdout.write (content);
    return content.length;
}

int main (string[] args) {
    try {
        var context = new OptionContext ("- a small FTPS client that resumes TLS sessions");
        context.add_main_entries (OPTIONS, null);
        context.parse (ref args);
        if (arguments == null || arguments.length < 2 || !(arguments[1] in new string[] { "list", "get", "put" })) {
            printerr ("%s", context.get_help (true, null));
            return 2;
        }

        var ftps = new Ftps (arguments[0], ca, only_tls12);
        ftps.login (user ?? "anonymous", password ?? "anonymous@");
        for (var number = 0; number < times; number++) {
            var remote = (arguments.length > 2 ? arguments[2] : "").replace ("%d", number.to_string ());
            var local = arguments.length > 3 ? arguments[3].replace ("%d", number.to_string ()) : null;
            string resumption;
            var size = transfer (ftps, arguments[1], remote, local, out resumption);
            printerr ("%s %s: %d bytes, %s\n", arguments[1], remote, size, resumption);
        }
        ftps.quit ();
        return 0;
    } catch (Error error) {
        printerr ("ftps: %s\n", error.message);
        return 1;
    }
}

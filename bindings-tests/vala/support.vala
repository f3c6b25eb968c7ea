// SPDX-License-Identifier: LGPL-2.1-or-later

// The Vala tests' own little world: the test server, and a client.

class Server {
    public uint16 port;
    public string ca;

    Subprocess process;
    DataInputStream answers;

    public Server (string[] options) throws Error {
        string[] command = { Environment.get_variable ("TEST_SERVER") };
        foreach (var option in options)
            command += option;
        process = new Subprocess.newv (command, SubprocessFlags.STDIN_PIPE | SubprocessFlags.STDOUT_PIPE);
        answers = new DataInputStream (process.get_stdout_pipe ());
        var told = answers.read_line ();
        port = (uint16) int.parse (field (told, "port"));
        ca = field (told, "ca");
    }

    ~Server () {
        try {
            process.get_stdin_pipe ().close ();
            process.wait ();
        } catch (Error error) {
            warning ("The test server: %s", error.message);
        }
    }

    public static string field (string line, string name) {
        foreach (var part in line.split (" "))
            if (part.has_prefix (name + "="))
                return part.substring (name.length + 1);
        error ("There is no %s in: %s", name, line);
    }

    public string ask (string command) throws Error {
        process.get_stdin_pipe ().write_all ((command + "\n").data, null);
        return answers.read_line ();
    }

    public SocketConnection tcp () throws Error {
        return new SocketClient ().connect_to_host ("127.0.0.1", port);
    }

    // A helper whose connection trusts this server; the handshake is still to come.
    public GTlsSession.Helper prepare (string name = "localhost") throws Error {
        var helper = new GTlsSession.Helper.for_stream (tcp (), new NetworkAddress (name, port));
        ((TlsConnection) helper.connection).set_database (new GTlsSession.FileDatabase (ca));
        // What it resumes is what a test offers by hand.
        ((GTlsSession.ClientConnection) helper.connection).session_resumption_enabled = false;
        return helper;
    }

    public GTlsSession.Helper connect () throws Error {
        var helper = prepare ();
        helper.connection.handshake ();
        return helper;
    }

    public GTlsSession.Helper connect_with_ticket () throws Error {
        var helper = prepare ();
        assert (helper.wait_for_ticket (10000) != null);
        return helper;
    }

    public GTlsSession.Helper resume (GTlsSession.Helper source) throws Error {
        var helper = prepare ();
        assert (helper.copy_session_state (source));
        helper.connection.handshake ();
        return helper;
    }
}

void exchange (GTlsSession.Helper helper, string text) throws Error {
    helper.connection.output_stream.write_all (text.data, null);
    assert (receive (helper, text.length) == text);
}

string receive (GTlsSession.Helper helper, int size) throws Error {
    var buffer = new uint8[size + 1];
    size_t n_read;
    helper.connection.input_stream.read_all (buffer[0:size], out n_read);
    assert (n_read == size);
    return (string) buffer;
}

void hang_up (GTlsSession.Helper helper) throws Error {
    assert (helper.connection.close ());
}

delegate void Story () throws Error;
delegate void StoryOfKind (string[] options) throws Error;
delegate void StoryOfVersion (TlsProtocolVersion version) throws Error;
delegate void Call () throws Error;

int n_stories = 0;
int n_failed = 0;

// A test; its name is what it shows.
void tell (string name, Story story) {
    n_stories++;
    try {
        story ();
        print ("ok %d %s\n", n_stories, name);
    } catch (Error error) {
        n_failed++;
        print ("# %s\nnot ok %d %s\n", error.message, n_stories, name);
    }
    stdout.flush ();
}

// A test for TLS 1.3, for a TLS 1.2 ticket and for a TLS 1.2 session id; it gets the server's options.
void tell_for_each_kind (string name, StoryOfKind story) {
    tell ("tls1.3/" + name, () => story ({ "--tls1.3" }));
    tell ("tls1.2-ticket/" + name, () => story ({ "--tls1.2" }));
    tell ("tls1.2-session-id/" + name, () => story ({ "--tls1.2", "--session-ids" }));
}

// A test for TLS 1.3 and for TLS 1.2; it gets the version.
void tell_for_each_version (string name, StoryOfVersion story) {
    tell ("tls1.3/" + name, () => story (TlsProtocolVersion.TLS_1_3));
    tell ("tls1.2/" + name, () => story (TlsProtocolVersion.TLS_1_2));
}

int end_stories () {
    print ("1..%d\n", n_stories);
    return n_failed > 0 ? 1 : 0;
}

// Runs an async call to its end.
delegate void Begin (owned AsyncReadyCallback callback);

AsyncResult finish (Begin begin) {
    var loop = new MainLoop ();
    AsyncResult? result = null;
    begin ((object, its_result) => {
        result = its_result;
        loop.quit ();
    });
    loop.run ();
    return result;
}

// What the call raises, as Vala sees it.
Error raised (Call call) {
    try {
        call ();
    } catch (Error error) {
        assert (error.message.length > 10);
        return error;
    }
    error ("No error was raised");
}

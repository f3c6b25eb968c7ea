// SPDX-License-Identifier: LGPL-2.1-or-later

// A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.
//
//     ftps [--ca FILE] [--tls1.2] [--user U] [--password P] [--times N] HOST:PORT list|get|put [REMOTE] [LOCAL]
//
// With --times N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.

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

int transfer (FtpsClient ftps, string verb, string remote, string? local, out string resumption) throws Error {
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

        var ftps = new FtpsClient (arguments[0], ca, only_tls12);
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

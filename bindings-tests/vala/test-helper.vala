// SPDX-License-Identifier: LGPL-2.1-or-later

// A ticket arrives, travels and is taken, or is not, in Vala.

const int GREETING_SIZE = 40000;

string greeting (int size) {
    var text = new StringBuilder.sized (size);
    for (var i = 0; i < size; i++)
        text.append_c ((char) ('a' + i % 23));
    return text.str;
}

// A server that sends the greeting before the ticket, where the ticket can come after anything: with TLS 1.3.
string[] greeting_options (string[] options) {
    var all = options;
    all += "--behaviour=" + (options[0] == "--tls1.3" ? "greet-then-ticket" : "greet");
    all += "--greeting-size=%d".printf (GREETING_SIZE);
    return all;
}

// Tickets arrive

void several_tickets_arrive_by_the_signal () throws Error {
    var server = new Server ({ "--tls1.3", "--tickets=3" });
    var helper = server.prepare ();
    var n_tickets = 0;
    helper.ticket_available.connect ((ticket) => {
        assert (ticket.is_usable ());
        n_tickets++;
    });
    exchange (helper, "hello");
    assert (n_tickets == 3);
    assert (helper.list_tickets ().length () == 3);
    hang_up (helper);
}

void ticket_comes_once_by_the_signal (string[] options) throws Error {
    var all = options;
    all += "--tickets=1";
    var server = new Server (all);
    var helper = server.prepare ();
    GTlsSession.Ticket? told = null;
    var n_tickets = 0;
    helper.ticket_available.connect ((ticket) => {
        told = ticket;
        n_tickets++;
    });
    exchange (helper, "hello");
    exchange (helper, "hello again");
    hang_up (helper);
    assert (n_tickets == 1);
    assert (told == helper.get_ticket ());
    assert (told.is_usable ());
}

void ticket_comes_late_on_request () throws Error {
    var server = new Server ({ "--tls1.3", "--behaviour=ticket-on-request" });
    var helper = server.connect ();
    var n_tickets = 0;
    helper.ticket_available.connect (() => n_tickets++);
    exchange (helper, "hello");
    assert (helper.get_ticket () == null);
    exchange (helper, "TICKET\n");
    assert (n_tickets == 1);
    hang_up (helper);
}

void late_helper_has_the_tickets (string[] options) throws Error {
    var server = new Server (options);
    var early = server.connect_with_ticket ();
    var late = new GTlsSession.Helper (early.connection);
    assert (late.get_ticket () == early.get_ticket ());
    assert (late.list_tickets ().length () >= 1);
    var second = server.resume (late);
    assert (second.resumption == GTlsSession.Resumption.RESUMED);
    hang_up (second);
    hang_up (early);
}

void ticket_tells_about_itself () throws Error {
    var server = new Server ({ "--tls1.3", "--lifetime=1234", "--alpn=example/1" });
    var helper = server.prepare ();
    ((TlsConnection) helper.connection).set_advertised_protocols ({ "other", "example/1" });
    var ticket = helper.wait_for_ticket (10000);
    assert (ticket.protocol_version == TlsProtocolVersion.TLS_1_3);
    assert (ticket.ciphersuite_name.has_prefix ("TLS_"));
    assert (ticket.server_name == "localhost");
    assert (ticket.application_protocol == "example/1");
    assert (ticket.lifetime == 1234);
    assert (ticket.single_use);
    assert (ticket.max_early_data == 0);
    assert (ticket.expires.difference (ticket.received) == 1234 * TimeSpan.SECOND);
    hang_up (helper);
}

void ticket_tells_its_version (string[] options) throws Error {
    var server = new Server (options);
    var helper = server.connect_with_ticket ();
    var ticket = helper.get_ticket ();
    var is_13 = options[0] == "--tls1.3";
    assert (ticket.protocol_version == (is_13 ? TlsProtocolVersion.TLS_1_3 : TlsProtocolVersion.TLS_1_2));
    assert (ticket.single_use == is_13);
    assert (ticket.application_protocol == null);
    assert (ticket.ciphersuite_name == ((TlsConnection) helper.connection).get_ciphersuite_name ());
    assert (ticket.id.length > 0);
    assert (new DateTime.now_utc ().difference (ticket.received).abs () <= 5 * TimeSpan.SECOND);
    hang_up (helper);
}

// Tickets are taken, or not

void resumes_after_ticket (string[] options) throws Error {
    var server = new Server (options);
    var first = server.connect_with_ticket ();
    var second = server.prepare ();
    var changes = 0;
    second.notify["resumption"].connect (() => changes++);
    second.copy_session_state (first);
    assert (second.resumption == GTlsSession.Resumption.OFFERED);
    second.connection.handshake ();
    assert (second.resumption == GTlsSession.Resumption.RESUMED);
    assert (changes == 2);
    assert (((GTlsSession.ClientConnection) second.connection).session_reused);
    assert ("was resumed" in second.explain ());
    exchange (second, "hello");
    hang_up (second);
    hang_up (first);
}

void refusal_is_told (string[] options) throws Error {
    var server = new Server (options);
    var first = server.connect_with_ticket ();
    server.ask ("lose-keys");
    var second = server.resume (first);
    assert (second.resumption == GTlsSession.Resumption.REFUSED);
    assert ("localhost refused the session ticket" in second.explain ());
    exchange (second, "hello");
    hang_up (second);
    hang_up (first);
}

void ticket_travels_as_bytes (string[] options) throws Error {
    var server = new Server (options);
    var first = server.connect_with_ticket ();
    var original = first.get_ticket ();
    var copy = new GTlsSession.Ticket.from_bytes (original.to_bytes ());
    assert (copy.id == original.id);
    assert (copy.protocol_version == original.protocol_version);
    assert (copy.server_name == original.server_name);
    assert (copy.expires.equal (original.expires));
    assert (copy.to_bytes ().compare (original.to_bytes ()) == 0);
    hang_up (first);
    var second = server.prepare ();
    second.set_ticket (copy);
    second.connection.handshake ();
    assert (second.resumption == GTlsSession.Resumption.RESUMED);
    hang_up (second);
}

bool is_bad_data (uint8[] data) {
    try {
        new GTlsSession.Ticket.from_bytes (new Bytes (data));
        return false;
    } catch (GTlsSession.Error.BAD_DATA error) {
        return error.message.length > 10;
    } catch (Error error) {
        return false;
    }
}

void damaged_bytes_are_bad_data (string[] options) throws Error {
    var server = new Server (options);
    var helper = server.connect_with_ticket ();
    var bytes = helper.get_ticket ().to_bytes ();
    unowned var data = bytes.get_data ();
    hang_up (helper);
    assert (is_bad_data ("This is no ticket at all, and never was one".data));
    var longer = data[0:data.length];
    longer += 0;
    assert (is_bad_data (longer));
    for (var i = 0; i < data.length; i += 7) {
        var damaged = data[0:data.length];
        damaged[i] ^= 0x20;
        assert (is_bad_data (damaged));
        assert (is_bad_data (data[0:i]));
    }
}

// Waiting

void wait_sync_keeps_application_data (string[] options) throws Error {
    var server = new Server (greeting_options (options));
    var helper = server.connect_with_ticket ();
    assert (receive (helper, GREETING_SIZE) == greeting (GREETING_SIZE));
    exchange (helper, "hello");
    hang_up (helper);
}

async void wait_and_read (Server server) throws Error {
    var helper = server.prepare ();
    var ticket = yield helper.wait_for_ticket_async (10000, null);
    assert (ticket.is_usable ());
    assert (receive (helper, GREETING_SIZE) == greeting (GREETING_SIZE));
    exchange (helper, "hello");
    yield helper.connection.close_async ();
}

void wait_async_keeps_application_data (string[] options) throws Error {
    var server = new Server (greeting_options (options));
    wait_and_read.end (finish ((callback) => wait_and_read.begin (server, (owned) callback)));
}

void wait_and_read_at_the_same_time () throws Error {
    var server = new Server (greeting_options ({ "--tls1.3" }));
    var helper = server.connect ();
    var buffer = new uint8[GREETING_SIZE + 1];
    size_t n_read = 0;
    var loop = new MainLoop ();
    var n_left = 2;
    helper.connection.input_stream.read_all_async.begin (buffer[0:GREETING_SIZE], Priority.DEFAULT, null,
        (object, result) => {
            try {
                helper.connection.input_stream.read_all_async.end (result, out n_read);
            } catch (Error error) {
                GLib.error ("%s", error.message);
            }
            if (--n_left == 0)
                loop.quit ();
        });
    helper.wait_for_ticket_async.begin (10000, null, (object, result) => {
        try {
            assert (helper.wait_for_ticket_async.end (result).is_usable ());
        } catch (Error error) {
            GLib.error ("%s", error.message);
        }
        if (--n_left == 0)
            loop.quit ();
    });
    loop.run ();
    assert (n_read == GREETING_SIZE);
    assert ((string) buffer == greeting (GREETING_SIZE));
    hang_up (helper);
}

async void wait_in_vain (GTlsSession.Helper helper, int timeout_ms, Cancellable? cancellable) throws Error {
    yield helper.wait_for_ticket_async (timeout_ms, cancellable);
}

// What an async wait that comes to nothing raises.
Error raised_by_async_wait (GTlsSession.Helper helper, int timeout_ms, Cancellable? cancellable = null) {
    var result = finish ((callback) => wait_in_vain.begin (helper, timeout_ms, cancellable, (owned) callback));
    return raised (() => wait_in_vain.end (result));
}

void wait_in_vain_keeps_application_data () throws Error {
    var server = new Server ({
        "--tls1.3", "--no-tickets", "--behaviour=greet", "--greeting-size=%d".printf (GREETING_SIZE)
    });
    for (var i = 0; i < 2; i++) {
        var helper = server.connect ();
        if (i == 0)
            assert (raised (() => helper.wait_for_ticket (100)) is IOError.TIMED_OUT);
        else
            assert (raised_by_async_wait (helper, 100) is IOError.TIMED_OUT);
        assert (receive (helper, GREETING_SIZE) == greeting (GREETING_SIZE));
        hang_up (helper);
    }
}

void wait_says_that_none_will_come () throws Error {
    var server = new Server ({ "--tls1.2", "--no-tickets" });
    var helper = server.connect ();
    assert (raised (() => helper.wait_for_ticket (-1)) is GTlsSession.Error.NO_TICKET);
    assert (raised_by_async_wait (helper, -1) is GTlsSession.Error.NO_TICKET);
    exchange (helper, "still in order");
    hang_up (helper);
}

void wait_times_out () throws Error {
    var server = new Server ({ "--tls1.3", "--no-tickets" });
    var helper = server.connect ();
    assert (raised (() => helper.wait_for_ticket (50)) is IOError.TIMED_OUT);
    assert (raised_by_async_wait (helper, 50) is IOError.TIMED_OUT);
    assert (raised_by_async_wait (helper, 0) is IOError.TIMED_OUT);
    exchange (helper, "still in order");
    hang_up (helper);
}

void wait_can_be_cancelled () throws Error {
    var server = new Server ({ "--tls1.3", "--no-tickets" });
    var helper = server.connect ();
    var cancellable = new Cancellable ();
    var thread = new Thread<bool> ("cancel", () => {
        Thread.usleep (50000);
        cancellable.cancel ();
        return true;
    });
    assert (raised (() => helper.wait_for_ticket (-1, cancellable)) is IOError.CANCELLED);
    thread.join ();
    assert (raised_by_async_wait (helper, -1, cancellable) is IOError.CANCELLED);
    cancellable.reset ();
    Timeout.add (50, () => {
        cancellable.cancel ();
        return Source.REMOVE;
    });
    assert (raised_by_async_wait (helper, -1, cancellable) is IOError.CANCELLED);
    exchange (helper, "still in order");
    hang_up (helper);
}

// What cannot be done is told: each of these is caught as Vala programs catch it

string told;

void no_ticket_is_told (string[] options) throws Error {
    var all = options;
    all += "--no-tickets";
    var server = new Server (all);
    var source = server.connect ();
    exchange (source, "hello");
    told = "";
    try {
        server.prepare ().copy_session_state (source);
    } catch (GTlsSession.Error.NO_TICKET error) {
        told = error.message;
    }
    assert (told.length > 10);
    hang_up (source);
}

void expired_is_told (string version) throws Error {
    var server = new Server ({ version, "--lifetime=1" });
    var source = server.connect_with_ticket ();
    var ticket = source.get_ticket ();
    var offered = server.prepare ();
    offered.copy_session_state (source);
    while (source.get_ticket () != null)
        Thread.usleep (50000);
    assert (!ticket.is_usable ());
    told = "";
    try {
        server.prepare ().copy_session_state (source);
    } catch (GTlsSession.Error.EXPIRED error) {
        told = error.message;
    }
    assert (told.length > 10);
    assert (raised (() => server.prepare ().set_ticket (ticket)) is GTlsSession.Error.EXPIRED);
    offered.connection.handshake (); // its lifetime ended between the offer and the handshake
    assert (offered.resumption == GTlsSession.Resumption.NONE);
    assert ("was not offered" in offered.explain ());
    hang_up (offered);
    hang_up (source);
}

// A session id brings no lifetime with it: that it is over, the server says by refusing.
void expired_session_id_is_refused () throws Error {
    var server = new Server ({ "--tls1.2", "--session-ids", "--lifetime=1" });
    var source = server.connect_with_ticket ();
    Thread.usleep (2100000);
    var helper = server.resume (source);
    assert (helper.resumption == GTlsSession.Resumption.REFUSED);
    hang_up (helper);
    hang_up (source);
}

void source_not_ready_is_told (string[] options) throws Error {
    var server = new Server (options);
    var source = server.prepare ();
    told = "";
    try {
        server.prepare ().copy_session_state (source);
    } catch (GTlsSession.Error.SOURCE_NOT_READY error) {
        told = error.message;
    }
    assert (told.length > 10);
}

void too_late_is_told (string[] options) throws Error {
    var server = new Server (options);
    var source = server.connect_with_ticket ();
    var helper = server.connect ();
    told = "";
    try {
        helper.copy_session_state (source);
    } catch (GTlsSession.Error.TOO_LATE error) {
        told = error.message;
    }
    assert (told.length > 10);
    assert (raised (() => helper.set_ticket (source.get_ticket ())) is GTlsSession.Error.TOO_LATE);
    hang_up (helper);
    hang_up (source);
}

void identity_mismatch_is_told (string[] options) throws Error {
    var server = new Server (options);
    var source = server.connect_with_ticket ();
    var other = server.prepare ("other.test");
    told = "";
    try {
        other.copy_session_state (source);
    } catch (GTlsSession.Error.IDENTITY_MISMATCH error) {
        told = error.message;
    }
    assert ("other.test" in told);
    assert (raised (() => other.set_ticket (source.get_ticket ())) is GTlsSession.Error.IDENTITY_MISMATCH);
    assert (other.resumption == GTlsSession.Resumption.NONE);
    hang_up (source);
}

void bounds_are_told_as_unsupported (string[] options) throws Error {
    var server = new Server (options);
    var source = server.connect_with_ticket ();
    var helper = server.prepare ();
    unowned var connection = (GTlsSession.Connection) helper.connection;
    if (options[0] == "--tls1.3")
        connection.maximum_protocol_version = TlsProtocolVersion.TLS_1_2;
    else
        connection.minimum_protocol_version = TlsProtocolVersion.TLS_1_3;
    told = "";
    try {
        helper.copy_session_state (source);
    } catch (GTlsSession.Error.UNSUPPORTED error) {
        told = error.message;
    }
    assert (told.length > 10);
    hang_up (source);
}

// Signals

void signals_come_in_the_main_thread (string[] options) throws Error {
    var server = new Server (options);
    var source = server.connect_with_ticket ();
    var helper = server.prepare ();
    var here = Thread.self<bool> ();
    var n_tickets = 0;
    var n_changes = 0;
    helper.copy_session_state (source);
    helper.ticket_available.connect (() => {
        assert (Thread.self<bool> () == here);
        n_tickets++;
    });
    helper.notify["resumption"].connect (() => {
        assert (Thread.self<bool> () == here);
        assert (helper.resumption == GTlsSession.Resumption.RESUMED);
        n_changes++;
    });
    var thread = new Thread<bool> ("exchange", () => {
        try {
            exchange (helper, "hello");
        } catch (Error error) {
            GLib.error ("%s", error.message);
        }
        return true;
    });
    thread.join ();
    assert (n_tickets == 0 && n_changes == 0);
    while (n_tickets < 1 || n_changes < 1)
        MainContext.default ().iteration (true);
    assert (n_changes == 1);
    hang_up (helper);
    hang_up (source);
}

async void shake_hands_and_wait (GTlsSession.Helper helper) throws Error {
    yield helper.connection.handshake_async (Priority.DEFAULT, null);
    yield helper.wait_for_ticket_async (10000, null);
    yield helper.connection.close_async ();
}

void signals_come_in_an_async_call_too (string[] options) throws Error {
    var server = new Server (options);
    var source = server.connect_with_ticket ();
    var helper = server.prepare ();
    var n_tickets = 0;
    var n_changes = 0;
    helper.ticket_available.connect (() => n_tickets++);
    helper.notify["resumption"].connect (() => n_changes++);
    helper.copy_session_state (source);
    shake_hands_and_wait.end (finish ((callback) => shake_hands_and_wait.begin (helper, (owned) callback)));
    assert (n_tickets >= 1);
    assert (n_changes == 2);
    hang_up (source);
}

// Objects

async void wait_and_drop (owned GTlsSession.Helper helper) throws Error {
    var ticket = yield helper.wait_for_ticket_async (10000, null);
    helper = null;
    assert (ticket.is_usable ());
}

// Nothing holds a connection once the program does not: the server sees each of them go.
void dropped_connections_go () throws Error {
    var server = new Server ({ "--tls1.3" });
    for (var i = 0; i < 10; i++) {
        var helper = server.prepare ();
        helper.ticket_available.connect (() => {});
        exchange (helper, "hello");
        var ticket = helper.get_ticket ();
        TlsClientConnection? connection = helper.connection;
        if (i % 2 == 0)
            connection = null;
        helper = null;
        assert (ticket.is_usable ());
    }
    for (var i = 0; i < 10; i++) {
        var helper = server.prepare ();
        wait_and_drop.end (finish ((callback) => wait_and_drop.begin ((owned) helper, (owned) callback)));
    }
    assert (server.ask ("wait 20") == "ok");
}

// Closing

const int UPLOAD_SIZE = 1024 * 1024;
const int N_UPLOADS = 40;

string[] slow_sink_options (string[] options) {
    var all = options;
    all += "--behaviour=sink";
    all += "--read-delay=100";
    return all;
}

void check_all_arrived (Server server) throws Error {
    assert (server.ask ("wait %d".printf (N_UPLOADS)) == "ok");
    for (var i = 0; i < N_UPLOADS; i++) {
        var record = server.ask ("record %d".printf (i));
        assert (Server.field (record, "received") == UPLOAD_SIZE.to_string ());
        assert (Server.field (record, "end") == "close-notify");
    }
}

void close_after_upload_loses_nothing (string[] options) throws Error {
    var server = new Server (slow_sink_options (options));
    var upload = new uint8[UPLOAD_SIZE];
    for (var i = 0; i < N_UPLOADS; i++) {
        var helper = server.prepare ();
        helper.connection.output_stream.write_all (upload, null);
        hang_up (helper);
    }
    check_all_arrived (server);
}

async void upload_and_close (GTlsSession.Helper helper, uint8[] upload) throws Error {
    yield helper.connection.output_stream.write_all_async (upload, Priority.DEFAULT, null, null);
    yield helper.connection.close_async ();
}

void close_async_after_upload_loses_nothing (string[] options) throws Error {
    var server = new Server (slow_sink_options (options));
    var upload = new uint8[UPLOAD_SIZE];
    var loop = new MainLoop ();
    var n_left = N_UPLOADS;
    for (var i = 0; i < N_UPLOADS; i++)
        upload_and_close.begin (server.prepare (), upload, (object, result) => {
            try {
                upload_and_close.end (result);
            } catch (Error error) {
                GLib.error ("%s", error.message);
            }
            if (--n_left == 0)
                loop.quit ();
        });
    loop.run ();
    check_all_arrived (server);
}

int main () {
    tell ("several_tickets_arrive_by_the_signal", several_tickets_arrive_by_the_signal);
    tell_for_each_kind ("ticket_comes_once_by_the_signal", ticket_comes_once_by_the_signal);
    tell ("ticket_comes_late_on_request", ticket_comes_late_on_request);
    tell_for_each_kind ("late_helper_has_the_tickets", late_helper_has_the_tickets);
    tell ("ticket_tells_about_itself", ticket_tells_about_itself);
    tell_for_each_kind ("ticket_tells_its_version", ticket_tells_its_version);
    tell_for_each_kind ("resumes_after_ticket", resumes_after_ticket);
    tell_for_each_kind ("refusal_is_told", refusal_is_told);
    tell_for_each_kind ("ticket_travels_as_bytes", ticket_travels_as_bytes);
    tell_for_each_kind ("damaged_bytes_are_bad_data", damaged_bytes_are_bad_data);
    tell_for_each_kind ("wait_sync_keeps_application_data", wait_sync_keeps_application_data);
    tell_for_each_kind ("wait_async_keeps_application_data", wait_async_keeps_application_data);
    tell ("wait_and_read_at_the_same_time", wait_and_read_at_the_same_time);
    tell ("wait_in_vain_keeps_application_data", wait_in_vain_keeps_application_data);
    tell ("wait_says_that_none_will_come", wait_says_that_none_will_come);
    tell ("wait_times_out", wait_times_out);
    tell ("wait_can_be_cancelled", wait_can_be_cancelled);
    tell_for_each_kind ("no_ticket_is_told", no_ticket_is_told);
    tell ("tls1.3/expired_is_told", () => expired_is_told ("--tls1.3"));
    tell ("tls1.2-ticket/expired_is_told", () => expired_is_told ("--tls1.2"));
    tell ("expired_session_id_is_refused", expired_session_id_is_refused);
    tell_for_each_kind ("source_not_ready_is_told", source_not_ready_is_told);
    tell_for_each_kind ("too_late_is_told", too_late_is_told);
    tell_for_each_kind ("identity_mismatch_is_told", identity_mismatch_is_told);
    tell_for_each_kind ("bounds_are_told_as_unsupported", bounds_are_told_as_unsupported);
    tell_for_each_kind ("signals_come_in_the_main_thread", signals_come_in_the_main_thread);
    tell_for_each_kind ("signals_come_in_an_async_call_too", signals_come_in_an_async_call_too);
    tell ("dropped_connections_go", dropped_connections_go);
    tell_for_each_kind ("close_after_upload_loses_nothing", close_after_upload_loses_nothing);
    tell_for_each_kind ("close_async_after_upload_loses_nothing", close_async_after_upload_loses_nothing);
    return end_stories ();
}

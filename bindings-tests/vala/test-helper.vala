// SPDX-License-Identifier: LGPL-2.1-or-later

// A ticket arrives, travels and is taken, or is not, in Vala.

const int GREETING_SIZE = 40000;

string greeting (int size) {
    var text = new StringBuilder.sized (size);
    for (var i = 0; i < size; i++)
        text.append_c ((char) ('a' + i % 23));
    return text.str;
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

void late_helper_has_the_tickets (string[] options) throws Error {
    var server = new Server (options);
    var early = server.connect_with_ticket ();
    var late = new GTlsSession.Helper (early.connection);
    assert (late.get_ticket () == early.get_ticket ());
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
    var bytes = first.get_ticket ().to_bytes ();
    hang_up (first);
    var second = server.prepare ();
    second.set_ticket (new GTlsSession.Ticket.from_bytes (bytes));
    second.connection.handshake ();
    assert (second.resumption == GTlsSession.Resumption.RESUMED);
    hang_up (second);
}

void damaged_bytes_are_bad_data () throws Error {
    var server = new Server ({ "--tls1.3" });
    var helper = server.connect_with_ticket ();
    var data = helper.get_ticket ().to_bytes ().get_data ();
    hang_up (helper);
    for (var i = 0; i < data.length; i += 7) {
        var damaged = data[0:data.length];
        damaged[i] ^= 0x20;
        assert (raised (() => new GTlsSession.Ticket.from_bytes (new Bytes (damaged))) is GTlsSession.Error.BAD_DATA);
        assert (raised (() => new GTlsSession.Ticket.from_bytes (new Bytes (data[0:i]))) is GTlsSession.Error.BAD_DATA);
    }
}

// Waiting

void wait_sync_keeps_application_data () throws Error {
    var server = new Server ({ "--behaviour=greet-then-ticket", "--greeting-size=%d".printf (GREETING_SIZE) });
    var helper = server.connect_with_ticket ();
    assert (receive (helper, GREETING_SIZE) == greeting (GREETING_SIZE));
    hang_up (helper);
}

// Runs an async story to its end.
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

async void wait_and_read (Server server) throws Error {
    var helper = server.prepare ();
    var ticket = yield helper.wait_for_ticket_async (10000, null);
    assert (ticket.is_usable ());
    assert (receive (helper, GREETING_SIZE) == greeting (GREETING_SIZE));
    yield helper.connection.close_async ();
}

void wait_async_keeps_application_data () throws Error {
    var server = new Server ({ "--behaviour=greet-then-ticket", "--greeting-size=%d".printf (GREETING_SIZE) });
    wait_and_read.end (finish ((callback) => wait_and_read.begin (server, (owned) callback)));
}

async void wait_in_vain (GTlsSession.Helper helper, int timeout_ms, Cancellable? cancellable) throws Error {
    yield helper.wait_for_ticket_async (timeout_ms, cancellable);
}

void wait_times_out () throws Error {
    var server = new Server ({ "--tls1.3", "--no-tickets" });
    var helper = server.connect ();
    assert (raised (() => helper.wait_for_ticket (50)) is IOError.TIMED_OUT);
    var result = finish ((callback) => wait_in_vain.begin (helper, 50, null, (owned) callback));
    assert (raised (() => wait_in_vain.end (result)) is IOError.TIMED_OUT);
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
    cancellable.reset ();
    Timeout.add (50, () => {
        cancellable.cancel ();
        return Source.REMOVE;
    });
    var result = finish ((callback) => wait_in_vain.begin (helper, -1, cancellable, (owned) callback));
    assert (raised (() => wait_in_vain.end (result)) is IOError.CANCELLED);
    exchange (helper, "still in order");
    hang_up (helper);
}

// What cannot be done is told: each of these is caught as Vala programs catch it

void no_ticket_is_told () throws Error {
    foreach (var version in new string[] { "--tls1.3", "--tls1.2" }) {
        var server = new Server ({ version, "--no-tickets" });
        var source = server.connect ();
        var told = false;
        exchange (source, "hello");
        try {
            server.prepare ().copy_session_state (source);
        } catch (GTlsSession.Error.NO_TICKET error) {
            told = true;
        }
        assert (told);
        hang_up (source);
    }
}

void expired_is_told () throws Error {
    var server = new Server ({ "--tls1.3", "--lifetime=1" });
    var source = server.connect_with_ticket ();
    while (source.get_ticket () != null)
        Thread.usleep (50000);
    var helper = server.prepare ();
    assert (raised (() => helper.copy_session_state (source)) is GTlsSession.Error.EXPIRED);
    hang_up (source);
}

void source_not_ready_is_told () throws Error {
    var server = new Server ({ "--tls1.3" });
    var source = server.prepare ();
    var helper = server.prepare ();
    assert (raised (() => helper.copy_session_state (source)) is GTlsSession.Error.SOURCE_NOT_READY);
}

void too_late_is_told () throws Error {
    var server = new Server ({ "--tls1.3" });
    var source = server.connect_with_ticket ();
    var helper = server.connect ();
    assert (raised (() => helper.copy_session_state (source)) is GTlsSession.Error.TOO_LATE);
    assert (raised (() => helper.set_ticket (source.get_ticket ())) is GTlsSession.Error.TOO_LATE);
    hang_up (helper);
    hang_up (source);
}

void identity_mismatch_is_told () throws Error {
    var server = new Server ({ "--tls1.3" });
    var source = server.connect_with_ticket ();
    var helper = server.prepare ("other.test");
    assert (raised (() => helper.copy_session_state (source)) is GTlsSession.Error.IDENTITY_MISMATCH);
    hang_up (source);
}

void bounds_are_told_as_unsupported () throws Error {
    var server = new Server ({ "--tls1.3" });
    var source = server.connect_with_ticket ();
    var helper = server.prepare ();
    ((GTlsSession.Connection) helper.connection).maximum_protocol_version = TlsProtocolVersion.TLS_1_2;
    assert (raised (() => helper.copy_session_state (source)) is GTlsSession.Error.UNSUPPORTED);
    hang_up (source);
}

// Signals

void signals_come_in_the_main_thread () throws Error {
    var server = new Server ({ "--tls1.3" });
    var helper = server.prepare ();
    var here = Thread.self<bool> ();
    var n_tickets = 0;
    helper.ticket_available.connect (() => {
        assert (Thread.self<bool> () == here);
        n_tickets++;
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
    assert (n_tickets == 0);
    while (n_tickets < 2)
        MainContext.default ().iteration (true);
    hang_up (helper);
}

// Closing

async void upload_and_close (GTlsSession.Helper helper, uint8[] upload) throws Error {
    yield helper.connection.output_stream.write_all_async (upload, Priority.DEFAULT, null, null);
    yield helper.connection.close_async ();
}

void close_after_upload_loses_nothing () throws Error {
    var server = new Server ({ "--tls1.3", "--behaviour=sink", "--read-delay=100" });
    var upload = new uint8[1024 * 1024];
    for (var i = 0; i < 10; i++) {
        var helper = server.prepare ();
        helper.connection.output_stream.write_all (upload, null);
        hang_up (helper);
    }
    for (var i = 0; i < 10; i++) {
        var helper = server.prepare ();
        upload_and_close.end (finish ((callback) => upload_and_close.begin (helper, upload, (owned) callback)));
    }
    assert (server.ask ("wait 20") == "ok");
    for (var i = 0; i < 20; i++) {
        var record = server.ask ("record %d".printf (i));
        assert (Server.field (record, "received") == upload.length.to_string ());
        assert (Server.field (record, "end") == "close-notify");
    }
}

int main () {
    tell ("several_tickets_arrive_by_the_signal", several_tickets_arrive_by_the_signal);
    tell_for_each_kind ("late_helper_has_the_tickets", late_helper_has_the_tickets);
    tell ("ticket_tells_about_itself", ticket_tells_about_itself);
    tell_for_each_kind ("resumes_after_ticket", resumes_after_ticket);
    tell_for_each_kind ("refusal_is_told", refusal_is_told);
    tell_for_each_kind ("ticket_travels_as_bytes", ticket_travels_as_bytes);
    tell ("damaged_bytes_are_bad_data", damaged_bytes_are_bad_data);
    tell ("wait_sync_keeps_application_data", wait_sync_keeps_application_data);
    tell ("wait_async_keeps_application_data", wait_async_keeps_application_data);
    tell ("wait_times_out", wait_times_out);
    tell ("wait_can_be_cancelled", wait_can_be_cancelled);
    tell ("no_ticket_is_told", no_ticket_is_told);
    tell ("expired_is_told", expired_is_told);
    tell ("source_not_ready_is_told", source_not_ready_is_told);
    tell ("too_late_is_told", too_late_is_told);
    tell ("identity_mismatch_is_told", identity_mismatch_is_told);
    tell ("bounds_are_told_as_unsupported", bounds_are_told_as_unsupported);
    tell ("signals_come_in_the_main_thread", signals_come_in_the_main_thread);
    tell ("close_after_upload_loses_nothing", close_after_upload_loses_nothing);
    return end_stories ();
}

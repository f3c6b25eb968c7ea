// SPDX-License-Identifier: LGPL-2.1-or-later

// Early data arrive once, in Vala; the server is ours, in a process of its own.

GTlsSession.Helper prepare_early (Server server, GTlsSession.Ticket ticket) throws Error {
    var helper = server.prepare ();
    var early = new Bytes ("earlybird-".data);
    assert (helper.set_ticket (ticket));
    assert (helper.set_early_data (early));
    assert (helper.early_data_status == GTlsSession.EarlyDataStatus.PENDING);
    assert (helper.get_early_data ().compare (early) == 0);
    return helper;
}

GTlsSession.Ticket ticket_of (Server server) throws Error {
    var source = server.connect_with_ticket ();
    hang_up (source);
    return source.get_ticket ();
}

void early_data_arrive_once () throws Error {
    var server = new Server ({});
    var helper = prepare_early (server, ticket_of (server));
    helper.connection.output_stream.write_all ("rest".data, null);
    assert (helper.early_data_status == GTlsSession.EarlyDataStatus.ACCEPTED);
    assert ("early data were accepted" in helper.explain ());
    assert (helper.get_early_data () == null);
    assert (raised (() => helper.set_early_data (new Bytes ("late".data))) is GTlsSession.Error.TOO_LATE);
    hang_up (helper);
    assert (server.ask ("record 1") == "resumption=resumed early-data=earlybird- stream=rest");
}

void refused_early_data_arrive_once () throws Error {
    var server = new Server ({});
    var ticket = ticket_of (server);
    assert (server.ask ("max-early-data 0") == "ok");
    var helper = prepare_early (server, ticket);
    helper.connection.output_stream.write_all ("rest".data, null);
    assert (helper.early_data_status == GTlsSession.EarlyDataStatus.RESENT);
    hang_up (helper);
    assert (server.ask ("record 1") == "resumption=full early-data= stream=earlybird-rest");
}

int main () {
    tell ("early_data_arrive_once", early_data_arrive_once);
    tell ("refused_early_data_arrive_once", refused_early_data_arrive_once);
    return end_stories ();
}

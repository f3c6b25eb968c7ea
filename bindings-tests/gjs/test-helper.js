// SPDX-License-Identifier: LGPL-2.1-or-later

// A ticket arrives, travels and is taken, or is not, in JavaScript.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, close, exchange, raises, read, rejects, sleep, story, storyForEachKind, tellAll, until,
    waitWithCallback, withServer} from './support.js';

const {Resumption} = GTlsSession;
const SessionError = GTlsSession.Error;
const GREETING_SIZE = 40000;

function greeting(size) {
    return Array.from({length: size}, (_, position) => String.fromCharCode(97 + position % 23)).join('');
}

// A server that sends the greeting before the ticket, where the ticket can come after anything: with TLS 1.3.
function greetingOptions(options) {
    const behaviour = options.includes('--tls1.3') ? 'greet-then-ticket' : 'greet';
    return [...options, `--behaviour=${behaviour}`, `--greeting-size=${GREETING_SIZE}`];
}

function collectTickets(helper) {
    const tickets = [];
    helper.connect('ticket-available', (_, ticket) => tickets.push(ticket));
    return tickets;
}

// Tickets arrive

story('several_tickets_arrive_by_the_signal', () => withServer(['--tls1.3', '--tickets=3'], server => {
    const helper = server.prepare();
    const tickets = collectTickets(helper);
    exchange(helper, 'hello');
    assertEqual(tickets.length, 3);
    assert(tickets.every(ticket => ticket.is_usable()));
    assertEqual(new Set(tickets.map(ticket => ticket.id)).size, 3);
    assert(helper.list_tickets().every((ticket, index) => ticket === tickets[index]));
    close(helper);
}));

storyForEachKind('ticket_comes_once_by_the_signal', options => withServer([...options, '--tickets=1'], server => {
    const helper = server.prepare();
    const tickets = collectTickets(helper);
    exchange(helper, 'hello');
    exchange(helper, 'hello again');
    assertEqual(tickets.length, 1);
    assertEqual(tickets[0], helper.get_ticket());
    assert(tickets[0].is_usable());
    close(helper);
    assertEqual(tickets.length, 1);
}));

story('ticket_comes_late_on_request', () => withServer(['--tls1.3', '--behaviour=ticket-on-request'], server => {
    const helper = server.connect();
    const tickets = collectTickets(helper);
    exchange(helper, 'hello');
    assertEqual(helper.get_ticket(), null);
    exchange(helper, 'TICKET\n');
    assertEqual(tickets.length, 1);
    assertEqual(helper.get_ticket(), tickets[0]);
    close(helper);
}));

storyForEachKind('late_helper_has_the_tickets', options => withServer(options, server => {
    const early = server.connectWithTicket();
    const late = GTlsSession.Helper.new(early.get_connection());
    assertEqual(late.get_ticket(), early.get_ticket());
    assert(late.list_tickets().length >= 1);
    const second = server.resume(late);
    assertEqual(second.get_resumption(), Resumption.RESUMED);
    close(second);
    close(early);
}));

story('ticket_tells_about_itself', () => withServer(['--tls1.3', '--lifetime=1234', '--alpn=example/1'], server => {
    const helper = server.prepare();
    helper.get_connection().set_advertised_protocols(['other', 'example/1']);
    const ticket = helper.wait_for_ticket(10000, null);
    assertEqual(ticket.protocolVersion, Gio.TlsProtocolVersion.TLS_1_3);
    assert(ticket.ciphersuiteName.startsWith('TLS_'));
    assertEqual(ticket.serverName, 'localhost');
    assertEqual(ticket.applicationProtocol, 'example/1');
    assertEqual(ticket.lifetime, 1234);
    assertEqual(ticket.singleUse, true);
    assertEqual(ticket.maxEarlyData, 0);
    assertEqual(ticket.expires.to_unix() - ticket.received.to_unix(), 1234);
    close(helper);
}));

storyForEachKind('ticket_tells_its_version', options => withServer(options, server => {
    const {TLS_1_2, TLS_1_3} = Gio.TlsProtocolVersion;
    const helper = server.connectWithTicket();
    const ticket = helper.get_ticket();
    const is13 = options.includes('--tls1.3');
    assertEqual(ticket.protocol_version, is13 ? TLS_1_3 : TLS_1_2);
    assertEqual(ticket.single_use, is13);
    assertEqual(ticket.application_protocol, null);
    assertEqual(ticket.ciphersuite_name, helper.get_connection().get_ciphersuite_name());
    assert(ticket.id.length > 0);
    assert(Math.abs(ticket.received.to_unix() - GLib.DateTime.new_now_utc().to_unix()) <= 5);
    close(helper);
}));

// Tickets are taken, or not

storyForEachKind('resumes_after_ticket', options => withServer(options, server => {
    const first = server.connectWithTicket();
    const second = server.prepare();
    const changes = [];
    second.connect('notify::resumption', helper => changes.push(helper.resumption));
    assertEqual(first.resumption, Resumption.NONE);
    assert(first.explain().includes('No session was offered'));
    second.copy_session_state(first);
    second.get_connection().handshake(null);
    assertEqual(changes.join(), [Resumption.OFFERED, Resumption.RESUMED].join());
    assert(second.get_connection().sessionReused);
    assert(second.explain().includes('was resumed'));
    exchange(second, 'hello');
    close(second);
    close(first);
}));

storyForEachKind('refusal_is_told', options => withServer(options, server => {
    const first = server.connectWithTicket();
    server.ask('lose-keys');
    const second = server.resume(first);
    assertEqual(second.resumption, Resumption.REFUSED);
    assert(second.explain().includes('localhost refused the session ticket'));
    exchange(second, 'hello');
    close(second);
    close(first);
}));

storyForEachKind('ticket_travels_as_bytes', options => withServer(options, server => {
    const first = server.connectWithTicket();
    const original = first.get_ticket();
    const data = original.to_bytes().toArray();
    close(first);
    const second = server.prepare();
    const copy = GTlsSession.Ticket.new_from_bytes(new GLib.Bytes(data));
    for (const name of ['id', 'protocol_version', 'ciphersuite_name', 'server_name', 'lifetime', 'single_use'])
        assertEqual(copy[name], original[name]);
    assert(copy.expires.equal(original.expires));
    assert(copy.to_bytes().equal(original.to_bytes()));
    second.set_ticket(copy);
    second.get_connection().handshake(null);
    assertEqual(second.resumption, Resumption.RESUMED);
    close(second);
}));

story('bounds_drop_a_ticket_and_say_why', () => withServer(['--tls1.3'], server => {
    const source = server.connectWithTicket();
    const helper = server.prepare();
    helper.copy_session_state(source);
    helper.get_connection().maximumProtocolVersion = Gio.TlsProtocolVersion.TLS_1_2;
    raises(Gio.TlsError, Gio.TlsError.HANDSHAKE, () => helper.get_connection().handshake(null));
    assertEqual(helper.resumption, Resumption.NONE);
    assert(helper.explain().includes('was not offered'));
    close(source);
}));

storyForEachKind('damaged_bytes_are_bad_data', options => withServer(options, server => {
    const helper = server.connectWithTicket();
    const data = helper.get_ticket().to_bytes().toArray();
    close(helper);
    const refuses = bytes => raises(SessionError, SessionError.BAD_DATA,
        () => GTlsSession.Ticket.new_from_bytes(new GLib.Bytes(bytes)));
    refuses(new Uint8Array(0));
    refuses(new TextEncoder().encode('This is no ticket at all, and never was one'));
    refuses(Uint8Array.from([...data, 0]));
    for (let size = 1; size < data.length; size += 7)
        refuses(data.slice(0, size));
    for (let position = 0; position < data.length; position += 7) {
        const damaged = data.slice();
        damaged[position] ^= 0x20;
        refuses(damaged);
    }
}));

// Waiting

storyForEachKind('wait_sync_keeps_application_data', options => withServer(greetingOptions(options), server => {
    const helper = server.connectWithTicket();
    assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
    exchange(helper, 'hello');
    close(helper);
}));

storyForEachKind('wait_async_keeps_application_data', options => withServer(greetingOptions(options), async server => {
    const helper = server.prepare();
    const ticket = await helper.wait_for_ticket_async(10000, null);
    assert(ticket.is_usable());
    assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
    exchange(helper, 'hello');
    close(helper);
}));

storyForEachKind('wait_with_a_callback_keeps_application_data',
    options => withServer(greetingOptions(options), async server => {
        const helper = server.prepare();
        const ticket = await waitWithCallback(helper, 10000, null);
        assertEqual(ticket, helper.get_ticket());
        assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
        close(helper);
    }));

story('wait_and_read_at_the_same_time', () => withServer(greetingOptions(['--tls1.3']), async server => {
    const helper = server.connect();
    const stream = helper.get_connection().get_input_stream();
    const [bytes, ticket] = await Promise.all([
        stream.read_bytes_async(1000, GLib.PRIORITY_DEFAULT, null),
        helper.wait_for_ticket_async(10000, null),
    ]);
    assert(ticket.is_usable());
    const head = new TextDecoder().decode(bytes.toArray());
    assertEqual(head + read(helper, GREETING_SIZE - head.length), greeting(GREETING_SIZE));
    close(helper);
}));

for (const [how, wait] of [
    ['sync', (helper, ...rest) => helper.wait_for_ticket(...rest)],
    ['async', (helper, ...rest) => helper.wait_for_ticket_async(...rest)],
    ['callback', waitWithCallback],
]) {
    story(`wait_in_vain_keeps_application_data/${how}`, () => withServer(
        ['--tls1.3', '--no-tickets', '--behaviour=greet', `--greeting-size=${GREETING_SIZE}`], async server => {
            const helper = server.connect();
            await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, (async () => wait(helper, 100, null))());
            assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
            close(helper);
        }));

    story(`wait_says_that_none_will_come/${how}`, () => withServer(['--tls1.2', '--no-tickets'], async server => {
        const helper = server.connect();
        await rejects(SessionError, SessionError.NO_TICKET, (async () => wait(helper, -1, null))());
        exchange(helper, 'still in order');
        close(helper);
    }));
}

story('wait_times_out', () => withServer(['--tls1.3', '--no-tickets'], async server => {
    const helper = server.connect();
    raises(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, () => helper.wait_for_ticket(50, null));
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, helper.wait_for_ticket_async(50, null));
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, waitWithCallback(helper, 0, null));
    exchange(helper, 'still in order');
    close(helper);
}));

story('wait_can_be_cancelled', () => withServer(['--tls1.3', '--no-tickets'], async server => {
    const helper = server.connect();
    const cancelled = new Gio.Cancellable();
    cancelled.cancel();
    raises(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, () => helper.wait_for_ticket(-1, cancelled));
    for (const wait of [helper.wait_for_ticket_async.bind(helper), waitWithCallback.bind(null, helper)]) {
        await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, wait(-1, cancelled));
        const cancellable = new Gio.Cancellable();
        const waiting = wait(-1, cancellable);
        sleep(50).then(() => cancellable.cancel());
        await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, waiting);
    }
    exchange(helper, 'still in order');
    close(helper);
}));

// What cannot be done is told

for (const version of ['--tls1.3', '--tls1.2']) {
    story(`no_ticket_is_told${version}`, () => withServer([version, '--no-tickets'], server => {
        const source = server.connect();
        exchange(source, 'hello');
        raises(SessionError, SessionError.NO_TICKET, () => server.prepare().copy_session_state(source));
        close(source);
    }));
}

for (const version of ['--tls1.3', '--tls1.2']) {
    story(`expired_is_told${version}`, () => withServer([version, '--lifetime=1'], async server => {
        const source = server.connectWithTicket();
        const ticket = source.get_ticket();
        const offered = server.prepare();
        offered.copy_session_state(source);
        await until(() => source.get_ticket() === null);
        assert(!ticket.is_usable());
        raises(SessionError, SessionError.EXPIRED, () => server.prepare().copy_session_state(source));
        raises(SessionError, SessionError.EXPIRED, () => server.prepare().set_ticket(ticket));
        offered.get_connection().handshake(null); // its lifetime ended between the offer and the handshake
        assertEqual(offered.resumption, Resumption.NONE);
        assert(offered.explain().includes('was not offered'));
        close(offered);
        close(source);
    }));
}

// A session id brings no lifetime with it: that it is over, the server says by refusing.
story('expired_session_id_is_refused', () => withServer(
    ['--tls1.2', '--session-ids', '--lifetime=1'], async server => {
        const source = server.connectWithTicket();
        await sleep(2100);
        const helper = server.resume(source);
        assertEqual(helper.resumption, Resumption.REFUSED);
        close(helper);
        close(source);
    }));

storyForEachKind('source_not_ready_is_told', options => withServer(options, server => {
    raises(SessionError, SessionError.SOURCE_NOT_READY,
        () => server.prepare().copy_session_state(server.prepare()));
}));

storyForEachKind('too_late_is_told', options => withServer(options, server => {
    const source = server.connectWithTicket();
    const helper = server.connect();
    raises(SessionError, SessionError.TOO_LATE, () => helper.copy_session_state(source));
    raises(SessionError, SessionError.TOO_LATE, () => helper.set_ticket(source.get_ticket()));
    close(helper);
    close(source);
}));

storyForEachKind('identity_mismatch_is_told', options => withServer(options, server => {
    const source = server.connectWithTicket();
    const other = server.prepare('other.test');
    raises(SessionError, SessionError.IDENTITY_MISMATCH, () => other.copy_session_state(source));
    raises(SessionError, SessionError.IDENTITY_MISMATCH, () => other.set_ticket(source.get_ticket()));
    assertEqual(other.resumption, Resumption.NONE);
    close(source);
}));

storyForEachKind('bounds_are_told_as_unsupported', options => withServer(options, server => {
    const {TLS_1_2, TLS_1_3} = Gio.TlsProtocolVersion;
    const source = server.connectWithTicket();
    const helper = server.prepare();
    if (options.includes('--tls1.3'))
        helper.get_connection().maximumProtocolVersion = TLS_1_2;
    else
        helper.get_connection().minimumProtocolVersion = TLS_1_3;
    raises(SessionError, SessionError.UNSUPPORTED, () => helper.copy_session_state(source));
    close(source);
}));

// Signals

storyForEachKind('signals_come_in_an_async_call_too', options => withServer(options, async server => {
    const source = server.connectWithTicket();
    const helper = server.prepare();
    const tickets = collectTickets(helper);
    const changes = [];
    helper.connect('notify::resumption', () => changes.push(helper.resumption));
    helper.copy_session_state(source);
    await helper.get_connection().handshake_async(GLib.PRIORITY_DEFAULT, null);
    assertEqual(changes.join(), [Resumption.OFFERED, Resumption.RESUMED].join());
    await helper.wait_for_ticket_async(10000, null);
    assert(tickets.length > 0);
    await helper.get_connection().close_async(GLib.PRIORITY_DEFAULT, null);
    close(source);
}));

// A buffered stream is not pollable, so that Gio has a thread of its own read from the connection, handshake and all.
// If JavaScript is called from there, GJS makes that a critical, fatal here; the main loop has to bring the news.
storyForEachKind('signals_come_by_the_main_loop_if_a_thread_reads', options => withServer(
    [...options, '--behaviour=greet'], async server => {
        const source = server.connectWithTicket();
        const helper = server.prepare();
        const tickets = collectTickets(helper);
        const changes = [];
        helper.copy_session_state(source);
        helper.connect('notify::resumption', () => changes.push(helper.resumption));
        const buffered = Gio.BufferedInputStream.new(helper.get_connection().get_input_stream());
        const bytes = await buffered.read_bytes_async(100, GLib.PRIORITY_DEFAULT, null);
        assert(bytes.get_size() > 0);
        await until(() => tickets.length > 0 && changes.length > 0);
        assertEqual(changes.join(), `${Resumption.RESUMED}`);
        close(helper);
        close(source);
    }));

// Closing

const UPLOAD = new Uint8Array(1024 * 1024).fill(120);

async function uploadAndClose(server) {
    const connection = server.prepare().get_connection();
    const stream = connection.get_output_stream();
    // Not write_all_async(): GJS frees the bytes as soon as the call returns, while most are still to be written.
    await stream.splice_async(Gio.MemoryInputStream.new_from_bytes(UPLOAD), Gio.OutputStreamSpliceFlags.NONE,
        GLib.PRIORITY_DEFAULT, null);
    await connection.close_async(GLib.PRIORITY_DEFAULT, null);
}

function checkAllArrived(server, n) {
    assertEqual(server.ask(`wait ${n}`), 'ok');
    for (let i = 0; i < n; i++) {
        const {received, end} = server.record(i);
        assertEqual(received, `${UPLOAD.length}`);
        assertEqual(end, 'close-notify');
    }
}

storyForEachKind('close_after_upload_loses_nothing/sync', options => withServer(
    [...options, '--behaviour=sink', '--read-delay=100'], server => {
        for (let i = 0; i < 40; i++) {
            const connection = server.prepare().get_connection();
            connection.get_output_stream().write_all(UPLOAD, null);
            assert(connection.close(null));
        }
        checkAllArrived(server, 40);
    }));

storyForEachKind('close_after_upload_loses_nothing/async', options => withServer(
    [...options, '--behaviour=sink', '--read-delay=100'], async server => {
        await Promise.all(Array.from({length: 40}, () => uploadAndClose(server)));
        checkAllArrived(server, 40);
    }));

tellAll();

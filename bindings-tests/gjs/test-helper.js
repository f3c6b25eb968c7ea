// SPDX-License-Identifier: LGPL-2.1-or-later

// A ticket arrives, travels and is taken, or is not, in JavaScript.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

import {assert, assertEqual, close, exchange, raises, read, rejects, sleep, story, storyForEachKind, tellAll, until,
    withServer, write} from './support.js';

const {Resumption} = GTlsSession;
const SessionError = GTlsSession.Error;
const GREETING_SIZE = 40000;

function greeting(size) {
    return Array.from({length: size}, (_, position) => String.fromCharCode(97 + position % 23)).join('');
}

// Tickets arrive

story('several_tickets_arrive_by_the_signal', () => withServer(['--tls1.3', '--tickets=3'], server => {
    const helper = server.prepare();
    const tickets = [];
    helper.connect('ticket-available', (_, ticket) => tickets.push(ticket));
    exchange(helper, 'hello');
    assertEqual(tickets.length, 3);
    assert(tickets.every(ticket => ticket.is_usable()));
    assertEqual(new Set(tickets.map(ticket => ticket.id)).size, 3);
    assert(helper.list_tickets().every((ticket, index) => ticket === tickets[index]));
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

// Tickets are taken, or not

storyForEachKind('resumes_after_ticket', options => withServer(options, server => {
    const first = server.connectWithTicket();
    const second = server.prepare();
    const changes = [];
    second.connect('notify::resumption', helper => changes.push(helper.resumption));
    assertEqual(first.resumption, Resumption.NONE);
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
    const data = first.get_ticket().to_bytes().toArray();
    close(first);
    const second = server.prepare();
    second.set_ticket(GTlsSession.Ticket.new_from_bytes(new GLib.Bytes(data)));
    second.get_connection().handshake(null);
    assertEqual(second.resumption, Resumption.RESUMED);
    close(second);
}));

story('damaged_bytes_are_bad_data', () => withServer(['--tls1.3'], server => {
    const helper = server.connectWithTicket();
    const data = helper.get_ticket().to_bytes().toArray();
    close(helper);
    const refuses = bytes => raises(SessionError, SessionError.BAD_DATA,
        () => GTlsSession.Ticket.new_from_bytes(new GLib.Bytes(bytes)));
    for (let size = 1; size < data.length; size += 7)
        refuses(data.slice(0, size));
    for (let position = 0; position < data.length; position += 7) {
        const damaged = data.slice();
        damaged[position] ^= 0x20;
        refuses(damaged);
    }
}));

// Waiting

story('wait_sync_keeps_application_data', () => withServer(
    ['--behaviour=greet-then-ticket', `--greeting-size=${GREETING_SIZE}`], server => {
        const helper = server.connectWithTicket();
        assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
        close(helper);
    }));

story('wait_async_keeps_application_data', () => withServer(
    ['--behaviour=greet-then-ticket', `--greeting-size=${GREETING_SIZE}`], async server => {
        const helper = server.prepare();
        const ticket = await helper.wait_for_ticket_async(10000, null);
        assert(ticket.is_usable());
        assertEqual(read(helper, GREETING_SIZE), greeting(GREETING_SIZE));
        close(helper);
    }));

story('wait_times_out', () => withServer(['--tls1.3', '--no-tickets'], async server => {
    const helper = server.connect();
    raises(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, () => helper.wait_for_ticket(50, null));
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, helper.wait_for_ticket_async(50, null));
    exchange(helper, 'still in order');
    close(helper);
}));

story('wait_can_be_cancelled', () => withServer(['--tls1.3', '--no-tickets'], async server => {
    const helper = server.connect();
    const cancelled = new Gio.Cancellable();
    cancelled.cancel();
    raises(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, () => helper.wait_for_ticket(-1, cancelled));
    const cancellable = new Gio.Cancellable();
    const waiting = helper.wait_for_ticket_async(-1, cancellable);
    sleep(50).then(() => cancellable.cancel());
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, waiting);
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

story('expired_is_told', () => withServer(['--tls1.3', '--lifetime=1'], async server => {
    const source = server.connectWithTicket();
    await until(() => source.get_ticket() === null);
    raises(SessionError, SessionError.EXPIRED, () => server.prepare().copy_session_state(source));
    close(source);
}));

story('source_not_ready_is_told', () => withServer(['--tls1.3'], server => {
    raises(SessionError, SessionError.SOURCE_NOT_READY,
        () => server.prepare().copy_session_state(server.prepare()));
}));

story('too_late_is_told', () => withServer(['--tls1.3'], server => {
    const source = server.connectWithTicket();
    const helper = server.connect();
    raises(SessionError, SessionError.TOO_LATE, () => helper.copy_session_state(source));
    raises(SessionError, SessionError.TOO_LATE, () => helper.set_ticket(source.get_ticket()));
    close(helper);
    close(source);
}));

story('identity_mismatch_is_told', () => withServer(['--tls1.3'], server => {
    const source = server.connectWithTicket();
    raises(SessionError, SessionError.IDENTITY_MISMATCH,
        () => server.prepare('other.test').copy_session_state(source));
    close(source);
}));

story('bounds_are_told_as_unsupported', () => withServer(['--tls1.3'], server => {
    const source = server.connectWithTicket();
    const helper = server.prepare();
    helper.get_connection().maximumProtocolVersion = Gio.TlsProtocolVersion.TLS_1_2;
    raises(SessionError, SessionError.UNSUPPORTED, () => helper.copy_session_state(source));
    close(source);
}));

// Signals and objects

story('signals_come_in_an_async_call_too', () => withServer(['--tls1.3'], async server => {
    const helper = server.prepare();
    const tickets = [];
    helper.connect('ticket-available', (_, ticket) => tickets.push(ticket));
    await helper.get_connection().handshake_async(GLib.PRIORITY_DEFAULT, null);
    await helper.wait_for_ticket_async(10000, null);
    assert(tickets.length > 0);
    await helper.get_connection().close_async(GLib.PRIORITY_DEFAULT, null);
}));

// Whatever goes first, nothing of it may call into JavaScript while that collects garbage, or crash.
story('garbage_goes_in_any_order', () => withServer(['--tls1.3'], async server => {
    for (let keep = 0; keep < 6; keep++) {
        const kept = [];
        (() => {
            const helper = server.prepare();
            helper.connect('ticket-available', () => {});
            const connection = helper.get_connection();
            connection.connect('notify', () => {});
            exchange(helper, 'hello');
            const objects = [helper, connection, helper.get_ticket(), connection.get_input_stream()];
            if (keep < objects.length)
                kept.push(objects[keep]);
            if (keep !== 5)
                close(helper); // otherwise the collector has to
        })();
        System.gc();
        await sleep(1);
        kept.length = 0;
        System.gc();
        await sleep(1);
    }
}));

story('garbage_in_the_midst_of_an_async_call', () => withServer(['--tls1.3', '--no-tickets'], async server => {
    let waiting = server.prepare().wait_for_ticket_async(100, null);
    System.gc();
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, waiting);
    waiting = null;
    System.gc();
}));

// Closing

story('close_after_upload_loses_nothing', () => withServer(
    ['--tls1.3', '--behaviour=sink', '--read-delay=100'], async server => {
        const upload = 'x'.repeat(1024 * 1024);
        for (let i = 0; i < 20; i++) {
            const helper = server.prepare();
            write(helper, upload);
            close(helper);
        }
        await Promise.all(Array.from({length: 20}, async () => {
            const connection = server.prepare().get_connection();
            await connection.get_output_stream().write_all_async(new TextEncoder().encode(upload),
                GLib.PRIORITY_DEFAULT, null);
            await connection.close_async(GLib.PRIORITY_DEFAULT, null);
        }));
        assertEqual(server.ask('wait 40'), 'ok');
        for (let i = 0; i < 40; i++) {
            assertEqual(server.record(i).received, `${upload.length}`);
            assertEqual(server.record(i).end, 'close-notify');
        }
    }));

tellAll();

// SPDX-License-Identifier: LGPL-2.1-or-later

// What the module gtls-session.js adds: promises, iteration, dates, closing.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession, {reasonOf, using} from '../../introspection/overrides/gtls-session.js';
import {assert, assertEqual, close, exchange, rejects, story, tellAll, withServer} from './support.js';

const DEFAULT = GLib.PRIORITY_DEFAULT;

async function fails(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('no error was raised');
}

// The tests' own support promisifies some calls as well, and these not.
story('module_promisifies_what_a_client_needs', () => withServer(['--tls1.3'], async server => {
    const tcp = await new Gio.SocketClient().connect_to_host_async(`127.0.0.1:${server.port}`, 443, null);
    const output = tcp.get_output_stream();
    assertEqual(await output.write_bytes_async(new Uint8Array([1, 2, 3]), DEFAULT, null), 3);
    const source = Gio.MemoryInputStream.new_from_bytes(new Uint8Array([4, 5]));
    assertEqual(await output.splice_async(source, Gio.OutputStreamSpliceFlags.NONE, DEFAULT, null), 2);
    assert(await output.flush_async(DEFAULT, null));
    assert(await output.close_async(DEFAULT, null));
    assert(await tcp.get_input_stream().close_async(DEFAULT, null));
    const address = Gio.NetworkAddress.new('127.0.0.1', server.port);
    const other = await new Gio.SocketClient().connect_async(address, null);
    assert(other.is_connected());
}));

story('whole_conversation_is_awaited', () => withServer(['--tls1.3'], async server => {
    const ticket = await using(server.prepare(), async helper => {
        const connection = helper.get_connection();
        await connection.handshake_async(DEFAULT, null);
        await connection.get_output_stream().write_bytes_async(new TextEncoder().encode('hello'), DEFAULT, null);
        const bytes = await connection.get_input_stream().read_bytes_async(5, DEFAULT, null);
        assertEqual(new TextDecoder().decode(bytes.toArray()), 'hello');
        return helper.wait_for_ticket_async(10000, null);
    });
    await using(server.prepare(), async helper => {
        helper.set_ticket(ticket);
        await helper.get_connection().handshake_async(DEFAULT, null);
        assertEqual(helper.resumption, GTlsSession.Resumption.RESUMED);
    });
}));

story('using_closes_whatever_happens', () => withServer(['--tls1.3'], async server => {
    const helper = server.connect();
    assertEqual(await using(helper, () => 5), 5);
    assert(helper.get_connection().is_closed());

    const other = server.connect();
    const error = await fails(using(other.get_connection(), () => {
        throw new RangeError('the body failed');
    }));
    assert(error instanceof RangeError);
    assert(other.get_connection().is_closed());
}));

story('using_tells_of_a_close_that_fails', () => withServer(['--tls1.3', '--behaviour=silent'], async server => {
    const helper = server.connect();
    helper.get_connection().close_timeout = 50;
    await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, using(helper, () => {
        helper.get_connection().get_output_stream().write_all('hello', null);
    }));
}));

story('tickets_are_iterated_over', () => withServer(['--tls1.3', '--tickets=3'], server => {
    const helper = server.prepare();
    exchange(helper, 'hello');
    const ids = [...helper].map(ticket => ticket.id);
    assertEqual(ids.length, 3);
    assertEqual(ids.join(), helper.tickets.map(ticket => ticket.get_id()).join());
    assertEqual(helper.ticket, helper.get_ticket());
    close(helper);
}));

story('times_are_dates', () => withServer(['--tls1.3', '--lifetime=1234'], server => {
    const {ticket} = server.connectWithTicket();
    assertEqual(ticket.expiresDate - ticket.receivedDate, 1234 * 1000);
    assert(Math.abs(Date.now() - ticket.receivedDate) < 5 * 60 * 1000);
    assertEqual(Math.floor(ticket.receivedDate / 1000), ticket.received.to_unix());
}));

story('bytes_are_uint8arrays', () => withServer(['--tls1.3'], server => {
    const {ticket} = server.connectWithTicket();
    const array = ticket.to_bytes().toArray();
    assert(array instanceof Uint8Array);
    assertEqual(GTlsSession.Ticket.new_from_bytes(array).id, ticket.id);
    const store = new GTlsSession.MemoryStore();
    store.save_bytes('keys', array);
    assertEqual(store.load_bytes('keys').toArray().length, array.length);
}));

story('errors_have_a_reason', async () => {
    const bad = await fails((async () => GTlsSession.Ticket.new_from_bytes(new Uint8Array([1, 2, 3])))());
    assertEqual(reasonOf(bad), GTlsSession.Error.BAD_DATA);
    assertEqual(reasonOf(new RangeError('another')), null);
    const refused = await fails(GTlsSession.Helper.connect_to_host_async('127.0.0.1', 1, null));
    assertEqual(reasonOf(refused), null);
});

tellAll();

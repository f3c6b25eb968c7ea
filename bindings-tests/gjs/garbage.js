// SPDX-License-Identifier: LGPL-2.1-or-later

// One scene about garbage, named by the argument; without one, the names of all. test-garbage.js runs each in a process
// of its own, and looks at how that ends and what it says: nothing of the library may call into JavaScript while that
// collects garbage, nor crash.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

import {assert, assertEqual, close, exchange, rejects, Server, sleep, withServer} from './support.js';

async function collect() {
    System.gc();
    await sleep(1);
    System.gc();
    await sleep(1);
}

function permutations(items) {
    if (items.length < 2)
        return [items];
    return items.flatMap(first => permutations(items.filter(item => item !== first)).map(rest => [first, ...rest]));
}

// A helper whose handlers hold it and its connection: a circle in JavaScript, which the collector has to see through.
// A handler on the connection must not hold the helper: the collector knows nothing of the helper's hold on it.
function makeHelper(server) {
    const helper = server.prepare();
    helper.connect('ticket-available', (_, ticket) => assert(helper.list_tickets().includes(ticket)));
    helper.connect('notify::resumption', () => assert(helper.get_connection() !== null));
    return helper;
}

function listen(connection) {
    connection.connect('notify', (_, pspec) => assert(pspec.name.length > 0));
}

// All that JavaScript can hold of a connection.
function makeThings(server) {
    const helper = makeHelper(server);
    const connection = helper.get_connection();
    listen(connection);
    exchange(helper, 'hello');
    return {helper, connection, ticket: helper.get_ticket(), stream: connection.get_input_stream()};
}

async function dropInOrder(server, order, closes) {
    const things = makeThings(server);
    if (closes)
        close(things.helper);
    for (const name of order) {
        delete things[name];
        await collect();
    }
}

async function anyOrder(closes) {
    const orders = permutations(['helper', 'connection', 'ticket', 'stream']);
    await withServer(['--tls1.3'], async server => {
        for (const order of orders)
            await dropInOrder(server, order, closes);
        assertEqual(server.ask(`wait ${orders.length}`), 'ok'); // all have gone, down to the socket
    });
}

// Begins an operation of each sort that will not end by itself, and keeps nothing but its promises.
function beginInVain(server, cancellable) {
    const waiter = server.connect();
    const reader = server.connect();
    const shaker = server.prepare();
    const priority = GLib.PRIORITY_DEFAULT;
    waiter.connect('ticket-available', () => waiter.explain());
    return [
        waiter.wait_for_ticket_async(-1, cancellable),
        reader.get_connection().get_input_stream().read_bytes_async(100, priority, cancellable),
        shaker.wait_for_ticket_async(-1, cancellable),
    ];
}

const SCENES = {
    any_order: () => anyOrder(false),

    any_order_closed: () => anyOrder(true),

    over_and_over: () => withServer(['--tls1.3'], async server => {
        for (let i = 0; i < 100; i++) {
            makeThings(server);
            if (i % 10 === 0)
                await collect();
        }
        await collect();
        assertEqual(server.ask('wait 100'), 'ok');
    }),

    pending_then_cancelled: () => withServer(['--tls1.3', '--no-tickets'], async server => {
        for (let i = 0; i < 10; i++) {
            const cancellable = new Gio.Cancellable();
            const waiting = beginInVain(server, cancellable);
            await collect();
            sleep(1).then(() => cancellable.cancel());
            for (const promise of waiting)
                await rejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, promise);
        }
        await collect();
        assertEqual(server.ask('wait 30'), 'ok');
    }),

    pending_then_done: () => withServer(['--tls1.3'], async server => {
        for (let i = 0; i < 20; i++) {
            const waiting = server.prepare().wait_for_ticket_async(10000, null);
            System.gc();
            const ticket = await waiting;
            await collect();
            assert(ticket.is_usable());
        }
        await collect();
        assertEqual(server.ask('wait 20'), 'ok');
    }),

    collected_in_a_handler: () => withServer(['--tls1.3'], async server => {
        for (let i = 0; i < 10; i++) {
            let helper = server.prepare();
            helper.connect('ticket-available', () => {
                helper = null;
                System.gc();
            });
            helper.connect('notify::resumption', () => System.gc());
            await helper.wait_for_ticket_async(10000, null);
            assertEqual(helper, null);
        }
        await collect();
        assertEqual(server.ask('wait 10'), 'ok');
    }),

    ticket_outlives_all: () => withServer(['--tls1.3'], async server => {
        let {ticket} = makeThings(server);
        await collect();
        const helper = server.prepare();
        helper.set_ticket(ticket);
        ticket = null;
        await collect();
        helper.get_connection().handshake(null);
        assertEqual(helper.resumption, GTlsSession.Resumption.RESUMED);
    }),

    helpers_share_a_connection: () => withServer(['--tls1.3'], async server => {
        const connection = server.prepare().get_connection();
        let heard = 0;
        for (let i = 0; i < 10; i++)
            GTlsSession.Helper.new(connection).connect('ticket-available', () => heard++);
        await collect();
        const helper = GTlsSession.Helper.new(connection);
        helper.connect('ticket-available', () => heard++);
        exchange(helper, 'hello');
        assert(heard >= 2);
    }),

    ends_with_all_pending: async () => {
        const server = new Server('--tls1.3', '--no-tickets');
        beginInVain(server, null).forEach(promise => promise.catch(() => {}));
        makeThings(new Server('--tls1.3'));
        await sleep(20);
    },

    // That a critical does end the process is seen here; test-garbage.js expects it.
    critical: () => {
        const helper = new GTlsSession.Helper();
        helper.run_dispose();
        helper.explain();
    },
};

const loop = new GLib.MainLoop(null, false);
let failed = false;

async function tell() {
    try {
        await SCENES[ARGV[0]]();
    } catch (error) {
        failed = true;
        printerr(`${error}\n${error.stack}`);
    }
    loop.quit();
}

if (ARGV.length === 0) {
    print(Object.keys(SCENES).join(' '));
} else {
    tell();
    loop.run();
    if (failed)
        System.exit(1);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// Sessions that resume by themselves, from stores of the library's and from one written in JavaScript.

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

import {assert, assertEqual, close, exchange, raises, story, storyForEachKind, tellAll,
    withServer} from './support.js';

const {MemoryStore, Resumption} = GTlsSession;
const {STORE, UNSUPPORTED} = GTlsSession.Error;

// A store as a program would write it.
const MapStore = GObject.registerClass({
    Implements: [GTlsSession.Store],
}, class MapStore extends GObject.Object {
    tickets = new Map();
    failure = null;
    calls = [];

    begin(call) {
        this.calls.push(call);
        if (this.failure)
            throw new GLib.Error(GTlsSession.Error, STORE, this.failure);
    }

    vfunc_put(key, ticket) {
        this.begin('put');
        this.tickets.set(key, [...this.tickets.get(key) ?? [], ticket]);
        return true;
    }

    vfunc_take(key) {
        this.begin('take');
        const kept = this.tickets.get(key) ?? [];
        const ticket = kept.pop() ?? null;
        if (ticket && !ticket.single_use)
            kept.push(ticket);
        return ticket;
    }

    vfunc_remove(key, ticket) {
        this.begin('remove');
        this.tickets.set(key, (this.tickets.get(key) ?? []).filter(other => other.id !== ticket.id));
        return true;
    }

    vfunc_clear() {
        this.begin('clear');
        this.tickets.clear();
        return true;
    }
});

function prepare(server, store) {
    const helper = server.prepare();
    helper.get_connection().session_store = store;
    helper.get_connection().session_resumption_enabled = true;
    return helper;
}

function visit(server, store) {
    const helper = prepare(server, store);
    exchange(helper, 'hello');
    close(helper);
    return helper;
}

storyForEachKind('second_connection_resumes_from_memory', options => withServer(options, server => {
    const store = MemoryStore.new();
    assertEqual(visit(server, store).resumption, Resumption.NONE);
    assertEqual(visit(server, store).resumption, Resumption.RESUMED);
    assertEqual(store.get_n_peers(), 1);
}));

storyForEachKind('second_connection_resumes_from_a_js_store', options => withServer(options, server => {
    const store = new MapStore();
    assertEqual(visit(server, store).resumption, Resumption.NONE);
    assertEqual(visit(server, store).resumption, Resumption.RESUMED);
    assertEqual(store.tickets.size, 1);
    assert([...store.tickets.keys()].every(key => key.length === 64));
}));

story('second_connection_resumes_async_from_a_js_store', () => withServer(['--tls1.3'], async server => {
    const store = new MapStore();
    visit(server, store);
    const helper = prepare(server, store);
    await helper.get_connection().handshake_async(GLib.PRIORITY_DEFAULT, null);
    assertEqual(helper.resumption, Resumption.RESUMED);
    await helper.get_connection().close_async(GLib.PRIORITY_DEFAULT, null);
}));

story('copied_ticket_leaves_the_js_store', () => withServer(['--tls1.3', '--tickets=1'], server => {
    const store = new MapStore();
    const first = prepare(server, store);
    exchange(first, 'hello');
    const second = prepare(server, store);
    assert(second.copy_session_state(first));
    assert(store.calls.includes('remove') && [...store.tickets.values()].every(kept => kept.length === 0));
    close(first);
}));

story('js_store_that_throws_breaks_nothing', () => withServer(['--tls1.3'], server => {
    const store = new MapStore();
    store.failure = 'the shelf fell down';
    const helper = visit(server, store);
    assertEqual(helper.resumption, Resumption.NONE);
    assert(helper.explain().includes('the shelf fell down'), helper.explain());
}));

story('js_store_is_called_as_any_other', () => withServer(['--tls1.3'], server => {
    const store = new MapStore();
    const ticket = server.connectWithTicket().get_ticket();
    assert(store.put('key', ticket));
    assertEqual(store.take('key'), ticket);
    assertEqual(store.take('key'), null);
    assert(store.clear());
    raises(GTlsSession.Error, UNSUPPORTED, () => store.load_bytes('keys'));
    store.failure = 'the shelf fell down';
    raises(GTlsSession.Error, STORE, () => store.take('key'));
}));

// A connection that is dropped without being closed closes in the collector's hands, and must not call the store then.
story('collected_connection_does_not_call_the_js_store', () => withServer(['--tls1.3', '--behaviour=sink'], server => {
    const store = new MapStore();
    (() => {
        const helper = prepare(server, store);
        helper.get_connection().get_output_stream().write_all('hello', null);
    })();
    System.gc();
    System.gc();
    assert(!store.calls.includes('put'));
}));

story('memory_store_keeps_bytes', () => {
    const store = MemoryStore.new();
    assertEqual(store.load_bytes('keys'), null);
    assert(store.save_bytes('keys', new GLib.Bytes('secret')));
    assertEqual(new TextDecoder().decode(store.load_bytes('keys').get_data()), 'secret');
});

tellAll();

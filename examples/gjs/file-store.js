#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// Connects to a server and keeps the TLS session in a file; the next run resumes it.
//
//     file-store.js FILE HOST[:PORT]

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

function nameOf(resumption) {
    return Object.keys(GTlsSession.Resumption).find(name => GTlsSession.Resumption[name] === resumption).toLowerCase();
}

function visit(store, host) {
    const address = Gio.NetworkAddress.parse(host, 443);
    const tcp = new Gio.SocketClient().connect(address, null);
    const helper = GTlsSession.Helper.new_for_stream(tcp, address);
    const connection = helper.get_connection();
    connection.set_session_store(store);
    connection.handshake(null);
    print(`${nameOf(helper.get_resumption())}: ${helper.explain()}`);
    helper.wait_for_ticket(5000, null); // milliseconds; a TLS 1.3 server sends tickets after the handshake
    connection.close(null);
}

if (ARGV.length !== 2) {
    printerr('usage: file-store.js FILE HOST[:PORT]');
    System.exit(2);
}
try {
    visit(GTlsSession.FileStore.new(ARGV[0]), ARGV[1]);
} catch (error) {
    printerr(error.message);
    System.exit(1);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// GTlsSession as JavaScript expects it: promises from every asynchronous call, iteration, Dates for times. (Bytes need
// nothing: GJS takes a Uint8Array where GLib.Bytes are wanted, and their toArray() is one.)
//
//     import GTlsSession from './gtls-session.js';
//
// A module to import, because GJS takes overrides from its own directory only. It exports what gi://GTlsSession exports,
// to which methods are added; nothing that could be called before is called otherwise, so code that knows nothing of
// this module may run beside it. doc/javascript.md has the manual's page.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';

// With a callback, each of these is what it was.
Gio._promisify(GTlsSession.Helper, 'connect_to_host_async', 'connect_to_host_finish');
Gio._promisify(GTlsSession.Helper.prototype, 'wait_for_ticket_async', 'wait_for_ticket_finish');
Gio._promisify(Gio.TlsConnection.prototype, 'handshake_async', 'handshake_finish');
Gio._promisify(Gio.IOStream.prototype, 'close_async', 'close_finish');
Gio._promisify(Gio.InputStream.prototype, 'read_bytes_async', 'read_bytes_finish');
Gio._promisify(Gio.InputStream.prototype, 'close_async', 'close_finish');
// Not write_async() and write_all_async(): GJS frees the bytes as soon as the call returns, while they are still to be
// written. The next two keep them.
Gio._promisify(Gio.OutputStream.prototype, 'write_bytes_async', 'write_bytes_finish');
Gio._promisify(Gio.OutputStream.prototype, 'splice_async', 'splice_finish');
Gio._promisify(Gio.OutputStream.prototype, 'flush_async', 'flush_finish');
Gio._promisify(Gio.OutputStream.prototype, 'close_async', 'close_finish');
Gio._promisify(Gio.SocketClient.prototype, 'connect_async', 'connect_finish');
Gio._promisify(Gio.SocketClient.prototype, 'connect_to_host_async', 'connect_to_host_finish');

function toDate(time) {
    return new Date(time.to_unix() * 1000 + Math.floor(time.get_microsecond() / 1000));
}

// Adds getters, which are not enumerated.
function addGetters(prototype, getters) {
    for (const [name, get] of Object.entries(getters))
        Object.defineProperty(prototype, name, {configurable: true, get});
}

addGetters(GTlsSession.Ticket.prototype, {
    receivedDate() {
        return toDate(this.received);
    },
    expiresDate() {
        return toDate(this.expires);
    },
});

addGetters(GTlsSession.Helper.prototype, {
    ticket() {
        return this.get_ticket();
    },
    tickets() {
        return this.list_tickets();
    },
});

// for (const ticket of helper)
GTlsSession.Helper.prototype[Symbol.iterator] = function () {
    return this.list_tickets()[Symbol.iterator]();
};

// The code of an error of this library, a GTlsSession.Error; null if it is something else.
export function reasonOf(error) {
    return error instanceof GTlsSession.Error ? error.code : null;
}

// Hands the connection to a function, which may be asynchronous, and closes it when that has ended, in whatever way.
export async function using(helper, use) {
    const connection = helper instanceof GTlsSession.Helper ? helper.get_connection() : helper;
    let value;
    try {
        value = await use(helper);
    } catch (error) {
        // What went wrong first is what to tell.
        await connection.close_async(GLib.PRIORITY_DEFAULT, null).catch(() => {});
        throw error;
    }
    await connection.close_async(GLib.PRIORITY_DEFAULT, null);
    return value;
}

export default GTlsSession;

// SPDX-License-Identifier: LGPL-2.1-or-later

// TCP and TLS in one call. A program of its own, because the system's trust store, which it puts its own root into, is
// opened once in a process.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, close, exchange, raises, rejects, Server, story, tellAll, withServer} from './support.js';

const {Helper} = GTlsSession;
const server = new Server('--tls1.3'); // ends with this program
GLib.setenv('SSL_CERT_FILE', server.ca, true);

story('connects_in_one_call', () => {
    const helper = Helper.connect_to_host(`localhost:${server.port}`, 443, null);
    assert(helper.wait_for_ticket(10000, null).is_usable());
    exchange(helper, 'hello');
    close(helper);
});

story('connects_in_one_async_call', async () => {
    const helper = await Helper.connect_to_host_async('localhost', server.port, null);
    assert((await helper.wait_for_ticket_async(10000, null)).is_usable());
    const second = server.resume(helper);
    assertEqual(second.resumption, GTlsSession.Resumption.RESUMED);
    close(second);
    close(helper);
});

story('connects_with_a_callback', async () => {
    const helper = await new Promise(resolve => Helper.connect_to_host_async('localhost', server.port, null,
        (_, result) => resolve(Helper.connect_to_host_finish(result))));
    exchange(helper, 'hello');
    close(helper);
});

story('failing_to_connect_is_told', () => withServer(['--certificate=stranger'], async stranger => {
    const {CANCELLED, CONNECTION_REFUSED} = Gio.IOErrorEnum;
    const {BAD_CERTIFICATE} = Gio.TlsError;
    const cancelled = new Gio.Cancellable();
    cancelled.cancel();
    raises(Gio.IOErrorEnum, CANCELLED, () => Helper.connect_to_host('localhost', server.port, cancelled));
    await rejects(Gio.IOErrorEnum, CANCELLED, Helper.connect_to_host_async('localhost', server.port, cancelled));
    raises(Gio.IOErrorEnum, CONNECTION_REFUSED, () => Helper.connect_to_host('127.0.0.1:1', 443, null));
    await rejects(Gio.IOErrorEnum, CONNECTION_REFUSED, Helper.connect_to_host_async('127.0.0.1', 1, null));
    raises(Gio.TlsError, BAD_CERTIFICATE, () => Helper.connect_to_host('localhost', stranger.port, null));
    await rejects(Gio.TlsError, BAD_CERTIFICATE, Helper.connect_to_host_async('localhost', stranger.port, null));
}));

tellAll();

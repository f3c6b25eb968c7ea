// SPDX-License-Identifier: LGPL-2.1-or-later

// Around another backend's connection the helper says honestly what cannot be known. Needs glib-networking.

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, exchange, raises, story, tellAll, withServer} from './support.js';

function prepareForeign(server) {
    const connection = Gio.TlsClientConnection.new(server.tcp(), Gio.NetworkAddress.new('localhost', server.port));
    connection.set_database(Gio.TlsFileDatabase.new(server.ca));
    return GTlsSession.Helper.new(connection);
}

story('foreign_connection_is_unknown', () => withServer(['--tls1.2'], server => {
    const {UNSUPPORTED} = GTlsSession.Error;
    const first = prepareForeign(server);
    first.get_connection().handshake(null);
    exchange(first, 'hello');
    const second = prepareForeign(server);
    raises(GTlsSession.Error, UNSUPPORTED, () => second.copy_session_state(first));
    raises(GTlsSession.Error, UNSUPPORTED, () => first.wait_for_ticket(0, null));
    second.get_connection().handshake(null);
    exchange(second, 'hello');
    assertEqual(second.resumption, GTlsSession.Resumption.UNKNOWN);
    assertEqual(second.get_ticket(), null);
    assert(second.explain().includes('another TLS backend'));
}));

if (Gio.TlsBackend.get_default().supports_tls())
    tellAll();
else
    print('1..0 # SKIP Gio has no TLS backend here; install glib-networking');

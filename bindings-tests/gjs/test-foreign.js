// SPDX-License-Identifier: LGPL-2.1-or-later

// Around another backend's connection the helper says honestly what cannot be known. Needs glib-networking.

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, close, exchange, raises, rejects, storyForEachKind, tellAll,
    withServer} from './support.js';

const {UNSUPPORTED} = GTlsSession.Error;
const {UNKNOWN} = GTlsSession.Resumption;

function prepareForeign(server) {
    const connection = Gio.TlsClientConnection.new(server.tcp(), Gio.NetworkAddress.new('localhost', server.port));
    connection.set_database(Gio.TlsFileDatabase.new(server.ca));
    return GTlsSession.Helper.new(connection);
}

function connectForeign(server) {
    const helper = prepareForeign(server);
    helper.get_connection().handshake(null);
    exchange(helper, 'hello');
    return helper;
}

storyForEachKind('foreign_connection_is_unknown', options => withServer(options, async server => {
    const first = connectForeign(server);
    const second = prepareForeign(server);
    assertEqual(second.resumption, UNKNOWN);
    raises(GTlsSession.Error, UNSUPPORTED, () => second.copy_session_state(first));
    raises(GTlsSession.Error, UNSUPPORTED, () => first.wait_for_ticket(0, null));
    await rejects(GTlsSession.Error, UNSUPPORTED, first.wait_for_ticket_async(-1, null));
    second.get_connection().handshake(null);
    exchange(second, 'hello');
    assertEqual(second.resumption, UNKNOWN);
    assertEqual(second.get_ticket(), null);
    assertEqual(second.list_tickets().length, 0);
    assert(second.explain().includes('another TLS backend'));
    close(second);
    close(first);
}));

storyForEachKind('nothing_passes_between_backends', options => withServer(options, server => {
    const foreign = connectForeign(server);
    const ours = server.connectWithTicket();
    const nextOurs = server.prepare();
    const nextForeign = prepareForeign(server);
    raises(GTlsSession.Error, UNSUPPORTED, () => nextOurs.copy_session_state(foreign));
    raises(GTlsSession.Error, UNSUPPORTED, () => nextForeign.copy_session_state(ours));
    raises(GTlsSession.Error, UNSUPPORTED, () => nextForeign.set_ticket(ours.get_ticket()));
    for (const helper of [nextOurs, nextForeign]) {
        helper.get_connection().handshake(null);
        exchange(helper, 'hello');
        close(helper);
    }
    assertEqual(nextOurs.resumption, GTlsSession.Resumption.NONE);
    assertEqual(nextForeign.resumption, UNKNOWN);
    close(foreign);
    close(ours);
}));

if (Gio.TlsBackend.get_default().supports_tls())
    tellAll();
else
    print('1..0 # SKIP Gio has no TLS backend here; install glib-networking');

// SPDX-License-Identifier: LGPL-2.1-or-later

// Early data arrive once, in JavaScript; the server is ours, in a process of its own.

import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, close, raises, story, tellAll, withServer} from './support.js';

const {EarlyDataStatus, Error: SessionError} = GTlsSession;
const early = new GLib.Bytes(new TextEncoder().encode('earlybird-'));

// A helper after its handshake, which was begun with early data.
async function connectEarly(server, ticket) {
    const helper = server.prepare();
    const statuses = [];
    helper.connect('notify::early-data-status', () => statuses.push(helper.early_data_status));
    helper.set_ticket(ticket);
    assert(helper.set_early_data(early));
    assert(helper.get_early_data().equal(early));
    await helper.get_connection().handshake_async(GLib.PRIORITY_DEFAULT, null);
    assertEqual(helper.get_early_data(), null);
    return [helper, statuses.join()];
}

function getTicket(server) {
    const source = server.connectWithTicket();
    close(source);
    return source.get_ticket();
}

story('early_data_arrive_once', () => withServer([], async server => {
    const [helper, statuses] = await connectEarly(server, getTicket(server));
    assertEqual(statuses, [EarlyDataStatus.PENDING, EarlyDataStatus.ACCEPTED].join());
    assert(helper.explain().includes('early data were accepted'));
    raises(SessionError, SessionError.TOO_LATE, () => helper.set_early_data(early));
    close(helper);
    assertEqual(server.ask('record 1'), 'resumption=resumed early-data=earlybird- stream=');
}));

story('refused_early_data_arrive_once', () => withServer([], async server => {
    const ticket = getTicket(server);
    assertEqual(server.ask('max-early-data 0'), 'ok');
    const [helper, statuses] = await connectEarly(server, ticket);
    assertEqual(statuses, [EarlyDataStatus.PENDING, EarlyDataStatus.RESENT].join());
    close(helper);
    assertEqual(server.ask('record 1'), 'resumption=full early-data= stream=earlybird-');
}));

tellAll();

// SPDX-License-Identifier: LGPL-2.1-or-later

// A program outside the tree: resume.js HOST:PORT. It has a handshake, waits for a ticket, and resumes.

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

function tell(helper) {
    const [nick] = Object.entries(GTlsSession.Resumption).find(([, value]) => value === helper.resumption);
    print(nick.toLowerCase());
}

const [host] = System.programArgs;
const first = GTlsSession.Helper.connect_to_host(host, 443, null);
tell(first);
const ticket = first.wait_for_ticket(10000, null);
print(`ticket of ${ticket.server_name}`);

const address = Gio.NetworkAddress.parse(host, 443);
const second = GTlsSession.Helper.new_for_stream(new Gio.SocketClient().connect(address, null), address);
second.copy_session_state(first);
second.get_connection().handshake(null);
tell(second);

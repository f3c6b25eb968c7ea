// SPDX-License-Identifier: LGPL-2.1-or-later

// The data connections of an FTPS client, each with the control connection's TLS session. See ftps.js.

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';

import {FtpsControl} from './ftpsControl.js';

const BLOCK = 64 * 1024;

const RESUMPTION_NAMES = Object.fromEntries(
    Object.entries(GTlsSession.Resumption).map(([name, value]) => [value, name.toLowerCase()]));

export class FtpsClient extends FtpsControl {
    // The data connection for a command, with the control connection's session.
    openData(command) {
        const port = Number(this.command('EPSV', '229').split('|').at(-2));
        const remote = this.stream.baseIoStream.get_remote_address().get_address();
        const tcp = new Gio.SocketClient().connect(Gio.InetSocketAddress.new(remote, port), null);
        this.command(command, '150', '125');
        const data = this.secure(tcp);
        try {
            data.copy_session_state(this.control);
        } catch (error) {
            printerr(`The session could not be carried over: ${error.message}`);
        }
        data.get_connection().handshake(null);
        return data;
    }

    closeData(data) {
        data.get_connection().close(null); // after an upload, this is what makes sure that all of it arrives
        this.reply('226', '250');
        return RESUMPTION_NAMES[data.get_resumption()];
    }

    download(command) {
        const data = this.openData(command);
        const content = Gio.MemoryOutputStream.new_resizable();
        const input = data.get_connection().get_input_stream();
        for (let block = input.read_bytes(BLOCK, null); block.get_size() > 0; block = input.read_bytes(BLOCK, null))
            content.write_bytes(block, null);
        content.close(null);
        return [content.steal_as_bytes().toArray(), this.closeData(data)];
    }

    list(path = '') {
        return this.download(`LIST ${path}`.trim());
    }

    get(remote) {
        return this.download(`RETR ${remote}`);
    }

    put(remote, content) {
        const data = this.openData(`STOR ${remote}`);
        if (content.length > 0)
            data.get_connection().get_output_stream().write_all(content, null);
        return this.closeData(data);
    }
}

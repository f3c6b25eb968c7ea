// SPDX-License-Identifier: LGPL-2.1-or-later

// The control connection of an FTPS client (RFC 4217): commands and replies. See ftps.js.

import Gio from 'gi://Gio';
import GTlsSession from 'gi://GTlsSession?version=1';

export class FtpsControl {
    constructor(hostAndPort, {ca = null, onlyTls12 = false} = {}) {
        this.address = Gio.NetworkAddress.parse(hostAndPort, 21);
        this.database = ca ? GTlsSession.FileDatabase.new(ca) : null;
        this.onlyTls12 = onlyTls12;
        this.stream = new Gio.SocketClient().connect(this.address, null);
        this.replies = new Gio.DataInputStream({
            baseStream: this.stream.get_input_stream(), closeBaseStream: false});
        this.reply('220');
        this.command('AUTH TLS', '234');
        this.control = this.secure(this.stream);
        this.stream = this.control.get_connection();
        this.stream.handshake(null);
        this.replies = Gio.DataInputStream.new(this.stream.get_input_stream());
    }

    // TLS over a TCP connection; the handshake is still to come.
    secure(stream) {
        const helper = GTlsSession.Helper.new_for_stream(stream, this.address);
        if (this.database)
            helper.get_connection().set_database(this.database);
        if (this.onlyTls12)
            helper.get_connection().set_maximum_protocol_version(Gio.TlsProtocolVersion.TLS_1_2);
        return helper;
    }

    // Reads a reply, of several lines perhaps (RFC 959, section 4.2).
    reply(...expected) {
        let line;
        do
            [line] = this.replies.read_line_utf8(null);
        while (line !== null && line[3] !== ' ');
        if (line === null || !expected.some(code => line.startsWith(code)))
            throw new Error(`The server answered: ${line}`);
        return line;
    }

    command(text, ...expected) {
        this.stream.get_output_stream().write_all(new TextEncoder().encode(`${text}\r\n`), null);
        return this.reply(...expected);
    }

    login(user, password) {
        if (this.command(`USER ${user}`, '331', '230').startsWith('331'))
            this.command(`PASS ${password}`, '230');
        this.command('PBSZ 0', '200');
        this.command('PROT P', '200');
        this.command('TYPE I', '200');
        this.control.wait_for_ticket(5000, null);
    }

    quit() {
        this.command('QUIT', '221');
        this.stream.close(null);
    }
}

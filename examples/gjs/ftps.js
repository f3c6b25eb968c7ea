#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.
//
//     ftps.js [--ca=FILE] [--tls1.2] [--user=U] [--password=P] [--times=N] HOST:PORT list|get|put [REMOTE] [LOCAL]
//
// With --times=N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

const BLOCK = 64 * 1024;

const RESUMPTION_NAMES = Object.fromEntries(
    Object.entries(GTlsSession.Resumption).map(([name, value]) => [value, name.toLowerCase()]));

export class Ftps {
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

    quit() {
        this.command('QUIT', '221');
        this.stream.close(null);
    }
}

function transfer(ftps, verb, remote, local) {
    if (verb === 'put') {
        const [, content] = Gio.File.new_for_path(local).load_contents(null);
        return [content.length, ftps.put(remote, content)];
    }
    const [content, resumption] = verb === 'list' ? ftps.list(remote) : ftps.get(remote);
    if (local)
        GLib.file_set_contents(local, content);
    else
        print(new TextDecoder().decode(content));
    return [content.length, resumption];
}

function main(argv) {
    const isOption = argument => argument.startsWith('--');
    const options = Object.fromEntries(argv.filter(isOption).map(option => option.slice(2).split('=')));
    const [host, verb, remote = '', local] = argv.filter(argument => !isOption(argument));
    if (!host || !['list', 'get', 'put'].includes(verb)) {
        printerr('usage: ftps.js [--ca=FILE] [--tls1.2] [--user=U] [--password=P] [--times=N] ' +
            'HOST:PORT list|get|put [REMOTE] [LOCAL]');
        return 2;
    }

    const ftps = new Ftps(host, {ca: options.ca, onlyTls12: 'tls1.2' in options});
    ftps.login(options.user ?? 'anonymous', options.password ?? 'anonymous@');
    for (let number = 0; number < Number(options.times ?? 1); number++) {
        const [from, to] = [remote, local].map(name => name?.replace('%d', number));
        const [size, resumption] = transfer(ftps, verb, from, to);
        printerr(`${verb} ${from}: ${size} bytes, ${resumption}`);
    }
    ftps.quit();
    return 0;
}

if (System.programInvocationName.endsWith('ftps.js')) {
    let status = 1;
    try {
        status = main(ARGV);
    } catch (error) {
        printerr(`ftps: ${error.message}`);
    }
    System.exit(status);
}

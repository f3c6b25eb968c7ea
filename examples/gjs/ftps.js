#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// A small FTPS client (RFC 4217) whose data connections resume the control connection's TLS session.
//
//     ftps.js [--ca=FILE] [--tls1.2] [--user=U] [--password=P] [--times=N] HOST:PORT list|get|put [REMOTE] [LOCAL]
//
// With --times=N the transfer is done N times in one session; "%d" in REMOTE and LOCAL stands for its number.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

import {FtpsClient} from './ftpsClient.js';

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

    const ftps = new FtpsClient(host, {ca: options.ca, onlyTls12: 'tls1.2' in options});
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

// SPDX-License-Identifier: LGPL-2.1-or-later

// The JavaScript tests' own little world: TAP, the test server, and a client.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';
import System from 'system';

Gio._promisify(GTlsSession.Helper, 'connect_to_host_async', 'connect_to_host_finish');
Gio._promisify(GTlsSession.Helper.prototype, 'wait_for_ticket_async', 'wait_for_ticket_finish');
Gio._promisify(Gio.TlsConnection.prototype, 'handshake_async', 'handshake_finish');
Gio._promisify(Gio.IOStream.prototype, 'close_async', 'close_finish');
Gio._promisify(Gio.InputStream.prototype, 'read_bytes_async', 'read_bytes_finish');
Gio._promisify(Gio.OutputStream.prototype, 'splice_async', 'splice_finish');
Gio._promisify(Gio.OutputStream.prototype, 'write_bytes_async', 'write_bytes_finish');

export const KINDS = {
    'tls1.3': ['--tls1.3'],
    'tls1.2-ticket': ['--tls1.2'],
    'tls1.2-session-id': ['--tls1.2', '--session-ids'],
};

export const VERSIONS = {
    'tls1.3': Gio.TlsProtocolVersion.TLS_1_3,
    'tls1.2': Gio.TlsProtocolVersion.TLS_1_2,
};

const stories = [];

// A test; its name is what it shows.
export function story(name, tell) {
    stories.push([name, tell]);
}

// A test for TLS 1.3, for a TLS 1.2 ticket and for a TLS 1.2 session id; it gets the server's options.
export function storyForEachKind(name, tell) {
    for (const [kind, options] of Object.entries(KINDS))
        stories.push([`${kind}/${name}`, () => tell(options)]);
}

// A test for TLS 1.3 and for TLS 1.2; it gets the version.
export function storyForEachVersion(name, tell) {
    for (const [version, value] of Object.entries(VERSIONS))
        stories.push([`${version}/${name}`, () => tell(value)]);
}

export function assert(condition, message = 'the assertion failed') {
    if (!condition)
        throw new Error(message);
}

export function assertEqual(actual, expected) {
    assert(actual === expected, `${actual} is not ${expected}`);
}

export function tellAll() {
    const loop = new GLib.MainLoop(null, false);
    let failed = 0;

    async function tell() {
        print(`1..${stories.length}`);
        for (const [index, [name, tellStory]] of stories.entries()) {
            try {
                await tellStory();
                print(`ok ${index + 1} ${name}`);
            } catch (error) {
                failed++;
                print(`${error}\n${error.stack}`.replace(/^/gm, '# '));
                print(`not ok ${index + 1} ${name}`);
            }
        }
        loop.quit();
    }

    tell();
    loop.run();
    System.exit(failed > 0 ? 1 : 0);
}

export function sleep(milliseconds) {
    return new Promise(resolve => GLib.timeout_add(GLib.PRIORITY_DEFAULT, milliseconds, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
}

// Runs the main loop until the condition holds.
export async function until(condition, seconds = 10) {
    for (let waited = 0; !condition() && waited < seconds * 1000; waited += 5)
        await sleep(5);
    assert(condition(), 'it took too long');
}

function fields(line) {
    return Object.fromEntries(line.trim().split(' ').map(field => {
        const [name, ...value] = field.split('=');
        return [name, value.join('=')];
    }));
}

export class Server {
    constructor(...options) {
        this.process = Gio.Subprocess.new([GLib.getenv('TEST_SERVER'), ...options],
            Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE);
        this.answers = Gio.DataInputStream.new(this.process.get_stdout_pipe());
        const {port, ca} = fields(this.answers.read_line_utf8(null)[0]);
        this.port = Number(port);
        this.ca = ca;
    }

    stop() {
        this.process.get_stdin_pipe().close(null);
        this.process.wait(null);
    }

    ask(command) {
        this.process.get_stdin_pipe().write_all(new TextEncoder().encode(`${command}\n`), null);
        return this.answers.read_line_utf8(null)[0];
    }

    record(index) {
        return fields(this.ask(`record ${index}`));
    }

    tcp() {
        return new Gio.SocketClient().connect_to_host('127.0.0.1', this.port, null);
    }

    // A helper whose connection trusts this server; the handshake is still to come.
    prepare(name = 'localhost') {
        const helper = GTlsSession.Helper.new_for_stream(this.tcp(), Gio.NetworkAddress.new(name, this.port));
        helper.get_connection().set_database(GTlsSession.FileDatabase.new(this.ca));
        helper.get_connection().set_session_resumption_enabled(false); // what it resumes, a test offers by hand
        return helper;
    }

    connect() {
        const helper = this.prepare();
        helper.get_connection().handshake(null);
        return helper;
    }

    connectWithTicket() {
        const helper = this.prepare();
        assert(helper.wait_for_ticket(10000, null) !== null);
        return helper;
    }

    resume(source) {
        const helper = this.prepare();
        assert(helper.copy_session_state(source));
        helper.get_connection().handshake(null);
        return helper;
    }
}

// Gives the story a server, and stops it whatever happens.
export async function withServer(options, tell) {
    const server = new Server(...options);
    try {
        await tell(server);
    } finally {
        server.stop();
    }
}

export function write(helper, text) {
    helper.get_connection().get_output_stream().write_all(new TextEncoder().encode(text), null);
}

export function read(helper, size) {
    let text = '';
    while (text.length < size) {
        const bytes = helper.get_connection().get_input_stream().read_bytes(size - text.length, null);
        assert(bytes.get_size() > 0, 'the connection ended');
        text += new TextDecoder().decode(bytes.toArray());
    }
    return text;
}

export function exchange(helper, text) {
    write(helper, text);
    assertEqual(read(helper, text.length), text);
}

export function close(helper) {
    assert(helper.get_connection().close(null));
}

// A wait of the old style, without a promise from Gio.
export function waitWithCallback(helper, timeout, cancellable) {
    return new Promise((resolve, reject) => helper.wait_for_ticket_async(timeout, cancellable, (source, result) => {
        try {
            assertEqual(source, helper);
            resolve(source.wait_for_ticket_finish(result));
        } catch (error) {
            reject(error);
        }
    }));
}

function check(error, domain, code) {
    assert(error.matches?.(domain, code), `another error: ${error}`);
    assert(error.message.length > 10, `no sentence: ${error.message}`);
}

export function raises(domain, code, call) {
    try {
        call();
    } catch (error) {
        check(error, domain, code);
        return;
    }
    throw new Error('no error was raised');
}

export async function rejects(domain, code, promise) {
    try {
        await promise;
    } catch (error) {
        check(error, domain, code);
        return;
    }
    throw new Error('no error was raised');
}

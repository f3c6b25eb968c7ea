// SPDX-License-Identifier: LGPL-2.1-or-later

// A server of ours in JavaScript resumes its clients' sessions, and says so as they do.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GTlsSession from 'gi://GTlsSession?version=1';

import {assert, assertEqual, raises, Server, story, storyForEachVersion, tellAll, until} from './support.js';

const {Resumption, TicketKeys} = GTlsSession;
const {TLS_1_3} = Gio.TlsProtocolVersion;
const DAY = 24 * 60 * 60;

// It has certificates made when it starts; that is all it is here for, and it ends with this program.
const directory = GLib.path_get_dirname(new Server().ca);

function load(name) {
    return GTlsSession.Certificate.new_from_file(`${directory}/${name}`);
}

function trust(name) {
    return GTlsSession.FileDatabase.new(`${directory}/${name}`);
}

// There are no threads: it and its clients take turns in one main loop.
class OurServer {
    constructor(version, keys, certificate = 'good.pem') {
        this.version = version;
        this.keys = keys;
        this.certificate = load(certificate);
        this.prepare = () => {}; // called before each handshake
        this.served = [];
        this.failed = [];
        this.service = new Gio.SocketService();
        const loopback = Gio.InetSocketAddress.new_from_string('127.0.0.1', 0);
        const [, address] = this.service.add_address(loopback, Gio.SocketType.STREAM, Gio.SocketProtocol.TCP, null);
        this.port = address.get_port();
        this.service.connect('incoming', (_, tcp) => {
            this.serve(tcp).catch(error => this.failed.push(error));
            return true;
        });
        this.service.start();
    }

    stop() {
        this.service.stop();
        this.service.close();
    }

    async serve(tcp) {
        const connection = GTlsSession.ServerConnection.new(tcp, this.certificate);
        connection.ticketKeys = this.keys;
        connection.minimumProtocolVersion = this.version;
        connection.maximumProtocolVersion = this.version;
        this.prepare(connection);
        try {
            await connection.handshake_async(GLib.PRIORITY_DEFAULT, null);
            await this.echo(connection);
            this.served.push(connection);
        } finally {
            await connection.close_async(GLib.PRIORITY_DEFAULT, null);
        }
    }

    async echo(connection) {
        for (;;) {
            const bytes = await connection.get_input_stream().read_bytes_async(4096, GLib.PRIORITY_DEFAULT, null);
            if (bytes.get_size() === 0)
                return;
            await connection.get_output_stream().write_bytes_async(bytes, GLib.PRIORITY_DEFAULT, null);
        }
    }

    // A helper whose connection trusts this server; the handshake is still to come.
    client() {
        const tcp = new Gio.SocketClient().connect_to_host('127.0.0.1', this.port, null);
        const helper = GTlsSession.Helper.new_for_stream(tcp, Gio.NetworkAddress.new('localhost', this.port));
        helper.get_connection().set_database(trust('ca.pem'));
        helper.get_connection().sessionStore = null; // a session is resumed when a story says so
        return helper;
    }

    // A client comes, offers the ticket if there is one, and both sides say what became of it.
    async meet(ticket = null, resumption = Resumption.NONE, prepare = () => {}) {
        const helper = this.client();
        const nServed = this.served.length;
        prepare(helper);
        if (ticket)
            assert(helper.set_ticket(ticket));
        await sayHello(helper);
        await until(() => this.served.length > nServed || this.failed.length > 0);
        assertEqual(this.failed.length, 0);
        assertEqual(helper.get_resumption(), resumption);
        assertEqual(this.served[nServed].resumption, resumption);
        assertEqual(this.served[nServed].get_resumption(), resumption);
        return helper;
    }
}

async function sayHello(helper) {
    const connection = helper.get_connection();
    const hello = new TextEncoder().encode('hello');
    await connection.handshake_async(GLib.PRIORITY_DEFAULT, null);
    await connection.get_output_stream().write_bytes_async(hello, GLib.PRIORITY_DEFAULT, null);
    const bytes = await connection.get_input_stream().read_bytes_async(100, GLib.PRIORITY_DEFAULT, null);
    assertEqual(new TextDecoder().decode(bytes.toArray()), 'hello');
    assert(await connection.close_async(GLib.PRIORITY_DEFAULT, null));
}

async function withOurServer(version, keys, tell, certificate) {
    const server = new OurServer(version, keys, certificate);
    try {
        await tell(server);
    } finally {
        server.stop();
    }
}

storyForEachVersion('second_connection_is_resumed_on_both_sides', version =>
    withOurServer(version, TicketKeys.new(), async server => {
        const first = await server.meet();
        const second = await server.meet(first.get_ticket(), Resumption.RESUMED);
        assert(second.get_connection().get_session_reused());
    }));

storyForEachVersion('without_keys_there_are_no_tickets', version => withOurServer(version, null, async server => {
    assertEqual((await server.meet()).get_ticket(), null);
    assertEqual(server.served[0].get_ticket_keys(), null);
}));

storyForEachVersion('rotated_keys_take_old_tickets', async version => {
    const keys = TicketKeys.new();
    await withOurServer(version, keys, async server => {
        const ticket = (await server.meet()).get_ticket();
        assertEqual(keys.get_n_keys(), 1);
        assert(keys.rotate());
        assertEqual(keys.get_n_keys(), 2);
        await server.meet(ticket, Resumption.RESUMED);
        assertEqual(server.served[1].get_ticket_keys(), keys);
    });
});

storyForEachVersion('restarted_server_takes_its_tickets_only_with_its_keys', async version => {
    const keys = new TicketKeys();
    keys.init(null);
    keys.lifetime = DAY;
    let ticket;
    await withOurServer(version, keys, async server => {
        ticket = (await server.meet()).get_ticket();
    });
    const data = keys.to_bytes().toArray();
    const imported = TicketKeys.new_from_bytes(new GLib.Bytes(data));
    assertEqual(imported.lifetime, DAY);
    assert(imported.to_bytes().equal(new GLib.Bytes(data)));
    await withOurServer(version, imported, server => server.meet(ticket, Resumption.RESUMED));
    await withOurServer(version, TicketKeys.new(), server => server.meet(ticket, Resumption.REFUSED));
});

story('damaged_keys_are_bad_data', () => {
    const data = TicketKeys.new().to_bytes().toArray();
    const damaged = Uint8Array.from(data);
    damaged[20] ^= 1;
    for (const bad of [damaged, data.slice(0, -1), new Uint8Array(0)]) {
        raises(GTlsSession.Error, GTlsSession.Error.BAD_DATA,
            () => TicketKeys.new_from_bytes(new GLib.Bytes(bad)));
    }
});

storyForEachVersion('client_is_told_the_lifetime', async version => {
    const keys = TicketKeys.new();
    const changes = [];
    keys.connect('notify::lifetime', () => changes.push(keys.get_lifetime()));
    keys.set_lifetime(1234);
    assertEqual(changes.join(), '1234');
    await withOurServer(version, keys, async server => {
        assertEqual((await server.meet()).get_ticket().lifetime, 1234);
    });
});

story('client_gets_as_many_tickets_as_the_server_was_told', () =>
    withOurServer(TLS_1_3, TicketKeys.new(), async server => {
        for (const count of [0, 1, 5]) {
            server.prepare = connection => connection.set_ticket_count(count);
            assertEqual((await server.meet()).list_tickets().length, count);
            assertEqual(server.served.at(-1).ticketCount, count);
        }
    }));

// The server has another one to begin with.
storyForEachVersion('certificate_is_chosen_by_name', version =>
    withOurServer(version, TicketKeys.new(), async server => {
        const names = [];
        server.prepare = connection => connection.connect('notify::server-name', () => {
            names.push(connection.serverName);
            connection.set_certificate(load('good.pem'));
        });
        const ticket = (await server.meet()).get_ticket();
        await server.meet(ticket, Resumption.RESUMED);
        assertEqual(names.join(), 'localhost,localhost');
        assertEqual(server.served[1].dup_server_name(), 'localhost');
    }, 'other-name.pem'));

// answers: what accept-certificate says, one time after the other. Returns the faults that it was asked about.
function askForCertificate(server, answers = []) {
    const asked = [];
    server.prepare = connection => {
        connection.authenticationMode = Gio.TlsAuthenticationMode.REQUIRED;
        connection.set_database(trust('ca.pem'));
        connection.connect('accept-certificate', (_, certificate, faults) => {
            asked.push(faults);
            return answers[asked.length - 1];
        });
    };
    return asked;
}

function bringing(name) {
    return helper => helper.get_connection().set_certificate(load(name));
}

storyForEachVersion('client_certificate_is_seen_when_resumed_too', version =>
    withOurServer(version, TicketKeys.new(), async server => {
        const asked = askForCertificate(server, [true, true]);
        const ticket = (await server.meet(null, Resumption.NONE, bringing('good.pem'))).get_ticket();
        await server.meet(ticket, Resumption.RESUMED, bringing('good.pem'));
        assert(server.served.every(connection => connection.get_peer_certificate().is_same(load('good.pem'))));
        assertEqual(asked.join(), '0,0');
    }));

storyForEachVersion('strange_client_is_asked_about_each_time', version =>
    withOurServer(version, TicketKeys.new(), async server => {
        const asked = askForCertificate(server, [true, true, false]);
        const ticket = (await server.meet(null, Resumption.NONE, bringing('stranger.pem'))).get_ticket();
        await server.meet(ticket, Resumption.RESUMED, bringing('stranger.pem'));

        const helper = server.client();
        bringing('stranger.pem')(helper);
        helper.set_ticket(ticket);
        let wasLetIn = true;
        await sayHello(helper).catch(() => {
            wasLetIn = false;
        });
        assert(!wasLetIn);
        await until(() => server.failed.length > 0);
        assert(server.failed[0].matches(Gio.TlsError, Gio.TlsError.BAD_CERTIFICATE), `${server.failed[0]}`);
        assert(asked.length === 3 && asked.every(faults => faults === Gio.TlsCertificateFlags.UNKNOWN_CA));
    }));

tellAll();

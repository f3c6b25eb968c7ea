# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server of ours in Python resumes its clients' sessions, and says so as they do."""

import os
import threading

from support import SESSION_ERROR, Server, close, exchange, raises, story, story_for_each_version, tell_all
from gi.repository import Gio, GLib, GTlsSession

Resumption = GTlsSession.Resumption
DAY = 24 * 60 * 60


class OurServer:
    """Serves one client after the other in a thread of its own, which is where its connections' signals come."""

    def __init__(self, directory, version, keys=None, certificate="good.pem"):
        self.directory, self.version, self.keys = directory, version, keys
        self.certificate = self.load(certificate)
        self.prepare = lambda connection: None  # called before each handshake
        self.served = []
        self.failed = []
        self.listener = Gio.SocketListener.new()
        loopback = Gio.InetSocketAddress.new_from_string("127.0.0.1", 0)
        _, address = self.listener.add_address(loopback, Gio.SocketType.STREAM, Gio.SocketProtocol.TCP, None)
        self.port = address.get_port()
        self.leaving = Gio.Cancellable.new()
        self.has_ended = threading.Semaphore(0)
        self.thread = threading.Thread(target=self.serve_all)

    def load(self, name):
        return GTlsSession.Certificate.new_from_file(os.path.join(self.directory, name))

    def trust(self, name):
        return GTlsSession.FileDatabase.new(os.path.join(self.directory, name))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.leaving.cancel()
        self.thread.join()
        self.listener.close()

    def serve_all(self):
        while not self.leaving.is_cancelled():
            try:
                tcp, _ = self.listener.accept(self.leaving)
            except GLib.Error:
                break
            self.serve(tcp)
            self.has_ended.release()

    def serve(self, tcp):
        connection = GTlsSession.ServerConnection.new(tcp, self.certificate)
        connection.props.ticket_keys = self.keys
        connection.props.minimum_protocol_version = self.version
        connection.props.maximum_protocol_version = self.version
        self.prepare(connection)
        try:
            connection.handshake(self.leaving)
            while data := connection.get_input_stream().read_bytes(4096, self.leaving).get_data():
                connection.get_output_stream().write_all(data, self.leaving)
            connection.close(self.leaving)
            self.served.append(connection)
        except GLib.Error as error:
            self.failed.append(error)
            connection.get_property("base-io-stream").close(None)

    def client(self):
        """A helper whose connection trusts this server; the handshake is still to come."""
        tcp = Gio.SocketClient().connect_to_host("127.0.0.1", self.port, None)
        helper = GTlsSession.Helper.new_for_stream(tcp, Gio.NetworkAddress.new("localhost", self.port))
        helper.get_connection().set_database(self.trust("ca.pem"))
        helper.get_connection().props.session_store = None  # a session is resumed when a story says so
        return helper

    def meet(self, ticket=None, resumption=Resumption.NONE, prepare=lambda helper: None):
        """A client comes, offers the ticket if there is one, and both sides say what became of it."""
        helper = self.client()
        prepare(helper)
        if ticket:
            helper.set_ticket(ticket)
        exchange(helper, b"hello")
        close(helper)
        assert self.has_ended.acquire(timeout=30) and not self.failed, self.failed
        assert helper.get_resumption() == resumption, helper.explain()
        assert self.served[-1].props.resumption == resumption == self.served[-1].get_resumption()
        return helper


def our_server(version, keys=None, **arguments):
    """The certificates are those of the other test server, which has them made when it starts."""
    return OurServer(os.path.dirname(certificates.ca), version, keys, **arguments)


@story_for_each_version
def second_connection_is_resumed_on_both_sides(version):
    with our_server(version, GTlsSession.TicketKeys.new()) as server:
        first = server.meet()
        assert server.meet(first.get_ticket(), Resumption.RESUMED).get_connection().get_session_reused()


@story_for_each_version
def without_keys_there_are_no_tickets(version):
    with our_server(version) as server:
        assert server.meet().get_ticket() is None
        assert server.served[0].get_ticket_keys() is None


@story_for_each_version
def rotated_keys_take_old_tickets(version):
    keys = GTlsSession.TicketKeys.new()
    with our_server(version, keys) as server:
        ticket = server.meet().get_ticket()
        assert keys.get_n_keys() == 1
        assert keys.rotate()
        assert keys.get_n_keys() == 2
        server.meet(ticket, Resumption.RESUMED)
        assert server.served[-1].get_ticket_keys() == keys


@story_for_each_version
def restarted_server_takes_its_tickets_only_with_its_keys(version):
    keys = GTlsSession.TicketKeys.new()
    keys.props.lifetime = DAY
    with our_server(version, keys) as server:
        ticket = server.meet().get_ticket()
    data = keys.to_bytes().get_data()
    imported = GTlsSession.TicketKeys.new_from_bytes(GLib.Bytes.new(data))
    assert imported.props.lifetime == DAY and imported.to_bytes().get_data() == data
    with our_server(version, imported) as server:
        server.meet(ticket, Resumption.RESUMED)
    with our_server(version, GTlsSession.TicketKeys.new()) as server:
        server.meet(ticket, Resumption.REFUSED)


@story
def damaged_keys_are_bad_data():
    data = bytearray(GTlsSession.TicketKeys.new().to_bytes().get_data())
    data[20] ^= 1
    for bad in (bytes(data), bytes(data[:-1]), b""):
        raises(SESSION_ERROR, GTlsSession.Error.BAD_DATA, GTlsSession.TicketKeys.new_from_bytes, GLib.Bytes.new(bad))


@story_for_each_version
def client_is_told_the_lifetime(version):
    keys = GTlsSession.TicketKeys.new()
    changes = []
    keys.connect("notify::lifetime", lambda keys, _: changes.append(keys.get_lifetime()))
    keys.set_lifetime(1234)
    assert changes == [1234]
    with our_server(version, keys) as server:
        assert server.meet().get_ticket().props.lifetime == 1234


@story
def client_gets_as_many_tickets_as_the_server_was_told():
    with our_server(Gio.TlsProtocolVersion.TLS_1_3, GTlsSession.TicketKeys.new()) as server:
        for count in (0, 1, 5):
            server.prepare = lambda connection: connection.set_ticket_count(count)
            assert len(server.meet().list_tickets()) == count
            assert server.served[-1].props.ticket_count == count


@story_for_each_version
def certificate_is_chosen_by_name(version):
    """The server has another one to begin with."""
    names = []

    def choose(connection, _):
        names.append(connection.props.server_name)
        connection.set_certificate(server.load("good.pem"))

    with our_server(version, GTlsSession.TicketKeys.new(), certificate="other-name.pem") as server:
        server.prepare = lambda connection: connection.connect("notify::server-name", choose)
        ticket = server.meet().get_ticket()
        server.meet(ticket, Resumption.RESUMED)
        assert names == ["localhost", "localhost"] and server.served[-1].dup_server_name() == "localhost"


def ask_for_certificate(server, database, answers=()):
    """answers: what accept-certificate says, one time after the other; the faults are put in its place."""
    asked = []

    def on_accept(connection, certificate, faults):
        asked.append(faults)
        return answers[len(asked) - 1]

    def prepare(connection):
        connection.props.authentication_mode = Gio.TlsAuthenticationMode.REQUIRED
        connection.set_database(server.trust(database))
        connection.connect("accept-certificate", on_accept)

    server.prepare = prepare
    return asked


@story_for_each_version
def client_certificate_is_seen_when_resumed_too(version):
    with our_server(version, GTlsSession.TicketKeys.new()) as server:
        asked = ask_for_certificate(server, "ca.pem", answers=[True, True])
        own = server.load("good.pem")

        def bring_it(helper):
            helper.get_connection().set_certificate(own)

        ticket = server.meet(prepare=bring_it).get_ticket()
        server.meet(ticket, Resumption.RESUMED, prepare=bring_it)
        assert all(connection.get_peer_certificate().is_same(own) for connection in server.served)
        assert asked == [Gio.TlsCertificateFlags(0)] * 2


@story_for_each_version
def strange_client_is_asked_about_each_time(version):
    with our_server(version, GTlsSession.TicketKeys.new()) as server:
        asked = ask_for_certificate(server, "ca.pem", answers=[True, True, False])

        def bring_it(helper):
            helper.get_connection().set_certificate(server.load("stranger.pem"))

        ticket = server.meet(prepare=bring_it).get_ticket()
        server.meet(ticket, Resumption.RESUMED, prepare=bring_it)
        helper = server.client()
        bring_it(helper)
        helper.set_ticket(ticket)
        try:
            exchange(helper, b"hello")
        except (GLib.Error, AssertionError):
            pass
        else:
            raise AssertionError("the server let it in")
        assert server.has_ended.acquire(timeout=30)
        assert [error.matches(Gio.tls_error_quark(), Gio.TlsError.BAD_CERTIFICATE) for error in server.failed] == [True]
        assert asked == [Gio.TlsCertificateFlags.UNKNOWN_CA] * 3


with Server() as certificates:
    tell_all()

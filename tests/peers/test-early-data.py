# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our client's early data, with the servers of others: they arrive once, and the server's log has it."""

import sys
import tempfile
from functools import partial

import early_servers
import servers
import tap
from certificates import Certificates
from our_client import GTlsSession, TICKET_MILLISECONDS, Stream, prepare
from tap import check

from gi.repository import GLib

Status = GTlsSession.EarlyDataStatus
PERMITTED = early_servers.PERMITTED


def get_ticket(server, certificates):
    helper = prepare(server, certificates.root)
    ticket = helper.wait_for_ticket(TICKET_MILLISECONDS, None)
    helper.get_connection().close(None)
    return ticket


def shake_hands(connection, meanwhile):
    """Between the first flight and what follows, something else may be waited for."""
    results = []
    connection.handshake_async(GLib.PRIORITY_DEFAULT, None, lambda _, result: results.append(result))
    meanwhile()
    while not results:
        GLib.MainContext.default().iteration(True)
    connection.handshake_finish(results[0])


def send_early(server, certificates, ticket, text, expected):
    """The text arrives once, and the helper's status is the expected one."""
    helper = prepare(server, certificates.root)
    connection = helper.get_connection()
    helper.set_ticket(ticket)
    helper.set_early_data(GLib.Bytes.new(server.request(text)))
    try:
        shake_hands(connection, lambda: server.wait_for_early(text) if expected == Status.ACCEPTED else None)
        check(helper.props.early_data_status == expected,
              f"{helper.props.early_data_status.value_nick}: {helper.explain()}")
        server.confirm(Stream(connection), text)
    finally:
        connection.close(None)
    arrivals = server.count_arrivals(text)
    check(arrivals == 1, f"{text} arrived {arrivals} times\n{server.program.told()}")
    early = server.was_taken_early(text)
    check(early == (expected == Status.ACCEPTED), f"taken early: {early}\n{server.program.told()}")


def are_accepted(certificates, kind):
    with servers.running(kind, certificates, "1.3") as server:
        ticket = get_ticket(server, certificates)
        check(ticket.props.max_early_data == PERMITTED, f"the ticket permits {ticket.props.max_early_data}")
        send_early(server, certificates, ticket, "earlybird", Status.ACCEPTED)


def are_sent_again_after_a_restart(certificates, kind):
    with servers.running(kind, certificates, "1.3") as server:
        ticket = get_ticket(server, certificates)
    with servers.running(kind, certificates, "1.3") as server:
        send_early(server, certificates, ticket, "earlybird", Status.RESENT)


def are_sent_again_to_who_takes_none_any_more(certificates, kind):
    with servers.running(kind, certificates, "1.3") as server:
        ticket = get_ticket(server, certificates)
    with servers.running(kind, certificates, "1.3", permits=False) as server:
        send_early(server, certificates, ticket, "earlybird", Status.RESENT)


def wait_without_permission(certificates, kind):
    with servers.running(kind, certificates, "1.3", permits=False) as server:
        ticket = get_ticket(server, certificates)
        check(ticket.props.max_early_data == 0, f"the ticket permits {ticket.props.max_early_data}")
        send_early(server, certificates, ticket, "earlybird", Status.DEFERRED)


def are_sent_again_after_a_second_hello(certificates):
    """The server wants another key share (HelloRetryRequest), and refuses early data in that case."""
    with servers.running(early_servers.EarlyOpenssl, certificates, "1.3", group="P-384") as server:
        ticket = get_ticket(server, certificates)
        send_early(server, certificates, ticket, "earlybird", Status.RESENT)


def used_ticket_is_sent_again(certificates):
    """The server guards against replays: each ticket is good for one handshake."""
    with servers.running(early_servers.EarlyOpenssl, certificates, "1.3") as server:
        ticket = get_ticket(server, certificates)
        send_early(server, certificates, ticket, "earlybird", Status.ACCEPTED)
        send_early(server, certificates, ticket, "secondbird", Status.RESENT)


def stories(certificates):
    for name, kind in early_servers.KINDS.items():
        told = [are_sent_again_after_a_restart, are_sent_again_to_who_takes_none_any_more, wait_without_permission]
        if kind.tells_early:
            told.insert(0, are_accepted)
        for story in told:
            yield f"{name}/{story.__name__}", partial(story, certificates, kind)
    for story in (are_sent_again_after_a_second_hello, used_ticket_is_sent_again):
        yield f"openssl/{story.__name__}", partial(story, certificates)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-peers-") as directory:
        return tap.tell_all(list(stories(Certificates(directory))))


if __name__ == "__main__":
    sys.exit(main())

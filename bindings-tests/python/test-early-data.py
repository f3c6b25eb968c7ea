# SPDX-License-Identifier: LGPL-2.1-or-later
"""Early data arrive once, in Python; the server is ours, in a process of its own."""

from support import SESSION_ERROR, Server, close, raises, story, tell_all, write
from gi.repository import GLib, GTlsSession

Status = GTlsSession.EarlyDataStatus
EARLY = GLib.Bytes.new(b"earlybird-")


def prepare(server, ticket):
    helper = server.prepare()
    statuses = []
    helper.connect("notify::early-data-status", lambda helper, _: statuses.append(helper.props.early_data_status))
    helper.set_ticket(ticket)
    assert helper.set_early_data(EARLY) and helper.get_early_data().get_data() == b"earlybird-"
    return helper, statuses


@story
def early_data_arrive_once():
    with Server() as server:
        source = server.connect_with_ticket()
        ticket = source.get_ticket()
        assert ticket.props.max_early_data == 16384
        close(source)

        helper, statuses = prepare(server, ticket)
        write(helper, b"rest")
        assert statuses == [Status.PENDING, Status.ACCEPTED], statuses
        assert "early data were accepted" in helper.explain()
        assert helper.get_early_data() is None
        error = raises(SESSION_ERROR, GTlsSession.Error.TOO_LATE, helper.set_early_data, EARLY)
        assert "has begun" in error.message
        close(helper)
        assert server.record(1) == {"resumption": "resumed", "early-data": "earlybird-", "stream": "rest"}


@story
def refused_early_data_arrive_once():
    with Server() as server:
        source = server.connect_with_ticket()
        close(source)
        assert server.ask("max-early-data 0") == "ok"

        helper, statuses = prepare(server, source.get_ticket())
        write(helper, b"rest")
        assert statuses == [Status.PENDING, Status.RESENT], statuses
        close(helper)
        assert server.record(1) == {"resumption": "full", "early-data": "", "stream": "earlybird-rest"}


tell_all()

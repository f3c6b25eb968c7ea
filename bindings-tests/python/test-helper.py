# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ticket arrives, travels and is taken, or is not, in Python."""

import gc
import threading
import time

from support import (IO_ERROR, SESSION_ERROR, Server, close, exchange, raises, read, run_until, story,
                     story_for_each_kind, tell_all, write)
from gi.repository import Gio, GLib, GTlsSession

Resumption = GTlsSession.Resumption
Error = GTlsSession.Error
GREETING_SIZE = 40000


def greeting(size):
    return bytes(ord("a") + position % 23 for position in range(size))


# Tickets arrive


@story
def several_tickets_arrive_by_the_signal():
    with Server("--tls1.3", "--tickets=3") as server:
        helper = server.prepare()
        tickets = []
        helper.connect("ticket-available", lambda _, ticket: tickets.append(ticket))
        exchange(helper, b"hello")
        assert len(tickets) == 3 and all(ticket.is_usable() for ticket in tickets)
        assert len({ticket.get_id() for ticket in tickets}) == 3
        assert list(helper.list_tickets()) == tickets
        close(helper)


@story_for_each_kind
def late_helper_has_the_tickets(options):
    with Server(*options) as server:
        early = server.connect_with_ticket()
        late = GTlsSession.Helper.new(early.get_connection())
        assert late.get_ticket() == early.get_ticket() and len(late.list_tickets()) >= 1
        second = server.resume(late)
        assert second.get_resumption() == Resumption.RESUMED
        close(second)
        close(early)


@story
def ticket_tells_about_itself():
    with Server("--tls1.3", "--lifetime=1234", "--alpn=example/1") as server:
        helper = server.prepare()
        helper.get_connection().set_advertised_protocols(["other", "example/1"])
        ticket = helper.wait_for_ticket(10000, None)
        assert ticket.get_protocol_version() == Gio.TlsProtocolVersion.TLS_1_3
        assert ticket.props.ciphersuite_name.startswith("TLS_")
        assert ticket.props.server_name == "localhost"
        assert ticket.props.application_protocol == "example/1"
        assert ticket.props.lifetime == 1234 and ticket.props.single_use and ticket.props.max_early_data == 0
        assert ticket.props.expires.to_unix() - ticket.props.received.to_unix() == 1234
        assert abs(ticket.props.received.to_unix() - time.time()) < 5
        close(helper)


# Tickets are taken, or not


@story_for_each_kind
def resumes_after_ticket(options):
    with Server(*options) as server:
        first = server.connect_with_ticket()
        second = server.prepare()
        changes = []
        second.connect("notify::resumption", lambda helper, _: changes.append(helper.get_resumption()))
        assert first.get_resumption() == Resumption.NONE
        second.copy_session_state(first)
        second.get_connection().handshake(None)
        assert changes == [Resumption.OFFERED, Resumption.RESUMED]
        assert second.props.resumption == Resumption.RESUMED
        assert second.get_connection().get_session_reused()
        assert "was resumed" in second.explain()
        exchange(second, b"hello")
        close(second)
        close(first)


@story_for_each_kind
def refusal_is_told(options):
    with Server(*options) as server:
        first = server.connect_with_ticket()
        server.ask("lose-keys")
        second = server.resume(first)
        assert second.get_resumption() == Resumption.REFUSED
        assert not second.get_connection().get_session_reused()
        assert "localhost refused the session ticket" in second.explain()
        exchange(second, b"hello")
        close(second)
        close(first)


@story_for_each_kind
def ticket_travels_as_bytes(options):
    with Server(*options) as server:
        first = server.connect_with_ticket()
        data = first.get_ticket().to_bytes().get_data()
        close(first)
        ticket = GTlsSession.Ticket.new_from_bytes(GLib.Bytes.new(data))
        second = server.prepare()
        second.set_ticket(ticket)
        second.get_connection().handshake(None)
        assert second.get_resumption() == Resumption.RESUMED
        close(second)


@story
def damaged_bytes_are_bad_data():
    with Server("--tls1.3") as server:
        helper = server.connect_with_ticket()
        data = helper.get_ticket().to_bytes().get_data()
        close(helper)
    for size in range(0, len(data), 7):
        raises(SESSION_ERROR, Error.BAD_DATA, GTlsSession.Ticket.new_from_bytes, GLib.Bytes.new(data[:size]))
    for position in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[position] ^= 0x20
        raises(SESSION_ERROR, Error.BAD_DATA, GTlsSession.Ticket.new_from_bytes, GLib.Bytes.new(bytes(damaged)))


# Waiting


@story
def wait_sync_keeps_application_data():
    with Server("--behaviour=greet-then-ticket", f"--greeting-size={GREETING_SIZE}") as server:
        helper = server.connect_with_ticket()
        assert read(helper, GREETING_SIZE) == greeting(GREETING_SIZE)
        close(helper)


@story
def wait_async_keeps_application_data():
    with Server("--behaviour=greet-then-ticket", f"--greeting-size={GREETING_SIZE}") as server:
        helper = server.prepare()
        results = []
        helper.wait_for_ticket_async(10000, None, lambda source, result: results.append((source, result)))
        run_until(lambda: results)
        assert helper.wait_for_ticket_finish(results[0][1]).is_usable()
        assert read(helper, GREETING_SIZE) == greeting(GREETING_SIZE)
        close(helper)


@story
def wait_times_out():
    with Server("--tls1.3", "--no-tickets") as server:
        helper = server.connect()
        raises(IO_ERROR, Gio.IOErrorEnum.TIMED_OUT, helper.wait_for_ticket, 50, None)
        results = []
        helper.wait_for_ticket_async(50, None, lambda _, result: results.append(result))
        run_until(lambda: results)
        raises(IO_ERROR, Gio.IOErrorEnum.TIMED_OUT, helper.wait_for_ticket_finish, results[0])
        exchange(helper, b"still in order")
        close(helper)


@story
def wait_can_be_cancelled():
    with Server("--tls1.3", "--no-tickets") as server:
        helper = server.connect()
        cancellable = Gio.Cancellable()
        threading.Timer(0.05, cancellable.cancel).start()
        raises(IO_ERROR, Gio.IOErrorEnum.CANCELLED, helper.wait_for_ticket, -1, cancellable)
        results = []
        cancellable = Gio.Cancellable()
        helper.wait_for_ticket_async(-1, cancellable, lambda _, result: results.append(result))
        GLib.timeout_add(50, cancellable.cancel)
        run_until(lambda: results)
        raises(IO_ERROR, Gio.IOErrorEnum.CANCELLED, helper.wait_for_ticket_finish, results[0])
        exchange(helper, b"still in order")
        close(helper)


# What cannot be done is told


@story
def no_ticket_is_told():
    for options in (["--tls1.3", "--no-tickets"], ["--tls1.2", "--no-tickets"]):
        with Server(*options) as server:
            source = server.connect()
            exchange(source, b"hello")
            raises(SESSION_ERROR, Error.NO_TICKET, server.prepare().copy_session_state, source)
            close(source)


@story
def expired_is_told():
    with Server("--tls1.3", "--lifetime=1") as server:
        source = server.connect_with_ticket()
        while source.get_ticket() is not None:
            time.sleep(0.05)
        raises(SESSION_ERROR, Error.EXPIRED, server.prepare().copy_session_state, source)
        close(source)


@story
def source_not_ready_is_told():
    with Server("--tls1.3") as server:
        raises(SESSION_ERROR, Error.SOURCE_NOT_READY, server.prepare().copy_session_state, server.prepare())


@story
def too_late_is_told():
    with Server("--tls1.3") as server:
        source = server.connect_with_ticket()
        helper = server.connect()
        raises(SESSION_ERROR, Error.TOO_LATE, helper.copy_session_state, source)
        raises(SESSION_ERROR, Error.TOO_LATE, helper.set_ticket, source.get_ticket())
        close(helper)
        close(source)


@story
def identity_mismatch_is_told():
    with Server("--tls1.3") as server:
        source = server.connect_with_ticket()
        raises(SESSION_ERROR, Error.IDENTITY_MISMATCH, server.prepare("other.test").copy_session_state, source)
        close(source)


@story
def bounds_are_told_as_unsupported():
    with Server("--tls1.3") as server:
        source = server.connect_with_ticket()
        helper = server.prepare()
        helper.get_connection().props.maximum_protocol_version = Gio.TlsProtocolVersion.TLS_1_2
        raises(SESSION_ERROR, Error.UNSUPPORTED, helper.copy_session_state, source)
        close(source)


# Signals and objects


@story
def signals_come_in_the_main_thread():
    with Server("--tls1.3") as server:
        helper = server.prepare()
        places = []
        helper.connect("ticket-available", lambda *_: places.append(threading.get_ident()))
        helper.get_connection().connect("notify", lambda *_: places.append(threading.get_ident()))
        thread = threading.Thread(target=exchange, args=(helper, b"hello"))
        thread.start()
        thread.join()
        assert places == []
        run_until(lambda: len(places) >= 6)
        assert set(places) == {threading.get_ident()}
        close(helper)


@story
def handshake_async_and_close_async():
    with Server("--tls1.3") as server:
        helper = server.prepare()
        connection = helper.get_connection()
        done = []
        connection.handshake_async(GLib.PRIORITY_DEFAULT, None,
                                   lambda source, result: done.append(source.handshake_finish(result)))
        run_until(lambda: done)
        exchange(helper, b"hello")
        connection.close_async(GLib.PRIORITY_DEFAULT, None,
                               lambda source, result: done.append(source.close_finish(result)))
        run_until(lambda: len(done) == 2)
        assert done == [True, True]


@story
def objects_go_in_any_order():
    with Server("--tls1.3") as server:
        for keep in range(4):
            gone = []
            helper = server.prepare()
            helper.connect("ticket-available", lambda *_: None)
            connection = helper.get_connection()
            connection.weak_ref(lambda: gone.append("connection"))
            helper.weak_ref(lambda: gone.append("helper"))
            exchange(helper, b"hello")
            ticket = helper.get_ticket()
            ticket.weak_ref(lambda: gone.append("ticket"))
            stream = connection.get_input_stream()
            close(helper)
            objects = [helper, connection, ticket, stream]
            last = objects[keep]
            del helper, connection, ticket, stream, objects
            gc.collect()
            assert not isinstance(last, GTlsSession.Helper) or "connection" not in gone
            del last
            gc.collect()
            assert sorted(gone) == ["connection", "helper", "ticket"], gone


@story
def dropped_in_the_midst_of_an_async_call():
    with Server("--tls1.3", "--no-tickets") as server:
        results = []
        helper = server.prepare()
        helper.wait_for_ticket_async(100, None, lambda source, result: results.append((source, result)))
        del helper
        gc.collect()
        run_until(lambda: results)
        raises(IO_ERROR, Gio.IOErrorEnum.TIMED_OUT, results[0][0].wait_for_ticket_finish, results[0][1])


# Closing


@story
def close_after_upload_loses_nothing():
    upload = bytes(range(256)) * 4096
    with Server("--tls1.3", "--behaviour=sink", "--read-delay=100") as server:
        for _ in range(20):
            helper = server.prepare()
            write(helper, upload)
            close(helper)
        closed = []
        for _ in range(20):
            helper = server.prepare()

            def on_written(stream, result, helper):
                assert stream.write_all_finish(result)[0]
                helper.get_connection().close_async(
                    GLib.PRIORITY_DEFAULT, None, lambda source, result: closed.append(source.close_finish(result)))

            helper.get_connection().get_output_stream().write_all_async(upload, GLib.PRIORITY_DEFAULT, None,
                                                                        on_written, helper)
        run_until(lambda: len(closed) == 20, 60)
        assert server.ask("wait 40") == "ok"
        for index in range(40):
            record = server.record(index)
            assert record["received"] == str(len(upload)) and record["end"] == "close-notify", record


if __name__ == "__main__":
    tell_all()

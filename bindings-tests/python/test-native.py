# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the override adds: with, iteration, bytes, datetime, errors with a reason, await."""

import asyncio
import datetime
import os
import sys
import tempfile
import threading

from support import IO_ERROR, Server, exchange, run_until, story, tell_all, write
from gi.repository import Gio, GLib, GObject, GTlsSession

Resumption = GTlsSession.Resumption
Error = GTlsSession.Error
PRIORITY = GLib.PRIORITY_DEFAULT


def is_closed(helper):
    return helper.get_connection().is_closed()


def raised(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


# with


@story
def leaving_closes_helper_and_connection():
    with Server("--tls1.3") as server:
        with server.connect() as helper:
            exchange(helper, b"hello")
        assert is_closed(helper)
        with server.prepare().get_connection() as connection:
            connection.handshake(None)
        assert connection.is_closed()


@story
def error_of_the_body_is_the_one_that_is_told():
    with Server("--tls1.3", "--behaviour=silent") as server:
        helper = server.connect()
        helper.connection.close_timeout = 50

        def leave_with_an_error():
            with helper:
                write(helper, b"hello")
                raise ZeroDivisionError

        raised(ZeroDivisionError, leave_with_an_error)
        assert is_closed(helper)


@story
def close_that_fails_is_told():
    with Server("--tls1.3", "--behaviour=silent") as server:
        helper = server.connect()
        helper.connection.close_timeout = 50

        def leave():
            with helper:
                write(helper, b"hello")

        assert raised(GLib.Error, leave).matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)


# Iteration, attributes, times


@story
def tickets_are_iterated_over():
    with Server("--tls1.3", "--tickets=3") as server, server.prepare() as helper:
        exchange(helper, b"hello")
        assert [ticket.id for ticket in helper] == [ticket.get_id() for ticket in helper.list_tickets()]
        assert len(helper.tickets) == 3 and helper.ticket in helper
        helper.get_connection().close(None)


@story
def properties_are_attributes():
    with Server("--tls1.3", "--lifetime=1234") as server, server.connect_with_ticket() as helper:
        assert helper.connection == helper.get_connection() and helper.resumption == Resumption.NONE
        assert helper.ticket.lifetime == 1234 and helper.ticket.server_name == "localhost"
        helper.connection.close_timeout = 4321
        assert helper.connection.get_close_timeout() == 4321
        raised(AttributeError, setattr, helper.ticket, "lifetime", 5)


@story
def times_are_aware_datetimes():
    with Server("--tls1.3", "--lifetime=1234") as server, server.connect_with_ticket() as helper:
        ticket = helper.ticket
        assert ticket.received.tzinfo is datetime.timezone.utc
        assert ticket.expires - ticket.received == datetime.timedelta(seconds=1234)
        assert abs(datetime.datetime.now(datetime.timezone.utc) - ticket.received) < datetime.timedelta(minutes=5)
        assert ticket.received.timestamp() // 1 == ticket.props.received.to_unix()


# bytes


@story
def tickets_travel_as_bytes():
    with Server("--tls1.3") as server, server.connect_with_ticket() as helper:
        data = helper.ticket.to_bytes()
        assert isinstance(data, bytes) and data == data.get_data() and len(data) == data.get_size()
        for form in (data, bytearray(data), memoryview(data), bytes(data), GLib.Bytes.new(data)):
            assert GTlsSession.Ticket.new_from_bytes(form).id == helper.ticket.id


@story
def keys_travel_as_bytes():
    keys = GTlsSession.TicketKeys.new()
    data = keys.to_bytes()
    assert isinstance(data, bytes) and GTlsSession.TicketKeys.new_from_bytes(data).to_bytes() == data


@story
def stores_keep_bytes():
    store = GTlsSession.MemoryStore.new()
    assert store.save_bytes("keys", b"secret") and store.load_bytes("keys") == b"secret"
    assert store.save_bytes(name="keys", bytes=b"") and store.load_bytes("keys") == b""
    assert store.load_bytes("others") is None


@story
def names_of_files_may_be_bytes():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "sessions.db")
        assert GTlsSession.FileStore.new(os.fsencode(path)).path == path
        path = os.path.join(directory, "with-key.db")
        assert GTlsSession.FileStore.new_with_key(os.fsencode(path), bytes(32)).path == path


# Errors


@story
def errors_have_a_reason():
    error = raised(GTlsSession.SessionError, GTlsSession.Ticket.new_from_bytes, b"no ticket")
    assert isinstance(error, GLib.Error) and error.reason == Error.BAD_DATA
    assert error.matches(Error.quark(), Error.BAD_DATA) and error.code == Error.BAD_DATA
    assert str(error) == error.message and "not a session ticket" in str(error)
    assert error.copy().reason == Error.BAD_DATA
    with Server("--tls1.3") as server:
        error = raised(GTlsSession.SessionError, server.prepare().copy_session_state, server.prepare())
        assert error.reason == Error.SOURCE_NOT_READY


@story
def other_errors_stay_what_they_are():
    with Server("--tls1.3", "--no-tickets") as server, server.connect() as helper:
        error = raised(GLib.Error, helper.wait_for_ticket, 50, None)
        assert type(error) is GLib.Error and error.domain == IO_ERROR and error.code == Gio.IOErrorEnum.TIMED_OUT


@story
def store_in_python_tells_its_failure_with_a_reason():
    class BrokenStore(GObject.Object, GTlsSession.Store):
        def do_take(self, key):
            raise GTlsSession.SessionError("the shelf fell down", Error.STORE)

    error = raised(GTlsSession.SessionError, GTlsSession.Store.take, BrokenStore(), "key")
    assert error.reason == Error.STORE and str(error) == "the shelf fell down"


@story
def store_in_python_tells_any_exception():
    class CarelessStore(GObject.Object, GTlsSession.Store):
        def do_put(self, key, ticket):
            return {}[key]

        def do_take(self, key):
            raise OSError("the shelf fell down")

    printed = []
    before, sys.excepthook = sys.excepthook, lambda kind, error, traceback: printed.append(kind)
    try:
        error = raised(GTlsSession.SessionError, GTlsSession.Store.take, CarelessStore(), "key")
        with Server("--tls1.3") as server, server.prepare() as helper:
            helper.connection.session_store = CarelessStore()
            helper.connection.session_resumption_enabled = True
            exchange(helper, b"hello")
            explanation = helper.explain()
    finally:
        sys.excepthook = before
    assert error.reason == Error.STORE and str(error) == "OSError: the shelf fell down"
    assert "the session store failed (OSError: the shelf fell down)" in explanation, explanation
    assert "failed to keep a ticket (KeyError" in explanation, explanation
    assert printed[:2] == [OSError, OSError] and set(printed[2:]) == {KeyError}, printed


@story
def store_in_python_gives_bytes():
    class BytesStore(GObject.Object, GTlsSession.Store):
        kept = None

        def do_save_bytes(self, name, data):
            self.kept = data.get_data()
            return True

        def do_load_bytes(self, name):
            return self.kept

    store = BytesStore()
    keys, others = GTlsSession.TicketKeys.new(), GTlsSession.TicketKeys.new()
    assert keys.share(store, "keys") and others.share(store, "keys")
    assert keys.to_bytes() == others.to_bytes()


# await


def awaiting(function):
    """A story told by a coroutine."""

    def tell():
        assert GTlsSession.run(function()) is None

    tell.__name__ = function.__name__
    return story(tell)


@awaiting
async def ticket_is_awaited():
    with Server("--tls1.3") as server:
        async with server.prepare() as helper:
            assert await helper.connection.handshake_async(PRIORITY)
            ticket = await helper.wait_for_ticket_async(10000)
            assert ticket.is_usable()
        assert is_closed(helper)
        async with server.prepare() as second:
            second.set_ticket(ticket)
            await second.connection.handshake_async(PRIORITY, None)
            assert second.resumption == Resumption.RESUMED


@awaiting
async def streams_are_awaited():
    with Server("--tls1.3") as server:
        async with server.prepare() as helper:
            await GTlsSession.call_async(helper.connection.get_output_stream().write_all_async, b"hello", PRIORITY)
            reading = GTlsSession.call_async(helper.connection.get_input_stream().read_bytes_async, 5, PRIORITY, None)
            assert (await reading).get_data() == b"hello"


# PyGObject keeps no bytes for a call that goes on, and nobody else holds these.
@awaiting
async def bytes_live_until_they_are_written():
    with Server("--tls1.3", "--behaviour=sink", "--read-delay=100") as server:
        async with server.prepare() as helper:
            output = helper.connection.get_output_stream()
            await GTlsSession.call_async(output.write_all_async, bytes(range(256)) * 16384, PRIORITY)
        assert server.ask("wait 1") == "ok"
        assert server.record(0)["received"] == str(256 * 16384)


@awaiting
async def failure_is_raised_where_it_is_awaited():
    with Server("--tls1.3", "--no-tickets") as server:
        async with server.prepare() as helper:
            await helper.connection.handshake_async(PRIORITY)
            try:
                await helper.wait_for_ticket_async(50)
            except GLib.Error as error:
                assert error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)
            else:
                raise AssertionError("no error was raised")
            try:
                await GTlsSession.Helper.connect_to_host_async("127.0.0.1", 1)
            except GLib.Error as error:
                assert error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CONNECTION_REFUSED)
            else:
                raise AssertionError("no error was raised")


@awaiting
async def wrong_arguments_are_named():
    with Server("--tls1.3") as server:
        helper = server.prepare()
        assert "without timeout_ms" in str(raised(TypeError, helper.wait_for_ticket_async))
        assert "no argument patience" in str(raised(TypeError, lambda: helper.wait_for_ticket_async(5, patience=5)))


@awaiting
async def cancelled_task_cancels_the_call():
    with Server("--tls1.3", "--no-tickets") as server:
        async with server.prepare() as helper:
            await helper.connection.handshake_async(PRIORITY)
            cancellable = Gio.Cancellable()
            try:
                await asyncio.wait_for(helper.wait_for_ticket_async(-1, cancellable), 0.05)
            except asyncio.TimeoutError:
                pass
            assert cancellable.is_cancelled()
            exchange(helper, b"still in order")


@awaiting
async def connections_are_awaited_side_by_side():
    with Server("--tls1.3") as server:
        helpers = [server.prepare() for _ in range(8)]
        tickets = await asyncio.gather(*(helper.wait_for_ticket_async(10000) for helper in helpers))
        assert len({ticket.id for ticket in tickets}) == 8
        await asyncio.gather(*(helper.connection.close_async(PRIORITY) for helper in helpers))


@awaiting
async def asyncio_and_glib_share_the_loop():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    # asyncio's own sockets and threads, while GLib has nothing to do
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    writer.write(b"hello\n")
    assert await reader.readline() == b"HELLO\n"
    writer.close()
    server.close()
    assert await asyncio.get_running_loop().run_in_executor(None, lambda: 5) == 5

    # GLib's timeouts, and asyncio's timers
    ticks = []
    source = GLib.timeout_add(1, lambda: ticks.append(threading.current_thread()) or GLib.SOURCE_CONTINUE)
    while not ticks:
        await asyncio.sleep(0.001)
    GLib.source_remove(source)
    assert set(ticks) == {threading.current_thread()}


@story
def loop_that_could_never_answer_is_refused():
    async def wait():
        with Server("--tls1.3") as server:
            await server.prepare().wait_for_ticket_async(10000)

    assert "GTlsSession.run()" in str(raised(RuntimeError, asyncio.run, wait()))


@story
def run_gives_the_value_and_ends_what_is_left():
    ended = []

    async def linger():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def begin():
        asyncio.ensure_future(linger())
        await asyncio.sleep(0)
        return 7

    assert GTlsSession.run(begin()) == 7 and ended == [True]


@story
def with_a_callback_a_call_is_what_it_was():
    with Server("--tls1.3") as server, server.prepare() as helper:
        results = []
        assert helper.wait_for_ticket_async(10000, None, lambda source, result, data: results.append((result, data)),
                                            "data") is None
        run_until(lambda: results)
        assert helper.wait_for_ticket_finish(results[0][0]) in helper and results[0][1] == "data"


tell_all()

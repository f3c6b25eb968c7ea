# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes GTlsSession feel native in Python. Without this file everything is there too, as plain introspection.

NOTES: Nothing of PyGObject's is taken away: what could be called without this file can be called with it, and gives what
it gave, or a subclass of it (Bytes, SessionError). The classes are those of the introspection, to which names are added;
so isinstance() and a program's own subclasses know of no difference. doc/python.md has the manual's page.
"""

import datetime
import functools
import sys

from gi.module import get_introspection_module
from gi.overrides import _gtls_session_aio as aio
from gi.repository import Gio, GLib, GObject

GTlsSession = get_introspection_module("GTlsSession")
Error = GTlsSession.Error

__all__ = ["Bytes", "SessionError", "call_async", "run"]

ERROR_DOMAIN = GLib.quark_to_string(Error.quark())

run = aio.run
call_async = aio.call_async


class Bytes(bytes):
    """bytes, with what GLib.Bytes can do."""

    def get_data(self):
        return bytes(self)

    def get_size(self):
        return len(self)


class SessionError(GLib.Error):
    """A failure that this library has words for; reason says which it is, as GTlsSession.Error."""

    def __init__(self, message, reason=Error.STORE):
        super().__init__(message, ERROR_DOMAIN, int(reason))

    @property
    def reason(self):
        return Error(self.code)

    def __str__(self):
        return self.message

    def __repr__(self):
        return f"GTlsSession.SessionError({self.message!r}, GTlsSession.Error.{self.reason.value_nick})"

    def copy(self):
        return SessionError(self.message, self.reason)


# Calls: bytes go in and come out, and errors are of the class above


def to_glib(value):
    return GLib.Bytes.new(bytes(value)) if isinstance(value, (bytes, bytearray, memoryview)) else value


def from_glib(value):
    return Bytes(value.get_data() or b"") if isinstance(value, GLib.Bytes) else value


def is_bytes(type_info):
    interface = type_info.get_interface()
    return interface is not None and interface.get_name() == "Bytes"


def takes_bytes(argument):
    """Not every argument that may be bytes: a file's name may be, too."""
    return is_bytes(argument.get_type_info() if hasattr(argument, "get_type_info") else argument.get_type())


def call_natively(function, are_bytes, receiver, arguments, keywords):
    """are_bytes: which arguments are, by their names; receiver: what stands before the arguments, self or a class"""
    too_many = [False] * len(arguments)  # for PyGObject to complain of
    arguments = [to_glib(argument) if converts else argument
                 for argument, converts in zip(arguments, [*are_bytes.values(), *too_many])]
    keywords = {name: to_glib(argument) if are_bytes.get(name) else argument for name, argument in keywords.items()}
    try:
        return from_glib(function(*receiver, *arguments, **keywords))
    except GLib.Error as error:
        if error.domain != ERROR_DOMAIN or isinstance(error, SessionError):
            raise
        raise SessionError(error.message, Error(error.code)) from None


def wrap_call(cls, name, info):
    are_bytes = {argument.get_name(): takes_bytes(argument) for argument in info.get_arguments()}
    if info.is_method():

        def call(self, *arguments, **keywords):
            return call_natively(info, are_bytes, (self,), arguments, keywords)

        place = call
    elif info.is_constructor():

        def call(cls, *arguments, **keywords):
            return call_natively(info, are_bytes, (cls,), arguments, keywords)

        place = classmethod(call)
    else:

        def call(*arguments, **keywords):
            return call_natively(info, are_bytes, (), arguments, keywords)

        place = staticmethod(call)
    call.__name__, call.__qualname__, call.__doc__ = name, f"{cls.__name__}.{name}", info.__doc__
    setattr(cls, name, place)


# Properties: plain attributes, and times are datetimes


def to_datetime(value):
    """GLib's DateTime, which is to the microsecond as well."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return epoch + datetime.timedelta(seconds=value.to_unix(), microseconds=value.get_microsecond())


def add_property(cls, spec):
    name = spec.name.replace("-", "_")

    def get(self):
        value = self.get_property(spec.name)
        return to_datetime(value) if isinstance(value, GLib.DateTime) else from_glib(value)

    def set_(self, value):
        self.set_property(spec.name, value)

    may_set = spec.flags & GObject.ParamFlags.WRITABLE and not spec.flags & GObject.ParamFlags.CONSTRUCT_ONLY
    setattr(cls, name, property(get, set_ if may_set else None, doc=spec.blurb))


def gives_bytes(info):
    return is_bytes(info.get_return_type())


def make_native(cls):
    for name, info in list(vars(cls).items()):
        # What takes bytes can fail, so it is among those.
        if callable(info) and hasattr(info, "can_throw_gerror") and (info.can_throw_gerror() or gives_bytes(info)):
            wrap_call(cls, name, info)
    if issubclass(cls, GObject.Object):
        for spec in GObject.list_properties(cls):
            if spec.owner_type == cls.__gtype__ and spec.flags & GObject.ParamFlags.READABLE:
                add_property(cls, spec)


# Stores written in Python: what they raise is told, whatever it is, and what they give may be bytes


STORE_CALLS = ("do_put", "do_take", "do_remove", "do_clear", "do_save_bytes", "do_load_bytes")


def wrap_store_call(function):
    """PyGObject hands on nothing but a GLib.Error. It prints any other exception, and the call has given nothing then,
    which looks like a store that has nothing. It is still printed here, for it may well be a slip in the program."""

    @functools.wraps(function)
    def call(self, *arguments):
        try:
            return to_glib(function(self, *arguments))
        except GLib.Error:
            raise
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            raise SessionError(f"{type(error).__name__}: {error}") from error

    return call


def add_store_calls(cls, **keywords):
    super(GTlsSession.Store, cls).__init_subclass__(**keywords)
    for name in STORE_CALLS:
        if callable(vars(cls).get(name)):
            setattr(cls, name, wrap_store_call(vars(cls)[name]))


# with: closing on the way out


def close_on_the_way_out(connection, error):
    """What the body raised goes before what the close raises."""
    try:
        connection.close(None)
    except GLib.Error:
        if error is None:
            raise


async def close_async_on_the_way_out(connection, error):
    try:
        await aio.call_async(connection.close_async, GLib.PRIORITY_DEFAULT)
    except GLib.Error:
        if error is None:
            raise


def add_context(cls, get_connection):
    def enter(self):
        return self

    def leave(self, _kind, error, _traceback):
        close_on_the_way_out(get_connection(self), error)

    async def enter_async(self):
        return self

    async def leave_async(self, _kind, error, _traceback):
        await close_async_on_the_way_out(get_connection(self), error)

    cls.__enter__, cls.__exit__ = enter, leave
    cls.__aenter__, cls.__aexit__ = enter_async, leave_async


# await


def add_await(cls, name, info):
    """info: the asynchronous call, which may be a parent class's."""
    finish_name = info.get_name().removesuffix("_async") + "_finish"
    if info.is_method():

        def call(self, *arguments, **keywords):
            begin = functools.partial(info, self)
            return aio.make_awaitable(info, begin, lambda source, result: getattr(source, finish_name)(result))(
                *arguments, **keywords)

        call.__name__, call.__qualname__ = name, f"{cls.__name__}.{name}"
        setattr(cls, name, call)
    else:
        finish = getattr(cls, finish_name)
        setattr(cls, name, staticmethod(aio.make_awaitable(info, info, lambda _, result: finish(result))))


CLASSES = [GTlsSession.Store, GTlsSession.MemoryStore, GTlsSession.FileStore, GTlsSession.RedisStore,
           GTlsSession.StoreEntry, GTlsSession.Ticket, GTlsSession.TicketKeys, GTlsSession.Certificate,
           GTlsSession.Database, GTlsSession.FileDatabase, GTlsSession.Connection, GTlsSession.ClientConnection,
           GTlsSession.ServerConnection, GTlsSession.Helper, GTlsSession.Backend]

for _class in CLASSES:
    make_native(_class)

GTlsSession.Store.__init_subclass__ = classmethod(add_store_calls)

add_await(GTlsSession.Helper, "connect_to_host_async", GTlsSession.Helper.connect_to_host_async)
add_await(GTlsSession.Helper, "wait_for_ticket_async", vars(GTlsSession.Helper)["wait_for_ticket_async"])
add_await(GTlsSession.Connection, "handshake_async", vars(Gio.TlsConnection)["handshake_async"])
add_await(GTlsSession.Connection, "close_async", vars(Gio.IOStream)["close_async"])

add_context(GTlsSession.Connection, lambda connection: connection)
add_context(GTlsSession.Helper, lambda helper: helper.get_connection())

GTlsSession.Helper.ticket = property(lambda helper: helper.get_ticket(), doc="The newest usable ticket, or None.")
GTlsSession.Helper.tickets = property(lambda helper: helper.list_tickets(), doc="The usable tickets.")
GTlsSession.Helper.__iter__ = lambda helper: iter(helper.list_tickets())

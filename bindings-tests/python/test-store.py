# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions that resume by themselves, from stores of the library's and from one written in Python."""

import gc

from support import SESSION_ERROR, Server, close, exchange, raises, story, story_for_each_kind, tell_all
from gi.repository import GLib, GObject, GTlsSession

Resumption = GTlsSession.Resumption
Error = GTlsSession.Error


class DictStore(GObject.Object, GTlsSession.Store):
    """A store as a program would write it."""

    def __init__(self):
        super().__init__()
        self.tickets = {}
        self.failure = None
        self.calls = []

    def begin(self, call):
        self.calls.append(call)
        if self.failure:
            raise GLib.Error(self.failure, SESSION_ERROR, int(Error.STORE))

    def do_put(self, key, ticket):
        self.begin("put")
        self.tickets.setdefault(key, []).append(ticket)
        return True

    def do_take(self, key):
        self.begin("take")
        kept = self.tickets.get(key, [])
        while kept:
            ticket = kept.pop()
            if ticket.is_usable():
                if not ticket.get_single_use():
                    kept.append(ticket)
                return ticket
        return None

    def do_remove(self, key, ticket):
        self.begin("remove")
        kept = self.tickets.get(key, [])
        self.tickets[key] = [other for other in kept if other.get_id() != ticket.get_id()]
        return True

    def do_clear(self):
        self.begin("clear")
        self.tickets.clear()
        return True


def prepare(server, store):
    helper = server.prepare()
    helper.get_connection().set_session_store(store)
    helper.get_connection().set_session_resumption_enabled(True)
    return helper


def visit(server, store):
    helper = prepare(server, store)
    exchange(helper, b"hello")
    close(helper)
    return helper


@story_for_each_kind
def second_connection_resumes_from_memory(options):
    with Server(*options) as server:
        store = GTlsSession.MemoryStore.new()
        assert visit(server, store).get_resumption() == Resumption.NONE
        assert visit(server, store).get_resumption() == Resumption.RESUMED
        assert store.get_n_peers() == 1


@story_for_each_kind
def second_connection_resumes_from_a_python_store(options):
    with Server(*options) as server:
        store = DictStore()
        assert visit(server, store).get_resumption() == Resumption.NONE
        assert visit(server, store).get_resumption() == Resumption.RESUMED
        assert len(store.tickets) == 1 and {"put", "take"} <= set(store.calls)
        assert all(len(key) == 64 for key in store.tickets)


@story
def copied_ticket_leaves_the_python_store():
    with Server("--tls1.3", "--tickets=1") as server:
        store = DictStore()
        first = prepare(server, store)
        exchange(first, b"hello")
        second = prepare(server, store)
        assert second.copy_session_state(first)
        assert "remove" in store.calls and not any(store.tickets.values())
        close(first)


@story
def python_store_that_raises_breaks_nothing():
    with Server("--tls1.3") as server:
        store = DictStore()
        store.failure = "the shelf fell down"
        helper = visit(server, store)
        assert helper.get_resumption() == Resumption.NONE
        assert "the shelf fell down" in helper.explain()


@story
def python_store_is_called_as_any_other():
    store = DictStore()
    with Server("--tls1.3") as server:
        ticket = server.connect_with_ticket().get_ticket()
        assert GTlsSession.Store.put(store, "key", ticket)
        assert GTlsSession.Store.take(store, "key") == ticket
        assert GTlsSession.Store.take(store, "key") is None
        assert GTlsSession.Store.clear(store)
        error = raises(SESSION_ERROR, Error.UNSUPPORTED, GTlsSession.Store.load_bytes, store, "keys")
        assert "load_bytes" in error.message
        store.failure = "no"
        try:
            GTlsSession.Store.take(store, "key")
            raise AssertionError("no error was raised")
        except GLib.Error as raised:
            assert raised.matches(GLib.quark_from_string(SESSION_ERROR), Error.STORE)


@story
def python_store_may_be_collected_first():
    with Server("--tls1.3") as server:
        helper = prepare(server, DictStore())
        gc.collect()
        exchange(helper, b"hello")
        assert helper.get_connection().get_session_store().calls.count("put") == 2
        close(helper)


@story
def memory_store_keeps_bytes():
    store = GTlsSession.MemoryStore.new()
    assert store.load_bytes("keys") is None
    assert store.save_bytes("keys", GLib.Bytes.new(b"secret"))
    assert store.load_bytes("keys").get_data() == b"secret"


tell_all()

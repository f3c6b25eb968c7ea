// SPDX-License-Identifier: LGPL-2.1-or-later

// Sessions that resume by themselves, from stores of the library's and from one written in Vala.

// A store as a program would write it.
class ListStore : Object, GTlsSession.Store {
    public HashTable<string, GenericArray<GTlsSession.Ticket>> tickets =
        new HashTable<string, GenericArray<GTlsSession.Ticket>> (str_hash, str_equal);
    public string? failure = null;
    public int n_puts = 0;
    public int n_removes = 0;

    void begin () throws Error {
        if (failure != null)
            throw new GTlsSession.Error.STORE (failure);
    }

    unowned GenericArray<GTlsSession.Ticket> kept_under (string key) {
        if (!tickets.contains (key))
            tickets[key] = new GenericArray<GTlsSession.Ticket> ();
        return tickets[key];
    }

    public bool put (string key, GTlsSession.Ticket ticket) throws Error {
        n_puts++;
        begin ();
        kept_under (key).add (ticket);
        return true;
    }

    public GTlsSession.Ticket? take (string key) throws Error {
        begin ();
        unowned var kept = kept_under (key);
        if (kept.length == 0)
            return null;
        var ticket = kept[kept.length - 1];
        if (ticket.single_use)
            kept.remove_index (kept.length - 1);
        return ticket;
    }

    public bool remove (string key, GTlsSession.Ticket ticket) throws Error {
        n_removes++;
        begin ();
        unowned var kept = kept_under (key);
        for (int i = kept.length - 1; i >= 0; i--)
            if (kept[i].id == ticket.id)
                kept.remove_index (i);
        return true;
    }

    public bool clear () throws Error {
        begin ();
        tickets.remove_all ();
        return true;
    }

    public bool save_bytes (string name, Bytes bytes) throws Error {
        throw new GTlsSession.Error.UNSUPPORTED ("This store keeps tickets only");
    }

    public Bytes? load_bytes (string name) throws Error {
        throw new GTlsSession.Error.UNSUPPORTED ("This store keeps tickets only");
    }
}

GTlsSession.Helper prepare (Server server, GTlsSession.Store store) throws Error {
    var helper = server.prepare ();
    var connection = (GTlsSession.ClientConnection) helper.connection;
    connection.session_store = store;
    connection.session_resumption_enabled = true;
    return helper;
}

GTlsSession.Helper visit (Server server, GTlsSession.Store store) throws Error {
    var helper = prepare (server, store);
    exchange (helper, "hello");
    hang_up (helper);
    return helper;
}

void second_connection_resumes_from_memory (string[] options) throws Error {
    var server = new Server (options);
    var store = new GTlsSession.MemoryStore ();
    assert (visit (server, store).resumption == GTlsSession.Resumption.NONE);
    assert (visit (server, store).resumption == GTlsSession.Resumption.RESUMED);
    assert (store.get_n_peers () == 1);
}

void second_connection_resumes_from_a_vala_store (string[] options) throws Error {
    var server = new Server (options);
    var store = new ListStore ();
    assert (visit (server, store).resumption == GTlsSession.Resumption.NONE);
    assert (visit (server, store).resumption == GTlsSession.Resumption.RESUMED);
    assert (store.tickets.size () == 1);
    foreach (var key in store.tickets.get_keys ())
        assert (key.length == 64);
}

void copied_ticket_leaves_the_vala_store () throws Error {
    var server = new Server ({ "--tls1.3", "--tickets=1" });
    var store = new ListStore ();
    var first = prepare (server, store);
    exchange (first, "hello");
    assert (store.n_puts == 1);
    var second = prepare (server, store);
    assert (second.copy_session_state (first));
    assert (store.n_removes >= 1);
    foreach (var kept in store.tickets.get_values ())
        assert (kept.length == 0);
    hang_up (first);
}

void vala_store_that_throws_breaks_nothing () throws Error {
    var server = new Server ({ "--tls1.3" });
    var store = new ListStore ();
    store.failure = "the shelf fell down";
    var helper = visit (server, store);
    assert (helper.resumption == GTlsSession.Resumption.NONE);
    assert ("the shelf fell down" in helper.explain ());
}

void memory_store_keeps_bytes () throws Error {
    var store = new GTlsSession.MemoryStore ();
    assert (store.load_bytes ("keys") == null);
    assert (store.save_bytes ("keys", new Bytes ("secret".data)));
    assert (store.load_bytes ("keys").compare (new Bytes ("secret".data)) == 0);
}

int main () {
    tell_for_each_kind ("second_connection_resumes_from_memory", second_connection_resumes_from_memory);
    tell_for_each_kind ("second_connection_resumes_from_a_vala_store", second_connection_resumes_from_a_vala_store);
    tell ("copied_ticket_leaves_the_vala_store", copied_ticket_leaves_the_vala_store);
    tell ("vala_store_that_throws_breaks_nothing", vala_store_that_throws_breaks_nothing);
    tell ("memory_store_keeps_bytes", memory_store_keeps_bytes);
    return end_stories ();
}

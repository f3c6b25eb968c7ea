# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers of one name at several addresses, as a load balancer has them, and one address with several servers."""

import os
import socket
import threading
from contextlib import contextmanager

import servers

KEY_SIZE = 80  # AES-256


class Nodes(servers.Nginx):
    """nginx with two workers, which listens on 127.0.0.2, 127.0.0.3, ... Each node has its own list of ticket keys: it
    encrypts with the first one, and takes tickets of all."""

    keys_of_nodes = ()

    def addresses(self):
        return [f"127.0.0.{number}" for number in range(2, 2 + len(self.keys_of_nodes))]

    def options(self):
        """To give to probe."""
        return [part for address in self.addresses() for part in ("--address", address)]

    def key_file(self, name):
        path = self.directory / f"{name}.key"
        if not path.exists():
            path.write_bytes(os.urandom(KEY_SIZE))
        return path

    def node(self, address, keys):
        lines = "\n".join(f"    ssl_session_ticket_key {self.key_file(key)};" for key in keys)
        return f"""
  server {{
    listen {address}:{self.port} ssl;
    server_name localhost;
{lines}
    ssl_certificate {self.certificates.server};
    ssl_certificate_key {self.certificates.server_key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
  }}"""

    def configuration(self):
        temporaries = "\n".join(f"  {name}_temp_path {self.directory}/temporary;"
                                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        nodes = "".join(self.node(*pair) for pair in zip(self.addresses(), self.keys_of_nodes))
        return f"""
daemon off;
worker_processes 2;
pid {self.directory}/pid;
events {{ }}
http {{
{temporaries}
  access_log off;
{nodes}
}}
"""


@contextmanager
def running(certificates, *keys_of_nodes):
    """Each node's keys by their names, as in running(certificates, "a", "ba")."""
    kind = type("TheseNodes", (Nodes,), {"keys_of_nodes": keys_of_nodes})
    with servers.running(kind, certificates, "1.3") as server:
        yield server


def pump(source, target):
    try:
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one of them has gone; so does the other
        for end in (source, target):
            end.close()


class Balancer:
    """One address in front of several: its nth connection goes to the nth of a list of addresses, again and again."""

    def __init__(self, addresses, port):
        self.targets, self.port_behind = addresses, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        number = 0
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # it was closed
                return
            server = socket.create_connection((self.targets[number % len(self.targets)], self.port_behind))
            number += 1
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextmanager
def balancing(server, pattern):
    """pattern: the places of server's nodes."""
    balancer = Balancer([server.addresses()[place] for place in pattern], server.port)
    try:
        yield balancer
    finally:
        balancer.close()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python's ssl as a client, with the arguments and the output of main.c."""

import os
import socket
import ssl
import sys
import time

TRIP_SIZE = 100


class Client:
    def __init__(self, port, ca):
        self.port = int(port)
        self.context = ssl.create_default_context(cafile=None if ca == "system" else ca)
        self.session = None

    def open(self, session=None):
        tcp = socket.create_connection(("127.0.0.1", self.port))
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(tcp, server_hostname="localhost", session=session)

    def visit(self, resume):
        connection = self.open(self.session if resume else None)
        was_resumed = say_hello(connection)
        self.session = connection.session
        connection.setblocking(False)  # sends close_notify, and does not wait for the server's
        try:
            connection.unwrap()
        except (ssl.SSLError, OSError):
            pass
        connection.close()
        return was_resumed


def say_hello(connection):
    connection.send(b"x")
    return connection.recv(1) == b"1"


def cpu_us():
    return time.process_time() * 1e6


def handshakes(client, mode, n):
    client.visit(mode == "resumed")
    began = cpu_us()
    resumed = sum(client.visit(mode == "resumed") for _ in range(int(n)))
    return {"cpu-us": (cpu_us() - began) / int(n), "resumed": resumed}


def bulk(client, direction, size, mebibytes):
    size, total = int(size), int(mebibytes) * 1024 * 1024
    connection = client.open()
    connection.send((("s" if direction == "write" else "f") + mebibytes).encode().ljust(16, b"\0"))
    block, done = bytearray(size), 0
    began = cpu_us()
    while done < total:
        n = connection.send(block) if direction == "write" else connection.recv_into(block)
        if n == 0:
            raise SystemExit("the connection ended")
        done += n
    return {"ns-per-kib": (cpu_us() - began) * 1000 / (total / 1024)}


def trips(client, n):
    connection = client.open()
    say_hello(connection)
    message = bytes(TRIP_SIZE)
    cpu_began, began = cpu_us(), time.monotonic()
    for _ in range(int(n)):
        connection.send(message)
        done = 0
        while done < TRIP_SIZE:
            done += len(connection.recv(TRIP_SIZE - done))
    return {"per-second": int(n) / (time.monotonic() - began), "cpu-us": (cpu_us() - cpu_began) / int(n)}


def heap():
    """Of the C library, in bytes; with PYTHONMALLOC=malloc Python has no other."""
    import ctypes

    class MallInfo(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks",
                                                         "fsmblks", "uordblks", "fordblks", "keepcost")]

    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = MallInfo
    return mallinfo2().uordblks


def idle(client, n):
    connections = []
    for number in range(10 + int(n)):
        if number == 10:
            before = heap()
        connections.append(client.open())
        say_hello(connections[-1])
    return {"bytes": (heap() - before) / int(n)}


def first(client):
    say_hello(client.open())
    return {"ms": (time.monotonic() - float(os.environ["BENCH_BEGAN"])) * 1000, "cpu-ms": cpu_us() / 1000}


def main():
    _mode, port, ca, verb, *arguments = sys.argv[1:]
    verbs = {"handshakes": handshakes, "bulk": bulk, "trips": trips, "idle": idle, "first": first}
    result = verbs[verb](Client(port, ca), *arguments)
    print(" ".join(f"{name}={value:.3f}" for name, value in result.items()), "threads=0")


if __name__ == "__main__":
    main()

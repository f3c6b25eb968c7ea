# SPDX-License-Identifier: LGPL-2.1-or-later
"""The steps of a benchmark: each fills in some figures for all clients. A client that fails is noted and left out."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clients import Failed, run
from figures import BASE, per_connection

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs")
MODES = ("full", "resumed")
CROWDS = {1: 300, 100: 5, 10000: 1}  # how many at once, and how often in a measurement
CROWD_PATIENCE = 60  # s that a client may be expected to take for ten thousand
TOP = Path(__file__).resolve().parent.parent


class Run:
    """What the steps share."""

    def __init__(self, bench, clients, results, quick):
        self.bench, self.clients, self.results, self.quick = bench, clients, results, quick

    def rounds(self, n):
        return 1 if self.quick else n

    def few(self, n):
        return max(1, n // 4) if self.quick else n

    def chosen(self, *, lean=False, modes=("sync", "async")):
        return [client for client in self.clients if client.mode in modes or (lean and client.mode == "lean")]

    def interleave(self, n_rounds, clients, measure):
        """measure(client) gives {figure: value}. Each round begins with another client, so that none is always first."""
        given_up = set()
        for number in range(self.rounds(n_rounds)):
            turn = number % len(clients)
            for client in clients[turn:] + clients[:turn]:
                if client.key in given_up:
                    continue
                try:
                    for figure, value in measure(client).items():
                        self.results.add(figure, client.key, value)
                except Failed as failure:
                    given_up.add(client.key)
                    self.results.note(client.key, str(failure))


def handshake_counts(client, quick, n):
    """Two counts of connections whose difference is looked at."""
    n = max(2, round(n * client.effort / (2 if quick else 1)))
    return n, 3 * n


def check_resumed(mode, n, resumed):
    if resumed != (n if mode == "resumed" else 0):
        raise Failed(f"{resumed:.0f} of {n} connections were resumed ({mode})")


def count_instructions(it):
    """They hold on a busy machine, so several are counted at a time."""
    if shutil.which("valgrind") is None:
        for client in it.clients:
            it.results.note(client.key, "no instructions: valgrind is not installed")
        return

    def count(job):
        client, mode = job
        numbers = handshake_counts(client, it.quick, 6)
        counted = []
        for n in numbers:
            instructions, said = it.bench.count_instructions(client, "handshakes", mode, n)
            check_resumed(mode, n, said["resumed"])
            counted.append(instructions)
        return per_connection(*counted, *numbers)

    jobs = [(client, mode) for client in it.chosen() for mode in MODES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (client, mode), future in [(job, pool.submit(count, job)) for job in jobs]:
            try:
                it.results.add(f"instructions-{mode}", client.key, future.result())
            except Failed as failure:
                it.results.note(client.key, str(failure))


def count_calls(it):
    def count(client):
        figures = {}
        for mode in MODES:
            numbers = handshake_counts(client, it.quick, 40)
            few, many = (it.bench.count_calls(client, "handshakes", mode, n) for n in numbers)
            for name in ("system-calls", "allocations"):
                figures[f"{name}-{mode}"] = per_connection(few[name], many[name], *numbers)
        return figures

    it.interleave(1, it.chosen(), count)


def time_handshakes(it):
    def measure(client):
        figures = {}
        for mode in MODES:
            n = max(5, round(it.few(100) * client.effort))
            said = it.bench.measure(client, "handshakes", mode, n)
            check_resumed(mode, n, said["resumed"])
            figures[f"cpu-{mode}"] = said["cpu-us"]
        return figures

    it.interleave(7, it.chosen(), measure)


def time_bulk(it):
    for size in (1024, 16384, 1048576):
        for way in ("read", "write"):
            mebibytes = it.few(8 if size == 1024 else 64)
            it.interleave(15, it.chosen(), lambda client: {
                f"{way}-{size}": it.bench.measure(client, "bulk", way, size, mebibytes)["ns-per-kib"],
            })


def time_trips(it):
    def measure(client):
        said = it.bench.measure(client, "trips", it.few(4000))
        return {"trips": said["per-second"], "trips-cpu": said["cpu-us"]}

    it.interleave(5, it.chosen(), measure)


def weigh_idle(it):
    it.interleave(1, it.chosen(lean=True), lambda client: {
        "idle": it.bench.measure(client, "idle", round(it.few(200) * client.effort), plain_heap=True)["bytes"],
    })


def gather_crowds(it):
    """Of the clients that have a main loop, and OpenSSL alone, which has epoll."""
    clients = [client for client in it.clients if client.key == BASE or client.mode == "async"]
    for n, times in CROWDS.items():
        if n == 10000 and it.quick:
            continue

        def measure(client, n=n, times=times):
            if n == 10000:
                expected = 2 * n * it.results.spread("crowd-100", client.key).middle / 1e6
                if expected > CROWD_PATIENCE:
                    raise Failed(f"not run with {n:,} connections at once: that would take {expected:.0f} s or more")
            wanted = max(1, round(it.few(times) * client.effort))
            said = it.bench.measure(client, "crowd", n, wanted, timeout=600)
            it.results.crowds.setdefault(n, {}).setdefault(client.key, []).append(
                {"connections": n * wanted, **{name: said[name] for name in ("resumed", "failed", "threads")}})
            return {f"crowd-{n}": said["cpu-us"], f"rate-{n}": said["per-second"]}

        it.interleave(3 if n != 10000 else 2, clients, measure)


@contextlib.contextmanager
def certificates_with(ca):
    """A copy of what the system trusts, and CA besides: found by its hash, and in the file that holds all."""
    with tempfile.TemporaryDirectory(prefix="gtls-session-bench-") as scratch:
        copy = Path(scratch) / "certs"
        if SYSTEM_CERTIFICATES.is_dir():
            shutil.copytree(SYSTEM_CERTIFICATES, copy, symlinks=True)
        else:
            copy.mkdir()
        shutil.copy(ca, copy / "bench-ca.pem")
        subject, _ = run(["openssl", "x509", "-noout", "-subject_hash", "-in", ca])
        (copy / f"{subject.strip()}.0").symlink_to("bench-ca.pem")
        with open(copy / "ca-certificates.crt", "a") as everything:
            everything.write("\n" + Path(ca).read_text())
        yield copy


def time_start(it):
    with certificates_with(it.bench.server.ca) as certificates:

        def measure(client):
            said = it.bench.measure_start(client, certificates)
            return {"first": said["ms"], "first-cpu": said["cpu-ms"]}

        trusting = []
        for client in it.chosen(modes=("sync", "gio")):
            # A byte is verified only if a client that trusts the system as it is refuses this server.
            with contextlib.suppress(Failed):
                it.bench.measure_start(client, "-")
                it.results.note(client.key, "no start: it took a certificate that the system does not trust")
                continue
            trusting.append(client)
        it.interleave(15, trusting, measure)


def time_signal(it):
    build = it.bench.build.parent
    environment = {"GI_TYPELIB_PATH": str(build / "introspection"), "LD_LIBRARY_PATH": str(build / "lib"),
                   "PYTHONDONTWRITEBYTECODE": "1"}
    for _ in range(it.rounds(5)):
        try:
            output, _ = run([sys.executable, TOP / "benchmarks" / "ticket-signal.py", it.bench.server.port,
                             it.bench.server.ca, 20000], environment, it.bench.server.clients_processors)
            it.results.add("signal", "ours", float(output.strip().removeprefix("us=")))
        except Failed as failure:
            it.results.note("ours", f"no signal into Python: {failure}")
            return


@contextlib.contextmanager
def redis_server(directory):
    """Its URI. Of the system, or of those that ./run unpacks for the tests."""
    program = shutil.which("redis-server") or shutil.which(
        "redis-server", path=os.environ.get("GTLS_SESSION_SERVERS", str(TOP / ".run" / "servers")) + "/usr/bin")
    if program is None:
        raise Failed("there is no redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", directory],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def time_stores(it):
    with tempfile.TemporaryDirectory(prefix="gtls-session-bench-") as scratch, contextlib.ExitStack() as stack:

        def measure(kind, place, peers, pairs):
            figure = f"store-{kind}-{peers}"
            for number in range(it.rounds(3)):
                output, _ = run([it.bench.build / "bench-stores", it.bench.server.port, it.bench.server.ca, kind,
                                 place.format(number=number), peers, it.few(pairs)],
                                processors=it.bench.server.clients_processors)
                it.results.add(figure, "ours", float(output.split()[0].removeprefix("pair-us=")))

        try:
            output, _ = run([it.bench.build / "bench-memory-store"], processors=it.bench.server.clients_processors)
            for peers, nanoseconds in re.findall(r"(\d+) peers +(\d+) ns", output):
                it.results.add(f"store-memory-{peers}", "ours", float(nanoseconds) / 1000)
            measure("file", scratch + "/store-{number}.db", 1000, 2000)
            measure("redis", stack.enter_context(redis_server(scratch)), 1000, 5000)
        except Failed as failure:
            it.results.note("ours", f"a store was not measured: {failure}")


STEPS = [
    ("instructions of a handshake", count_instructions),
    ("system calls and allocations of a handshake", count_calls),
    ("CPU of a handshake", time_handshakes),
    ("CPU of bulk data", time_bulk),
    ("round trips", time_trips),
    ("memory of an idle connection", weigh_idle),
    ("process start to the first verified byte", time_start),
    ("a signal into Python", time_signal),
    ("stores", time_stores),
    ("many connections in one main loop", gather_crowds),
]

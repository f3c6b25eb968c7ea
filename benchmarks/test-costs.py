# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a connection may cost at most: test-costs.py BUILD [WORD…]; stories whose names have a WORD in them.

Only what is the same on a busy machine: instructions, system calls, allocations, threads. All but threads against OpenSSL
alone in the same run, with head room over what was measured when this was written. tap.py is in tests/peers.
"""

import sys
from functools import cache, partial
from pathlib import Path

from clients import Bench, Server, all_clients
from figures import per_connection
from tap import check, tell_all, unwind_on_sigterm

BUILD = Path(sys.argv[1]) / "benchmarks"
INSTRUCTION_COUNTS = (4, 12)
INSTRUCTION_ROUNDS = 3
CALL_COUNTS = (5, 25)
CROWD = 300

# (client, mode): the most instructions, allocations; times OpenSSL alone's
RATIOS = {
    ("ours", "full"): (1.20, 1.15),
    ("ours", "resumed"): (1.35, 1.50),
    ("ours-async", "full"): (1.30, 1.20),
    ("ours-async", "resumed"): (1.60, 1.65),
}
# How many system calls more than OpenSSL alone, for each connection.
MORE_SYSTEM_CALLS = {("ours", "full"): 5, ("ours", "resumed"): 12, ("ours-async", "full"): 32,
                     ("ours-async", "resumed"): 32}


def count_once(client, mode):
    totals = []
    for n in INSTRUCTION_COUNTS:
        total, said = bench.count_instructions(clients[client], "handshakes", mode, n)
        check_resumed(mode, n, said)
        totals.append(total)
    return per_connection(*totals, *INSTRUCTION_COUNTS)


@cache
def instructions(client, mode):
    """The least of several counts: on a machine that is very busy, flights come in pieces, and each piece costs some."""
    return min(count_once(client, mode) for _ in range(INSTRUCTION_ROUNDS))


@cache
def calls(client, mode):
    few, many = (bench.count_calls(clients[client], "handshakes", mode, n) for n in CALL_COUNTS)
    return {name: per_connection(few[name], many[name], *CALL_COUNTS) for name in few}


def check_resumed(mode, n, said):
    check(said["resumed"] == (n if mode == "resumed" else 0), f"{said['resumed']:.0f} of {n} were resumed ({mode})")


def check_ratio(what, cost, base, most):
    print(f"# {what}: {cost:,.0f}, OpenSSL alone {base:,.0f}, ratio {cost / base:.3f}, at most {most}", flush=True)
    check(base > 0, f"OpenSSL alone has no {what}, so nothing was counted")
    check(cost / base <= most, f"{what}: {cost / base:.3f} times what OpenSSL alone needs, and {most} is the most")


def handshake_takes_few_instructions(client, mode):
    check_ratio("instructions", instructions(client, mode), instructions("openssl", mode), RATIOS[client, mode][0])


def handshake_makes_few_calls(client, mode):
    cost, base = calls(client, mode), calls("openssl", mode)
    check_ratio("allocations", cost["allocations"], base["allocations"], RATIOS[client, mode][1])
    more = cost["system-calls"] - base["system-calls"]
    most = MORE_SYSTEM_CALLS[client, mode]
    print(f"# system calls: {cost['system-calls']:.1f}, OpenSSL alone {base['system-calls']:.1f}", flush=True)
    check(base["system-calls"] > 10, "the system calls of OpenSSL alone were not counted")
    check(more <= most, f"{more:.1f} system calls more than OpenSSL alone makes, and {most} is the most")


def connections_start_no_thread(client):
    for mode in ("full", "resumed"):
        said = bench.measure(clients[client], "handshakes", mode, 20)
        check_resumed(mode, 20, said)
        check(said["threads"] == 0, f"20 connections started {said['threads']:.0f} threads")


def crowd_is_resumed_without_a_thread():
    said = bench.measure(clients["ours-async"], "crowd", CROWD, 2)
    check(said["failed"] == 0, f"{said['failed']:.0f} failed")
    check(said["resumed"] == 2 * CROWD, f"{said['resumed']:.0f} of {2 * CROWD} were resumed")
    check(said["threads"] == 0, f"they started {said['threads']:.0f} threads")


unwind_on_sigterm()
clients = {client.key: client for client in all_clients(BUILD)}
stories = [(f"{client}/{mode}/{story.__name__}", partial(story, client, mode))
           for story in (handshake_takes_few_instructions, handshake_makes_few_calls) for client, mode in RATIOS]
stories += [(f"{client}/connections_start_no_thread", partial(connections_start_no_thread, client))
            for client in ("ours", "ours-async")]
stories.append(("crowd_is_resumed_without_a_thread", crowd_is_resumed_without_a_thread))
wanted = [story for story in stories if not sys.argv[2:] or any(word in story[0] for word in sys.argv[2:])]

with Server(BUILD) as server:
    bench = Bench(BUILD, server)
    status = tell_all(wanted)
sys.exit(status)

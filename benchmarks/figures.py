# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured, what was measured, and the arithmetic between the two.

A series is what one client did for one figure, a value for each round. A round's values of all clients were measured
one right after the other, so ratios are made round by round, before anything is summed up.
"""

from dataclasses import dataclass
from statistics import median

BASE = "openssl"


@dataclass(frozen=True)
class Spread:
    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, values):
        return cls(min(values), median(values), max(values))


def ratios(values, base):
    """Round by round; of rounds that both have."""
    return [one / other for one, other in zip(values, base) if one is not None and other]


def per_connection(few, many, n_few, n_many):
    """What each connection adds: start-up, and all else that is done once, is in both counts."""
    return (many - few) / (n_many - n_few)


@dataclass(frozen=True)
class Figure:
    key: str
    title: str
    unit: str
    scale: float = 1.0  # values are divided by this to be shown
    digits: int = 1
    more_is_better: bool = False

    def show(self, value):
        return f"{value / self.scale:,.{self.digits}f}"


FIGURES = [
    Figure("instructions-full", "Instructions, full handshake", "million", 1e6, 2),
    Figure("instructions-resumed", "Instructions, resumed handshake", "million", 1e6, 2),
    Figure("cpu-full", "CPU, full handshake", "ms", 1e3, 2),
    Figure("cpu-resumed", "CPU, resumed handshake", "ms", 1e3, 2),
    Figure("system-calls-full", "System calls, full handshake", "calls"),
    Figure("system-calls-resumed", "System calls, resumed handshake", "calls"),
    Figure("allocations-full", "Allocations, full handshake", "calls", digits=0),
    Figure("allocations-resumed", "Allocations, resumed handshake", "calls", digits=0),
    *(Figure(f"{way}-{size}", f"CPU per KiB, {'read' if way == 'read' else 'written'} in calls of {name}", "ns", digits=0)
      for size, name in ((1024, "1 KiB"), (16384, "16 KiB"), (1048576, "1 MiB")) for way in ("read", "write")),
    Figure("trips", "Round trips of 100 bytes", "per second", digits=0, more_is_better=True),
    Figure("trips-cpu", "CPU, round trip of 100 bytes", "µs"),
    Figure("idle", "Memory, idle connection", "KiB", 1024),
    *(Figure(f"crowd-{n}", f"CPU per resumed connection, {n:,} at once in one main loop", "ms", 1e3, 2)
      for n in (1, 100, 10000)),
    *(Figure(f"rate-{n}", f"Connections, {n:,} at once in one main loop", "per second", digits=0, more_is_better=True)
      for n in (1, 100, 10000)),
    Figure("first", "Process start to the first verified byte", "ms"),
    Figure("first-cpu", "CPU until the first verified byte", "ms"),
    Figure("signal", "A `ticket-available` signal into Python", "µs", digits=2),
    *(Figure(f"store-{key}", f"{name}, a put and a take", "µs", digits=2) for key, name in (
        ("memory-100", "MemoryStore of 100 peers"), ("memory-1000", "MemoryStore of 1,000 peers"),
        ("memory-10000", "MemoryStore of 10,000 peers"), ("memory-100000", "MemoryStore of 100,000 peers"), ("file-1000", "FileStore of 1,000 peers"),
        ("redis-1000", "RedisStore of 1,000 peers"))),
]
FIGURE = {figure.key: figure for figure in FIGURES}


class Results:
    """The series of each figure, by client; and what there is to say of those that are not there."""

    def __init__(self):
        self.series, self.notes, self.crowds = {}, {}, {}

    def add(self, figure, client, value):
        self.series.setdefault(figure, {}).setdefault(client, []).append(value)

    def note(self, client, words):
        if words not in self.notes.setdefault(client, []):
            self.notes[client].append(words)

    def values(self, figure, client):
        return [value for value in self.series.get(figure, {}).get(client, []) if value is not None]

    def spread(self, figure, client):
        values = self.values(figure, client)
        return Spread.of(values) if values else None

    def ratio(self, figure, client, base_figure=None, base=BASE):
        """Of a figure to the same one, or another, of the base."""
        quotients = ratios(self.series.get(figure, {}).get(client, []),
                           self.series.get(base_figure or figure, {}).get(base, []))
        return Spread.of(quotients) if quotients else None


@dataclass(frozen=True)
class Target:
    """What the project set out to reach: a ratio at most."""

    title: str
    reach: float
    figure: str
    client: str
    base_figure: str = None
    base: str = BASE

    def measured(self, results):
        if self.base == "best-gio":
            found = [results.ratio(self.figure, self.client, base=client)
                     for client in results.series.get(self.figure, {}) if client.startswith("gio-")]
            return max((ratio for ratio in found if ratio), key=lambda ratio: ratio.middle, default=None)
        return results.ratio(self.figure, self.client, self.base_figure, self.base)


TARGETS = [
    Target("Instructions, full handshake, sync", 1.10, "instructions-full", "ours"),
    Target("Instructions, resumed handshake, sync", 1.15, "instructions-resumed", "ours"),
    Target("Instructions, full handshake, async", 1.25, "instructions-full", "ours-async"),
    Target("Instructions, resumed handshake, async", 1.25, "instructions-resumed", "ours-async"),
    *(Target(f"CPU per KiB, {'read' if way == 'read' else 'written'} in calls of {name}, {mode}", 1.0, f"{way}-{size}",
             client)
      for mode, client in (("sync", "ours"), ("async", "ours-async"))
      for size, name in ((16384, "16 KiB"), (1048576, "1 MiB")) for way in ("read", "write")),
    Target("Memory, idle connection", 0.60, "idle", "ours"),
    Target("CPU per connection, 10,000 at once against 100 at once", 1.2, "crowd-10000", "ours-async", "crowd-100",
           "ours-async"),
    Target("Process start to the first verified byte", 1.3, "first", "ours"),
    Target("Instructions, resumed handshake, against the best glib-networking", 0.45, "instructions-resumed", "ours",
           base="best-gio"),
]

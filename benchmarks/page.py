# SPDX-License-Identifier: LGPL-2.1-or-later
"""The results as a page of the manual with its plots, and as text for a terminal."""

from pathlib import Path

import plots
from figures import BASE, FIGURE, FIGURES, TARGETS

HERE = Path(__file__).resolve().parent

INTRODUCTION = """\
<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->
<!-- Written by ./run bench, figures and all; what to change is in benchmarks/page.py and benchmarks/notes.md. -->
# What it costs

This library adds an object system, asynchronous operations and safety to OpenSSL. This page says what that takes, beside
OpenSSL alone and beside what else a program on GLib or in Python can choose. `./run bench` measures all of it on your
machine, prints it, and writes this page anew; `./run bench --quick` takes a short look.

{machine}

All clients talk to the same process of a server on OpenSSL alone, over loopback, with TLS 1.3 and a P-256 chain that
they verify; in each round one right after the other. **Ratios are to OpenSSL alone** (= 1), made round by round. Values are
the median, and in parentheses the least and the most, if there were several rounds.

- **OpenSSL alone** is a client in C that blocks: one `SSL_CTX`, sessions taken by the callback, OpenSSL's own
  verification, and epoll where there are many connections.
- **gtls-session** is this library by its helper, synchronous; **async** is the same in a main loop.
- **glib-networking** is the installed one ({glib-networking}), with those of its backends that are installed.
- **Python's ssl** is the standard library's, {python}, which blocks.
"""

HANDSHAKE_TEXT = """\
## Handshakes

A connection here is TCP, handshake, a byte there and back, and the close. Instructions are those of user space, and do
not depend on what else a machine does; system calls and allocations are counted as well. What is done once at the start
is in none of them: they are the difference between two counts of connections.
"""

BULK_TEXT = """\
## Bulk data

CPU time of the client, the kernel's part included, for each KiB over one connection.
"""

TRIPS_TEXT = """\
## Small messages

A hundred bytes there and back, one after the other, over one connection. How many a second depends on how fast the machine
wakes a process more than on anything else, the CPU time less.
"""

IDLE_TEXT = """\
## Idle connections

What each connection holds of the heap, after it has exchanged a byte. OpenSSL alone gives its buffers back between records
only if it is told to (`SSL_MODE_RELEASE_BUFFERS`); Python tells it.
"""

CROWD_TEXT = """\
## Many at once

All connections of a round are made first; then all do their handshakes, resumed, a byte there and back, and the close, in one
thread with one main loop. Server and client share the machine, so the CPU time of the client says more than how many there
are a second.
"""

FIRST_TEXT = """\
## From start to first byte

From the start of the process to the first byte of a verified connection, with what the system trusts: each process finds a
copy of `/etc/ssl/certs` in which the server's root is besides. Without it, each of these clients refuses the server.
OpenSSL alone looks roots up by hash here, which takes less time than reading all of them. Every program on GLib has libgio
loaded, and the libraries that it needs; a row says what OpenSSL alone takes in a process that has.
"""

OTHER_TEXT = """\
## Signals and stores

The signal is emitted to a Python function and to nobody; told is the difference. Stores keep one ticket for each peer. For
the store in memory it is CPU time, the least of many; for the others what passes, waiting for file and server included.
"""

SECTIONS = [
    (HANDSHAKE_TEXT, "bench-handshakes.svg", "How many instructions each client needs for a handshake",
     ("instructions-full", "instructions-resumed"),
     ("cpu-full", "cpu-resumed", "system-calls-full", "system-calls-resumed", "allocations-full", "allocations-resumed")),
    (BULK_TEXT, "bench-bulk.svg", "How much CPU time each client needs for a KiB",
     ("read-16384", "write-16384", "read-1048576", "write-1048576"), ("read-1024", "write-1024")),
    (TRIPS_TEXT, None, None, (), ("trips", "trips-cpu")),
    (IDLE_TEXT, "bench-idle.svg", "How much memory each client holds for an idle connection", ("idle",), ()),
    (CROWD_TEXT, "bench-crowd.svg", "How much CPU time each client needs for a connection among many",
     ("crowd-1", "crowd-100", "crowd-10000"), ("rate-1", "rate-100", "rate-10000")),
    (FIRST_TEXT, "bench-first.svg", "How long each client takes from its start to the first byte", ("first",),
     ("first-cpu",)),
    (OTHER_TEXT, None, None, (), ("signal", "store-memory-100", "store-memory-1000", "store-memory-10000",
                                  "store-memory-100000", "store-file-1000", "store-redis-1000")),
]


def show(figure, spread):
    """The median, and what it lies between if that is something else."""
    least, middle, most = (figure.show(value) for value in (spread.least, spread.middle, spread.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def show_ratio(spread):
    if spread is None:
        return ""
    least, middle, most = (f"{value:.2f}" for value in (spread.least, spread.middle, spread.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def rows_of(results, names, figure):
    """(client's name, values, ratio), in the order of the clients."""
    for client in names:
        spread = results.spread(figure.key, client)
        if spread is not None:
            yield names[client], show(figure, spread), show_ratio(results.ratio(figure.key, client))


def target_rows(results):
    """(what, reach, measured, whether it is reached, or None); the last of them are counted and not compared."""
    for target in TARGETS:
        ratio = target.measured(results)
        yield (target.title, f"≤ {target.reach:.2f}", show_ratio(ratio) if ratio else "not measured",
               ratio.middle <= target.reach if ratio else None)
    crowd = results.crowds.get(10000, {}).get("ours-async", [])
    if not crowd:
        yield "10,000 connections at once, all resumed and none failed", "all", "not measured", None
        return
    total, resumed, failed, threads = (sum(one[name] for one in crowd)
                                       for name in ("connections", "resumed", "failed", "threads"))
    yield ("10,000 connections at once, all resumed and none failed", "all",
           f"{resumed:,.0f} of {total:,.0f} resumed, {failed:,.0f} failed", resumed == total and failed == 0)
    yield "Threads started by 10,000 connections", "0", f"{threads:,.0f}", threads == 0


def markdown_table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                      *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def figure_tables(results, names, keys):
    for key in keys:
        figure = FIGURE[key]
        rows = list(rows_of(results, names, figure))
        if not rows:
            continue
        compared = any(ratio for _, _, ratio in rows)
        head = [figure.title, figure.unit, "to OpenSSL alone"][:3 if compared else 2]
        yield markdown_table(head, [row[:len(head)] for row in rows])


def machine_text(machine):
    text = (f"Measured on {machine['date']}: {machine['processor']}; {machine['system']};\n"
            f"OpenSSL {machine['openssl']}, GLib {machine['glib']}; commit {machine['commit'] or 'unknown'}; in "
            f"{machine['minutes']} minutes.")
    if machine["load"] > 0.5:
        text += (f" The machine was **busy with other things** when this began (load {machine['load']}): times and their "
                 "ratios are rough here. Instructions and other counts hold.")
    return text


def plot(results, names, title, keys):
    groups = []
    for key in keys:
        figure = FIGURE[key]
        bars = []
        for client in names:
            spread = results.spread(key, client)
            if spread is None:
                continue
            ratio = results.ratio(key, client)
            label = f"{figure.show(spread.middle)} {figure.unit}"
            if ratio and client != BASE:
                label += f", {ratio.middle:.2f} ×"
            kind = "base" if client == BASE else "ours" if client.startswith("ours") else "other"
            bars.append(plots.Bar(names[client], kind, spread, label))
        if bars:
            groups.append(plots.Group(figure.title, bars))
    described = "; ".join(f"{group.title}: " + ", ".join(f"{bar.name} {bar.label}" for bar in group.bars)
                          for group in groups)
    return plots.draw(title, described, groups) if groups else None


def notes_text(results, names):
    lines = [f"- {names[client]}: {words}." for client in names for words in results.notes.get(client, [])]
    return "## Not measured\n\n" + "\n".join(lines) + "\n" if lines else ""


def write(doc, machine, results, names):
    """Returns the files that were written."""
    written = []
    parts = [INTRODUCTION.format(**{**machine, "machine": machine_text(machine)}),
             "## What it set out to reach\n\n" + markdown_table(
                 ("ratio", "to reach", "measured", ""),
                 [(title, reach, measured, {True: "reached", False: "**not reached**", None: ""}[reached])
                  for title, reach, measured, reached in target_rows(results)])]
    for text, image, title, plotted, others in SECTIONS:
        tables = list(figure_tables(results, names, plotted + others))
        if not tables:
            continue
        parts.append(text)
        drawn = plot(results, names, title, plotted) if image else None
        if drawn:
            path = doc / "images" / image
            path.write_text(drawn)
            written.append(path)
            parts.append(f"![{title}](images/{image})\n")
        parts += tables
    notes = HERE / "notes.md"
    if notes.exists():
        parts.append(notes.read_text().split("-->\n", 1)[-1].strip() + "\n")
    parts.append(notes_text(results, names))
    page = doc / "benchmarks.md"
    page.write_text("\n".join(part for part in parts if part).rstrip() + "\n")
    return [page, *written]


def to_terminal(results, names):
    lines = []
    for figure in FIGURES:
        rows = list(rows_of(results, names, figure))
        if rows:
            lines += [f"{figure.title} ({figure.unit}; ratio to OpenSSL alone)",
                      *(f"  {name:<34} {value:>28}  {ratio}" for name, value, ratio in rows), ""]
    lines.append("What it set out to reach")
    lines += [f"  {title:<64} {reach:>7}  {measured:<38} { {True: 'reached', False: 'not reached', None: ''}[reached]}"
              for title, reach, measured, reached in target_rows(results)]
    lines += ["", *(f"{names[client]}: {words}" for client in names for words in results.notes.get(client, []))]
    return "\n".join(lines).rstrip()

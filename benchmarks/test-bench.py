# SPDX-License-Identifier: LGPL-2.1-or-later
"""The arithmetic of the benchmarks, and what their page says of it. tap.py is in tests/peers."""

import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import page
import plots
from clients import read_pairs
from figures import FIGURE, Results, Spread, Target, per_connection, ratios
from tap import check, tell_all

MACHINE = {"date": "2026-01-01", "processor": "1 × none", "system": "none", "load": 0.0, "commit": "none", "openssl": "3",
           "glib": "2", "glib-networking": "2", "python": "3", "minutes": 1.0}
NAMES = {"openssl": "OpenSSL alone", "ours": "gtls-session", "gio-slow": "Slow & old"}


def results_of(**series):
    results = Results()
    for name, clients in series.items():
        for client, values in clients.items():
            for value in values:
                results.add(name.replace("_", "-"), client.replace("_", "-"), value)
    return results


def start_up_is_in_no_figure():
    check(per_connection(1000 + 3 * 70, 1000 + 9 * 70, 3, 9) == 70, "it is not what each adds")


def ratios_are_made_round_by_round():
    check(ratios([2, 30], [1, 10]) == [2, 3], "another round's base was taken")
    check(ratios([2, None, 4], [1, 1, None]) == [2], "a round that one of them has not was not left out")


def spread_has_the_median_in_the_middle():
    check(Spread.of([9, 1, 2]) == Spread(1, 2, 9), str(Spread.of([9, 1, 2])))


def target_is_the_median_ratio():
    results = results_of(idle={"openssl": [100, 100, 100], "ours": [50, 70, 55]})
    check(Target("idle", 0.6, "idle", "ours").measured(results) == Spread(0.5, 0.55, 0.7), "it is another ratio")
    rows = {title: reached for title, _, _, reached in page.target_rows(results)}
    check(rows["Memory, idle connection"], "0.55 of at most 0.60 is not reached")
    check(not rows["Process start to the first verified byte"], "what was not measured is reached")


def best_of_others_is_the_one_that_is_harder_to_reach():
    results = results_of(idle={"ours": [40], "gio_slow": [400], "gio_quick": [80]})
    measured = Target("idle", 0.45, "idle", "ours", base="best-gio").measured(results)
    check(measured.middle == 0.5, f"compared with the slow one: {measured}")


def crowd_that_failed_has_not_reached_its_target():
    results = results_of()
    results.crowds[10000] = {"ours-async": [{"connections": 10000, "resumed": 9999, "failed": 1, "threads": 3}]}
    rows = {title: reached for title, _, _, reached in page.target_rows(results)}
    check(not rows["10,000 connections at once, all resumed and none failed"], "one failed")
    check(not rows["Threads started by 10,000 connections"], "three threads are none")


def page_has_all_figures_and_what_is_missing():
    results = results_of(idle={"openssl": [2048], "ours": [1024], "gio_slow": [40960]})
    results.note("gio-slow", "it broke off")
    with tempfile.TemporaryDirectory() as scratch:
        doc = Path(scratch)
        (doc / "images").mkdir()
        written = page.write(doc, MACHINE, results, NAMES)
        text = (doc / "benchmarks.md").read_text()
    check("| gtls-session | 1.0 | 0.50 |" in text, text)
    check("Slow & old: it broke off." in text, text)
    check([path.name for path in written] == ["benchmarks.md", "bench-idle.svg"], str(written))


def plot_is_xml_and_cuts_off_what_is_too_long():
    def bar(name, kind, value):
        return plots.Bar(name, kind, Spread(value, value, value), str(value))

    drawn = plots.draw("<t>", "a & b", [plots.Group("g", [bar("base", "base", 1), bar("<x>", "other", 400)])])
    root = ElementTree.fromstring(drawn.encode())
    widths = [float(rect.get("width")) for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    check(abs(widths[1] - plots.LONGEST * widths[0]) < 0.2, str(widths))


def values_are_shown_in_their_unit():
    check(page.show(FIGURE["idle"], Spread(1024, 2048, 4096)) == "2.0 (1.0 to 4.0)", "KiB are no bytes")
    check(read_pairs("cpu-us=1.50 resumed=3\n") == {"cpu-us": 1.5, "resumed": 3}, "a client's line is read wrong")


STORIES = [start_up_is_in_no_figure, ratios_are_made_round_by_round, spread_has_the_median_in_the_middle,
           target_is_the_median_ratio, best_of_others_is_the_one_that_is_harder_to_reach,
           crowd_that_failed_has_not_reached_its_target, page_has_all_figures_and_what_is_missing,
           plot_is_xml_and_cuts_off_what_is_too_long, values_are_shown_in_their_unit]

sys.exit(tell_all([(story.__name__, story) for story in STORIES]))

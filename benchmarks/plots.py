# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plots as SVG, without a library: groups of bars that lie, the least and the most value as a line across the end.

The colours can be read on light and on dark ground; there is no ground of its own.
"""

from dataclasses import dataclass
from html import escape

WIDTH, LABELS, RIGHT = 830, 250, 170
BAR, GAP, TITLE, SPACE = 16, 6, 30, 14
LONGEST = 4.0  # a bar is cut off at so many times the base's

STYLE = """
    text { font-family: Cantarell, "Noto Sans", "DejaVu Sans", sans-serif; font-size: 13px; fill: #5d6570; }
    .head { font-size: 15px; font-weight: bold; }
    .right { text-anchor: end; }
    .base { fill: #8b949e; }
    .ours { fill: #218f4e; }
    .other { fill: #d79921; }
    .rule { stroke: #8b949e; stroke-width: 1; stroke-dasharray: 3 4; }
    .spread { stroke: #3d444d; stroke-width: 2; }
    .cut { stroke: none; fill: #5d6570; font-weight: bold; }
    @media (prefers-color-scheme: dark) {
      text, .cut { fill: #b9c0c8; }
      .ours { fill: #57c785; }
      .spread { stroke: #e6e9ed; }
    }
"""


@dataclass(frozen=True)
class Bar:
    name: str
    kind: str  # base, ours, other
    spread: object
    label: str


@dataclass(frozen=True)
class Group:
    title: str
    bars: list


def height_of(group):
    return TITLE + len(group.bars) * (BAR + GAP) + SPACE


def draw_bar(bar, y, scale, longest):
    middle = min(bar.spread.middle, longest)
    lines = [f'  <text class="right" x="{LABELS - 10}" y="{y + 13}">{escape(bar.name)}</text>',
             f'  <rect class="{bar.kind}" x="{LABELS}" y="{y}" width="{max(1.0, middle * scale):.1f}" height="{BAR}" rx="2"/>']
    end = middle
    if bar.spread.middle > longest:
        lines.append(f'  <text class="cut" x="{LABELS + middle * scale - 18:.1f}" y="{y + 13}">//</text>')
    elif bar.spread.most > bar.spread.least:
        end = max(middle, min(bar.spread.most, longest))
        lines.append(f'  <line class="spread" x1="{LABELS + bar.spread.least * scale:.1f}" '
                     f'x2="{LABELS + end * scale:.1f}" y1="{y + BAR / 2}" y2="{y + BAR / 2}"/>')
    lines.append(f'  <text x="{LABELS + end * scale + 8:.1f}" y="{y + 13}">{escape(bar.label)}</text>')
    return lines


def draw_group(group, y):
    base = next((bar.spread.middle for bar in group.bars if bar.kind == "base"), None)
    longest = max(bar.spread.middle for bar in group.bars)
    if base is not None:
        longest = min(longest, LONGEST * base)
    scale = (WIDTH - LABELS - RIGHT) / longest
    lines = [f'  <text class="head" x="{LABELS}" y="{y + 18}">{escape(group.title)}</text>']
    top = y + TITLE
    for number, bar in enumerate(group.bars):
        lines += draw_bar(bar, top + number * (BAR + GAP), scale, longest)
    if base is not None:
        x = LABELS + base * scale
        lines.append(f'  <line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" '
                     f'y2="{top + len(group.bars) * (BAR + GAP)}"/>')
    return lines


def draw(title, description, groups):
    height = sum(height_of(group) for group in groups) + 10
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->",
             f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
             'role="img" aria-labelledby="title desc">',
             f'  <title id="title">{escape(title)}</title>', f'  <desc id="desc">{escape(description)}</desc>',
             f"  <style>{STYLE}  </style>"]
    y = 5
    for group in groups:
        lines += draw_group(group, y)
        y += height_of(group)
    return "\n".join([*lines, "</svg>", ""])

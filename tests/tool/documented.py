# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the pages on JSON, doc/probe-json.md and doc/ftp-json.md, promise of it, read from their tables."""

import os
import re
from pathlib import Path

from tap import check

ROW = re.compile(r"^\| `([^`]+)` \| ([a-z ]+) \|", re.MULTILINE)
CODE = re.compile(r"^\| `([a-z-]+)` \| [^|]+ \|$", re.MULTILINE)
TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number",
         type(None): "null"}


def read_page(name):
    return (Path(os.environ["GTLS_SESSION_TOP"]) / "doc" / name).read_text()


def members(page):
    """The types of each member that is documented."""
    return {path: set(types.split(" or ")) for path, types in ROW.findall(read_page(page).split("## Findings")[0])}


def codes(page):
    return set(CODE.findall(read_page(page).split("## Findings")[1]))


def flatten(value, path=""):
    """Each member that is there, with its type; objects in arrays are told by their members."""
    if path and not (isinstance(value, dict) and path.endswith("[]")):
        yield path, TYPES[type(value)]
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flatten(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for element in value:
            yield from flatten(element, path + "[]")


def check_documented(page, reports):
    """Each member that is printed is documented with its type, and each that is documented is printed."""
    documented, seen = members(page), set()
    for report in reports:
        printed = {"": "object", **dict(flatten(report))}
        for path, kind in flatten(report):
            check(kind in documented.get(path, ()), f"{path} is {kind}, documented is {documented.get(path)}")
        for path, kinds in documented.items():
            parent = path.rpartition(".")[0]
            is_expected = "[]" not in path and "missing" not in kinds and printed.get(parent) == "object"
            check(path in printed or not is_expected, f"{path} is missing")
        seen |= set(printed) - {""}
    check(set(documented) == seen, f"documented, but never printed: {set(documented) - seen}")

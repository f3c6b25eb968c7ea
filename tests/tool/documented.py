# SPDX-License-Identifier: LGPL-2.1-or-later
"""What doc/probe-json.md promises of the JSON, read from its tables."""

import os
import re
from pathlib import Path

ROW = re.compile(r"^\| `([^`]+)` \| ([a-z ]+) \|", re.MULTILINE)
CODE = re.compile(r"^\| `([a-z-]+)` \| [^|]+ \|$", re.MULTILINE)
TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", type(None): "null"}


def page():
    return (Path(os.environ["GTLS_SESSION_TOP"]) / "doc" / "probe-json.md").read_text()


def members():
    """The types of each member that is documented."""
    return {path: set(types.split(" or ")) for path, types in ROW.findall(page().split("## Findings")[0])}


def codes():
    return set(CODE.findall(page().split("## Findings")[1]))


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

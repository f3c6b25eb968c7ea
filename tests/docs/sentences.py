# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sentences and clauses that C files have for a person, with an ellipsis where something is put in."""

import re

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DIRECTIVE = re.compile(r"^[ ]*#[^\n]*", re.MULTILINE)
PIECE = r'"(?:[^"\\\n]|\\.)*"'
FORMAT_MACRO = r"G_G[A-Z0-9]+_FORMAT"
LITERAL = re.compile(rf"{PIECE}(?:\s*(?:{PIECE}|{FORMAT_MACRO}))*")
CONVERSION = re.compile(r"%[-0-9.]*(?:[a-z]+)?")


def unquote(literal):
    pieces = re.findall(rf"{PIECE}|{FORMAT_MACRO}", literal)
    text = "".join(piece[1:-1] if piece.startswith('"') else "d" for piece in pieces)
    return text.replace('\\"', '"')


def sentences_of(path):
    """Literals of three words or more; names of properties and versions are none."""
    source = DIRECTIVE.sub("", COMMENT.sub("", path.read_text()))
    found = []
    for literal in LITERAL.findall(source):
        text = CONVERSION.sub("…", unquote(literal)).strip(" ,.:;")
        if " " in text and len(re.findall(r"[A-Za-z]{2,}", text)) >= 3:
            found.append(text)
    return found

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples in doc comments, and a C file that a compiler can look at them in."""

import re
import textwrap
import xml.etree.ElementTree as ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
EXAMPLE = re.compile(r"^```c\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# What the examples take for granted, each with its type.
GIVEN = {
    "helper": "GTlsSessionHelper *",
    "other_helper": "GTlsSessionHelper *",
    "connection": "GTlsSessionClientConnection *",
    "server_connection": "GTlsSessionServerConnection *",
    "tcp_connection": "GIOStream *",
    "identity": "GSocketConnectable *",
    "certificate": "GTlsCertificate *",
    "keys": "GTlsSessionTicketKeys *",
    "store": "GTlsSessionStore *",
    "key": "GBytes *",
    "error": "GError *",
}


def read_types(gir):
    """(name, documentation) of each class and interface."""
    for kind in ("class", "interface"):
        for element in ElementTree.parse(gir).iter(CORE + kind):
            doc = element.find(CORE + "doc")
            yield element.get("name"), doc.text if doc is not None else ""


def read_all(gir):
    """The C examples in the documentation of whatever there is."""
    for doc in ElementTree.parse(gir).iter(CORE + "doc"):
        yield from EXAMPLE.findall(doc.text or "")


def declare_given(example):
    """Of the things taken for granted those that the example names, and does not declare itself."""
    for name, kind in GIVEN.items():
        if re.search(rf"\b{name}\b", example) and not re.search(rf"[)*] *{name}( = |;)", example):
            yield f"{kind}{name}{' = NULL' if name == 'error' else ' = g_object_new (G_TYPE_OBJECT, NULL)'};"


def to_c(examples):
    lines = ["#include <gtls-session.h>", ""]
    for number, example in enumerate(examples):
        lines += [f"void example_{number} (void);", "void", f"example_{number} (void)", "{",
                  *(f"  {line}" for line in declare_given(example)), "  {", textwrap.indent(example, "    "), "  }", "}",
                  ""]
    return "\n".join(lines)

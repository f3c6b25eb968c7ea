# SPDX-License-Identifier: LGPL-2.1-or-later
"""The links in HTML and in Markdown that lead nowhere. Those to other sites are not followed."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FENCED = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2 *$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
# [text](target); what gi-docgen resolves, [class@Some.Thing], has no target.
MARKDOWN_LINK = re.compile(r"\[[^\[\]]*\]\(([^()\s]*)\)")


class Reader(HTMLParser):
    """What can be linked to, and what is linked."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name") if tag == "a" else None)))
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key) is not None]


def is_elsewhere(link):
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def broken_in(path, links, anchors_of):
    """Sentences. anchors_of: of a file, or None if it has none to ask for."""
    for link in links:
        if is_elsewhere(link):
            continue
        parts = urlsplit(link)
        target = path.parent / unquote(parts.path) if parts.path else path
        if not link:
            yield f"{path.name} has a link without a target"
        elif not target.exists():
            yield f"{path.name}: there is no {parts.path}"
        elif parts.fragment and unquote(parts.fragment) not in (anchors_of(target) or ()):
            yield f"{path.name}: {target.name} has no #{parts.fragment}"


def broken_in_html(directory):
    readers = {path: Reader(path.read_text()) for path in sorted(Path(directory).rglob("*.html"))}
    for path, reader in readers.items():
        yield from broken_in(path, reader.links, lambda target: readers[target].anchors if target in readers else None)


def slug(heading):
    """The anchor that a heading gets, here the same in viewers of a source tree and in the manual."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def anchors_of_markdown(path):
    return {slug(heading) for heading in HEADING.findall(FENCED.sub("", path.read_text()))}


def broken_in_markdown(paths):
    for path in paths:
        text = CODE.sub("", FENCED.sub("", path.read_text()))
        yield from broken_in(path, MARKDOWN_LINK.findall(text),
                             lambda target: anchors_of_markdown(target) if target.suffix == ".md" else None)

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the manual: build-manual.py GI-DOCGEN CONFIG GIR INCLUDE-PATH OUTPUT

The pages in doc/ are Markdown as any viewer of a source tree shows it. gi-docgen wants a title in front of each, and
leaves links to other pages as they are. So it is given copies of them, in OUTPUT.pages. Comments, such as what
bindings-tests/snippets reads, are left out of those.

gi-docgen's start page is polished afterwards: where to begin comes first, and a row about a website only if there is one.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

DOC = Path(__file__).resolve().parent

COMMENT = re.compile(r"^[ ]*<!--.*?-->[ ]*\n?", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^( *)(```+)[^\n]*\n.*?^\1\2[ ]*$", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"^# (.+)\n", re.MULTILINE)
PAGE_LINK = re.compile(r"\]\(([\w-]+)\.md(#[\w-]+)?\)")
IMAGE_LINK = re.compile(r"\]\(images/([\w.-]+)\)")
OUTSIDE_LINK = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def outside_code(function, text):
    """Applies the function to what stands between fenced blocks."""
    parts, end = [], 0
    for block in FENCED.finditer(text):
        parts += [function(text[end:block.start()]), block[0]]
        end = block.end()
    return "".join(parts) + function(text[end:])


def prepare_links(text):
    """gi-docgen puts all pages and images into one directory, and nothing else of the source tree."""
    text = PAGE_LINK.sub(lambda link: f"]({link[1]}.html{link[2] or ''})", text)
    text = IMAGE_LINK.sub(r"](\1)", text)
    return OUTSIDE_LINK.sub(r"\1 (`\2`)", text)


def prepare_page(source, target):
    text = COMMENT.sub("", source.read_text())
    title = TITLE.search(text)
    if title is None:
        sys.exit(f"build-manual: {source} has no title")
    body = outside_code(prepare_links, text)
    target.write_text(f"Title: {title[1].replace('`', '')}\n\n{body.lstrip()}")


WELCOME = """
  <section>
    <div class="docblock">
      <p>New here? <a href="start.html"><strong>The ten-minute path</strong></a> leads from a fresh Debian 12 to a
      resumed session in a program of your own.</p>
    </div>
  </section>
"""


def polish_start(path):
    """What another gi-docgen writes otherwise stays as that writes it."""
    text = path.read_text()
    text = re.sub(r"\s*<tr><td><em>(Website|Source)</em></td><td><a href=\"(None)?\".*?</tr>", "", text)
    text = text.replace("Additional documentation", "The manual", 1)
    text = text.replace("</header>\n", "</header>\n" + WELCOME, 1)
    path.write_text(text)


def main():
    gi_docgen, config, gir, include_path, output = sys.argv[1:]
    pages = Path(output + ".pages")
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    for source in sorted(DOC.glob("*.md")):
        prepare_page(source, pages / source.name)
    shutil.copytree(DOC / "images", pages / "images")

    done = subprocess.run([gi_docgen, "generate", "--quiet", "--no-namespace-dir", "--fatal-warnings",
                           f"--add-include-path={include_path}", f"--config={config}", f"--output-dir={output}",
                           f"--content-dir={pages}", gir], check=False)
    if done.returncode == 0:
        polish_start(Path(output) / "index.html")
        os.utime(output)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

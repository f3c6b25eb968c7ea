# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual builds, leads nowhere wrong, and says what is so: test-docs.py TOP BUILD GIR DOCGEN CONFIG TOOL

DOCGEN: gi-docgen, or "none". TOOL: the command gtls-session.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import examples
import links
import snippets
from sentences import sentences_of
from tap import Missing, check, tell_all, unwind_on_sigterm

TOP, BUILD, GIR = (Path(argument) for argument in sys.argv[1:4])
DOCGEN, CONFIG = sys.argv[4:6]
TOOL = Path(sys.argv[6]).resolve()
DOC = TOP / "doc"

# Files whose sentences explain() and the errors about carrying a session are made of.
EXPLAINING = ("connection/client-explain.c", "connection/circumstances.c", "connection/client-store.c",
              "connection/client-offer.c", "connection/client-early-data.c", "connection/client-tickets.c",
              "engine/engine-early-data.c", "helper/helper.c", "helper/helper-early-data.c")
# Of these, what is not about whether a session is resumed, or is a frame around what the page has piece by piece.
NOT_EXPLAINED = {
    "…, id …, … s old, lifetime … s, …",
    "… The … bytes of early data …", "… The session store failed to keep a ticket (…)",
    "The early data were not sent: they are for …, and … chose ……", "and refused them", "no application protocol",
    "No session ticket arrived within … ms",
}


def load_make_outputs():
    spec = importlib.util.spec_from_file_location("make_outputs", DOC / "make-outputs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_outputs"] = module  # its dataclass asks for it
    spec.loader.exec_module(module)
    return module


make_outputs = load_make_outputs()


class Manual:
    """Built once, for whoever asks."""

    def __init__(self, directory):
        self.output = Path(directory) / "manual"
        self.done = None

    def build(self):
        if DOCGEN == "none":
            raise Missing("there is no gi-docgen")
        if self.done is None:
            self.done = subprocess.run([sys.executable, DOC / "build-manual.py", DOCGEN, CONFIG, GIR, GIR.parent,
                                        self.output], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
        check(self.done.returncode == 0, f"it does not build:\n{self.done.stdout}")
        return self.output


def check_none(flaws):
    flaws = list(flaws)
    check(not flaws, "\n".join(flaws))


def as_read(text):
    """A page's text as a reader has it: no marks of code, white space is white space."""
    return " ".join(text.replace("`", "").split())


def manual_is_built_without_a_warning():
    manual.build()


def links_in_the_manual_lead_somewhere():
    check_none(links.broken_in_html(manual.build()))


def links_in_the_source_tree_lead_somewhere():
    check_none(links.broken_in_markdown([TOP / "README.md", *sorted(DOC.glob("*.md"))]))


def links_that_lead_nowhere_are_found():
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        (place / "a.html").write_text('<a href="b.html#here"></a><a href="b.html#gone"></a><img src="no.svg"><a href="">')
        (place / "b.html").write_text('<h1 id="here"></h1><a href="https://example.org/x#y"></a><a href="#here"></a>')
        (place / "c.md").write_text("# One `two`\n\n[a](c.md#one-two) [b](c.md#three) [c](d.md) `[d](e.md)`\n")
        check(sorted(links.broken_in_html(place)) == ["a.html has a link without a target", "a.html: b.html has no #gone",
                                                      "a.html: there is no no.svg"], "HTML")
        check(list(links.broken_in_markdown([place / "c.md"])) == ["c.md: c.md has no #three", "c.md: there is no d.md"],
              "Markdown")


def every_page_is_in_the_manual():
    listed = re.findall(r'"([\w.-]+\.md)"', (DOC / "gtls-session.toml.in").read_text())
    present = [page.name for page in DOC.glob("*.md")]
    check(sorted(listed) == sorted(present), f"content_files and doc/ differ in {set(listed) ^ set(present)}")


def every_page_has_its_title():
    output = manual.build()
    for page in DOC.glob("*.md"):
        heading = re.search(r"^# (.+)$", page.read_text(), re.MULTILINE)[1].replace("`", "")
        start = (output / "index.html").read_text().replace("&#39;", "'")
        check(f'<a href="{page.stem}.html">{heading}</a>' in start, f"the start page does not list {page.name}")


def every_class_has_an_example():
    check_none(f"{name} has none" for name, doc in examples.read_types(GIR) if "```" not in doc)


def examples_of_classes_are_good_c():
    found = list(examples.read_all(GIR))
    check(len(found) >= 10, f"there are {len(found)} only")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled")}
    flags = subprocess.run(["pkg-config", "--cflags", "gtls-session-1"], env=environment, check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    done = subprocess.run(["cc", "-fsyntax-only", "-x", "c", "-Wall", "-Wextra", "-Werror", *flags, "-"],
                          input=examples.to_c(found), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(done.returncode == 0, done.stdout)


def every_answer_is_explained():
    page = as_read((DOC / "not-resumed.md").read_text())
    wanted = [sentence for path in EXPLAINING for sentence in sentences_of(TOP / "lib" / path)]
    check(len(wanted) > 40, f"only {len(wanted)} sentences were found")
    check_none(f"not-resumed.md does not have: {sentence}" for sentence in wanted
               if sentence not in NOT_EXPLAINED and as_read(sentence) not in page)


def every_error_is_explained():
    header = (TOP / "lib/ticket/gtls-session-error.h").read_text()
    codes = set(re.findall(r"G_TLS_SESSION_ERROR_([A-Z_]+)", header))
    page = (DOC / "not-resumed.md").read_text()
    check(codes, "no code was found")
    check_none(f"not-resumed.md has no row for {code}" for code in codes if f"\n| `{code}` |" not in page)


def outputs_still_have_their_shape():
    for output in make_outputs.ALL:
        kept = (make_outputs.OUTPUTS / output.name).read_text()
        made = output.make(TOOL)
        check(make_outputs.mask(made) == make_outputs.mask(kept), f"{output.name}: it prints now\n{made}\nand not\n{kept}")


def outputs_on_the_pages_are_those_that_were_made():
    shown = [(page, *block) for page in make_outputs.pages() for block in make_outputs.blocks_of(page)]
    check({name for _, name, _ in shown} == {output.name for output in make_outputs.ALL}, "one is made and not shown")
    check_none(f"{page.name}: this is not {name}; run doc/make-outputs.py" for page, name, text in shown
               if text != (make_outputs.OUTPUTS / name).read_text())


def pages_of_programs():
    """The pages whose programs are run, by what builds the tests."""
    build = (TOP / "bindings-tests/snippets/meson.build").read_text()
    return {(TOP / "bindings-tests/snippets" / page).resolve() for page in re.findall(r"files\('(\S+\.md)'\)", build)}


def every_block_is_run_or_says_why_not():
    run, flaws = pages_of_programs(), []
    check(len(run) > 10, f"only {run} were found")
    for page in make_outputs.pages():
        try:
            programs = snippets.Page(page.read_text()).programs
        except snippets.Misplaced as misplaced:
            flaws.append(f"{page.name}, {misplaced}")
        else:
            if programs and page not in run:
                flaws.append(f"{page.name} has programs, and bindings-tests/snippets/meson.build does not have it")
    check_none(flaws)


def no_block_is_indented_only():
    """Nothing would run it. In a list, deeper lines are text."""
    for page in make_outputs.pages():
        text = links.FENCED.sub("", re.sub(r"<!--.*?-->", "", page.read_text(), flags=re.DOTALL))
        for paragraph, block in re.findall(r"(?:\A|\n\n)(\S[^\n]*(?:\n[^\n]+)*)\n\n {4}(\S[^\n]*)", text):
            is_list = re.match(r"[-*] |\d+\. ", paragraph)
            check(is_list, f"{page.name}: put it between fences, with its language: {block}")


STORIES = (manual_is_built_without_a_warning, links_in_the_manual_lead_somewhere,
           links_in_the_source_tree_lead_somewhere, links_that_lead_nowhere_are_found, every_page_is_in_the_manual,
           every_page_has_its_title, every_class_has_an_example, examples_of_classes_are_good_c,
           every_answer_is_explained, every_error_is_explained, outputs_still_have_their_shape,
           outputs_on_the_pages_are_those_that_were_made, every_block_is_run_or_says_why_not,
           no_block_is_indented_only)

if __name__ == "__main__":
    unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="manual-") as scratch:
        manual = Manual(scratch)
        sys.exit(tell_all([(story.__name__, story) for story in STORIES]))

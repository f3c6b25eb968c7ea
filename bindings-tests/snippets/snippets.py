# SPDX-License-Identifier: LGPL-2.1-or-later
"""The snippets of a Markdown page, put together to programs.

A snippet is a fenced block whose language is one of LANGUAGES. Each is a program of its own. Comments, which no reader
of the finished page sees, say what is otherwise; each stands in the line or lines right above a block:

    <!-- snippet: continues -->         the block goes on where the last program of its language ended; the two are one
                                        program, and run once
    <!-- snippet: file NAME -->         the block is not run but saved, in any language, for the programs that follow
    <!-- snippet: fails -->             the program is meant to end with an error
    <!-- snippet: prints -->            the block is what the program before it prints: its lines come in this order in
                                        its output, and an ellipsis (… or ...) in a line stands for anything
    <!-- snippet: hidden LANGUAGE       code that belongs to a program but not on the page, such as a beginning; what
    CODE                                comes next goes on with it by "continues"
    -->
    <!-- snippet: hidden continues LANGUAGE
    CODE
    -->

An indented fence, as in a list, is one too.
"""

import re
from dataclasses import dataclass, field

LANGUAGES = ("python", "js", "vala", "c", "sh")

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,}) *(?P<language>[\w.+-]*) *$")
REMARK = re.compile(r"^ *<!-- snippet: (?P<words>[^\n]*?) *-->$")
HIDDEN = re.compile(r"^<!-- snippet: hidden (?P<continues>continues )?(?P<language>\w+)$")


class Misplaced(Exception):
    """A page says something about a snippet that cannot be, in words."""


@dataclass
class Program:
    """file: the name that it is saved by, instead of being run."""

    language: str
    line: int
    code: str
    file: str = ""
    fails: bool = False
    prints: list = field(default_factory=list)


class Page:
    def __init__(self, text):
        self.lines = text.splitlines()
        self.number = 0  # of lines that were read
        self.programs = []
        self.read_all()

    def take(self):
        self.number += 1
        return self.lines[self.number - 1]

    def read_all(self):
        remarks = []
        while self.number < len(self.lines):
            line = self.take()
            if hidden := HIDDEN.match(line):
                self.add_code(hidden["language"], ["continues"] if hidden["continues"] else [], self.read_until("-->"))
            elif remark := REMARK.match(line):
                remarks.append(remark["words"])
            elif fence := FENCE.match(line):
                self.add_block(fence, remarks)
                remarks = []
            elif "snippet:" in line and "<!--" in line:
                raise Misplaced(f"line {self.number}: this says nothing about a snippet: {line}")
            elif remarks:
                raise Misplaced(f"line {self.number}: a snippet should stand here, because of: {remarks[0]}")
        if remarks:
            raise Misplaced(f"the end: there is no snippet any more for: {remarks[0]}")

    def read_until(self, end):
        first, lines = self.number, []
        while self.number < len(self.lines):
            line = self.take()
            if line.strip() == end:
                return lines
            lines.append(line)
        raise Misplaced(f"line {first}: it has no end")

    def add_block(self, fence, remarks):
        lines = [line.removeprefix(fence["indent"]) for line in self.read_until(fence["ticks"])]
        if "prints" in remarks:
            self.last(lambda program: not program.file, "prints").prints += [line for line in lines if line.strip()]
        elif fence["language"] in LANGUAGES or any(remark.startswith("file ") for remark in remarks):
            self.add_code(fence["language"], remarks, lines)
        elif remarks:
            raise Misplaced(f"line {self.number}: this is no snippet, though it says: {remarks[0]}")

    def last(self, fits, remark):
        for program in reversed(self.programs):
            if fits(program):
                return program
        raise Misplaced(f"line {self.number}: there is nothing before it for: {remark}")

    def add_code(self, language, remarks, lines):
        line = self.number - len(lines) - 1
        code = "\n".join(lines) + "\n"
        if "continues" in remarks:
            program = self.last(lambda program: program.language == language and not program.file, "continues")
            program.code += code
        else:
            program = Program(language, line, code)
            self.programs.append(program)
        for remark in remarks:
            if remark.startswith("file "):
                program.file = remark.removeprefix("file ")
            elif remark == "fails":
                program.fails = True
            elif remark != "continues":
                raise Misplaced(f"line {line}: this is nothing one can say about a snippet: {remark}")


def first_not_printed(wanted, output):
    """The first of the lines that the output, read in order, does not have; None if it has them all."""
    printed = iter(output.splitlines())
    for line in wanted:
        pattern = re.compile(".*".join(re.escape(part) for part in re.split(r"…|\.\.\.", line.strip())))
        if not any(pattern.fullmatch(other.strip()) for other in printed):
            return line
    return None

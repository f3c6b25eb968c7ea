# SPDX-License-Identifier: LGPL-2.1-or-later
"""The snippets of a Markdown page, put together to programs.

A snippet is a fenced block whose language is one of LANGUAGES. Each is a program of its own. Comments, which no reader
of the finished page sees, say what is otherwise; each stands in the line or lines right above a block:

    <!-- snippet: continues -->         the block goes on where the last program of its language ended; the two are one
                                        program, and run once
    <!-- snippet: file NAME -->         the block is not run but saved, in any language, for the programs that follow
    <!-- snippet: fails -->             the program is meant to end with an error
    <!-- snippet: way WAY -->           the console block is typed in a fresh system only, by tests/newcomer, because it
                                        builds or installs; and there by those only who go that way ("any": by all)
    <!-- snippet: not run: WHY -->      the block is no program and no output, or one that cannot be run here
    <!-- snippet: prints -->            the block is what the program before it prints: its lines come in this order in
                                        its output, and an ellipsis (… or ...) in a line stands for anything
    <!-- snippet: hidden LANGUAGE       code that belongs to a program but not on the page, such as a beginning; what
    CODE                                comes next goes on with it by "continues"
    -->
    <!-- snippet: hidden continues LANGUAGE
    CODE
    -->

An indented fence, as in a list, is one too. In a block of the language "console" each line that begins with "$ " is
typed, all of a page in one shell, and what comes below it is what is printed then, as with "prints".

Every fenced block of a page has to be one of these, or a terminal output that doc/make-outputs.py makes.
"""

import re
from dataclasses import dataclass, field

CONSOLE = "console"
LANGUAGES = ("python", "js", "vala", "c", "sh", CONSOLE)

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,}) *(?P<language>[\w.+-]*) *$")
REMARK = re.compile(r"^ *<!-- snippet: (?P<words>[^\n]*?) *-->$")
OUTPUT = re.compile(r"^<!-- output: [\w.-]+ -->$")
HIDDEN = re.compile(r"^<!-- snippet: hidden (?P<continues>continues )?(?P<language>\w+)$")


class Misplaced(Exception):
    """A page says something about a snippet that cannot be, in words."""


@dataclass
class Program:
    """file: the name that it is saved by, instead of being run. way: who types it in a fresh system, instead of here."""

    language: str
    line: int
    code: str
    file: str = ""
    fails: bool = False
    way: str = ""
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
        remarks, is_output = [], False
        while self.number < len(self.lines):
            line = self.take()
            if hidden := HIDDEN.match(line):
                self.add_code(hidden["language"], ["continues"] if hidden["continues"] else [], self.read_until("-->"))
            elif remark := REMARK.match(line):
                remarks.append(remark["words"])
            elif fence := FENCE.match(line):
                self.add_block(fence, ["not run: it was made"] if is_output else remarks)
                remarks, is_output = [], False
            elif OUTPUT.match(line):
                is_output = True
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
        if any(remark.startswith("not run: ") for remark in remarks):
            return
        if "prints" in remarks:
            self.last(lambda program: not program.file and program.language != CONSOLE, "prints").prints += [
                line for line in lines if line.strip()]
        elif fence["language"] in LANGUAGES or any(remark.startswith("file ") for remark in remarks):
            self.add_code(fence["language"], remarks, lines)
        elif remarks:
            raise Misplaced(f"line {self.number}: this is no snippet, though it says: {remarks[0]}")
        else:
            raise Misplaced(f"line {self.number - len(lines) - 1}: nothing runs this block, and it does not say why")

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
            elif remark.startswith("way ") and language == CONSOLE:
                program.way = remark.removeprefix("way ")
            elif remark != "continues":
                raise Misplaced(f"line {line}: this is nothing one can say about a snippet: {remark}")


def commands_of(code):
    """(what is typed, the lines that it prints) for each command of a console block. A backslash goes on in the next."""
    commands = []
    for line in code.splitlines():
        if commands and commands[-1][0].endswith("\\"):
            commands[-1] = (f"{commands[-1][0]}\n{line}", [])
        elif line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        elif not commands:
            raise Misplaced(f"a console block begins with what is typed, not with: {line}")
        elif line.strip():
            commands[-1][1].append(line)
    return commands


def first_not_printed(wanted, output):
    """The first of the lines that the output, read in order, does not have; None if it has them all."""
    printed = iter(output.splitlines())
    for line in wanted:
        pattern = re.compile(".*".join(re.escape(part) for part in re.split(r"…|\.\.\.", line.strip())))
        if not any(pattern.fullmatch(other.strip()) for other in printed):
            return line
    return None

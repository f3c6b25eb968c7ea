# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs the tree into a prefix and stands outside of it: test-installed.py SOURCE

Programs in four languages find it with pkg-config, valac, GObject introspection and nothing else.
"""

import os
import re
import sys
import tempfile
from functools import partial
from pathlib import Path

import outside
import tap
from outside import PROGRAMS, check_resumes, run
from tap import check

NAME = "gtls-session-1"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
COMPILERS = {"c": [os.environ.get("CC", "cc"), "-x", "c", "-std=c11", "-Wstrict-prototypes"],
             "c++": [os.environ.get("CXX", "c++"), "-x", "c++", "-std=c++11"]}
# What the library has for its GIO module, which is linked with it; no program is to call it, so no header tells of it.
FOR_THE_MODULE = {"g_tls_session_backend_register"}
MODULE_SYMBOLS = {"g_io_module_load", "g_io_module_unload", "g_io_module_query"}


class Prefix:
    def __init__(self, source, top):
        self.source = source
        self.top = top
        self.path = top / "prefix"
        self.headers = self.path / "include" / NAME
        self.library = self.path / "lib" / f"lib{NAME}.so"
        self.environment = {
            "PKG_CONFIG_PATH": f"{self.path}/lib/pkgconfig",
            "LD_LIBRARY_PATH": f"{self.path}/lib",
            "GI_TYPELIB_PATH": f"{self.path}/lib/girepository-1.0",
            "XDG_DATA_DIRS": f"{self.path}/share:/usr/local/share:/usr/share",
        }

    def build(self):
        outside.build(self.source, self.top / "build", self.path, "-Dtests=false", "-Dwerror=true")

    def run(self, *command):
        return run(command, self.environment, cwd=self.top)

    def pkg_config(self, *question):
        return self.run("pkg-config", *question, NAME).split()

    def flags_for_header(self):
        """GLib's headers as a system's, so that warnings are about ours only."""
        return [re.sub(r"^-I(?!.*gtls-session)", "-isystem", flag) for flag in self.pkg_config("--cflags")]

    def header_names(self):
        return {str(path.relative_to(self.headers)) for path in self.headers.rglob("*") if path.is_file()}


def exported(library):
    return {line.split()[-1] for line in run(["nm", "-D", "--defined-only", library]).splitlines()}


def installs_into_the_prefix(prefix):
    prefix.build()
    for name in (f"lib/lib{NAME}.so", f"lib/pkgconfig/{NAME}.pc", "lib/girepository-1.0/GTlsSession-1.typelib",
                 "share/gir-1.0/GTlsSession-1.gir", f"share/vala/vapi/{NAME}.vapi", f"share/vala/vapi/{NAME}.deps",
                 "lib/gio/modules/libgiogtlssession.so"):
        check((prefix.path / name).is_file(), f"{name} is not there")


def installs_the_public_headers_and_no_other(prefix):
    lib = prefix.source / "lib"
    public = {str(path.relative_to(lib)) for path in lib.rglob("gtls-session*.h")} | {"gtls-session-version.h"}
    installed = prefix.header_names()
    check(installed == public, f"missing: {public - installed}, too many: {installed - public}")


def pkg_config_tells_what_is_needed(prefix):
    version = prefix.pkg_config("--modversion")
    source = re.search(r"version: '([^']+)'", (prefix.source / "meson.build").read_text()).group(1)
    check(version == [source], f"version {version}, not {source}")
    # No header needs more than GIO's, and what the shared library is linked with is its own affair: whoever builds
    # a program on it does not need OpenSSL's headers, which Requires.private would make pkg-config look for.
    check(prefix.pkg_config("--print-requires") == ["gio-2.0", ">=", "2.74"], prefix.pkg_config("--print-requires"))
    check(prefix.pkg_config("--print-requires-private") == [], prefix.pkg_config("--print-requires-private"))
    check(f"-I{prefix.headers}" in prefix.pkg_config("--cflags"), prefix.pkg_config("--cflags"))
    libraries = prefix.pkg_config("--libs")
    check({f"-L{prefix.path}/lib", f"-l{NAME}", "-lgio-2.0"} <= set(libraries), libraries)
    check(not [flag for flag in libraries if re.search("ssl|crypto|sqlite|redis|internal", flag.removeprefix(f"-l{NAME}"))
               and not flag.startswith("-L")], libraries)


def each_header_compiles_alone(language, prefix):
    for name in sorted(prefix.header_names()):
        program = prefix.top / "alone.source"
        program.write_text(f"#include <{name}>\nextern int not_empty;\n")
        prefix.run(*COMPILERS[language], *WARNINGS, *prefix.flags_for_header(), "-fsyntax-only", program)


def headers_include_only_glibs_and_each_other(prefix):
    for name in sorted(prefix.header_names()):
        header = prefix.headers / name
        for included in re.findall(r'^\s*#\s*include\s+([<"].+[>"])', header.read_text(), re.MULTILINE):
            ours = included.startswith('"') and (header.parent / included.strip('"')).resolve().is_relative_to(
                prefix.headers)
            check(ours or included == "<gio/gio.h>" or included == "<glib.h>", f"{name} includes {included}")


def library_exports_its_headers_functions_and_nothing_else(prefix):
    program = prefix.top / "all.c"
    program.write_text("#include <gtls-session.h>\n")
    text = prefix.run("cc", "-E", "-P", *prefix.pkg_config("--cflags"), program)
    declared = set(re.findall(r"\b(g_tls_session_\w+)\s*\(", text))
    found = exported(prefix.library)
    check(len(declared) > 50, f"declared are only {declared}")
    strangers = {name for name in found if not name.startswith("g_tls_session_")}
    check(not strangers, f"exported, and not named g_tls_session_: {strangers}")
    check(declared <= found, f"declared and not exported: {declared - found}")
    check(found - declared == FOR_THE_MODULE, f"exported and not declared: {found - declared}")


def module_exports_what_gio_calls_and_nothing_else(prefix):
    found = exported(prefix.path / "lib/gio/modules/libgiogtlssession.so")
    check(found == MODULE_SYMBOLS, found)


def c_program_resumes(prefix):
    program = prefix.top / "resume-c"
    prefix.run("cc", "-Wall", "-Werror", PROGRAMS / "resume.c", "-o", program, *prefix.pkg_config("--cflags", "--libs"))
    check_resumes([program], prefix.environment)


def vala_program_resumes(prefix):
    program = prefix.top / "resume-vala"
    prefix.run("valac", "--fatal-warnings", "--pkg", NAME, "--pkg", "gio-2.0", "-X", "-w", PROGRAMS / "resume.vala",
               "-o", program)
    check_resumes([program], prefix.environment)


def python_program_resumes(prefix):
    check_resumes([sys.executable, PROGRAMS / "resume.py"], prefix.environment)


def gjs_program_resumes(prefix):
    check_resumes(["gjs", "-m", PROGRAMS / "resume.js"], prefix.environment)


def stories(prefix):
    yield "installs_into_the_prefix", partial(installs_into_the_prefix, prefix)
    yield "installs_the_public_headers_and_no_other", partial(installs_the_public_headers_and_no_other, prefix)
    yield "pkg_config_tells_what_is_needed", partial(pkg_config_tells_what_is_needed, prefix)
    for language in COMPILERS:
        yield f"{language}/each_header_compiles_alone", partial(each_header_compiles_alone, language, prefix)
    for story in (headers_include_only_glibs_and_each_other, library_exports_its_headers_functions_and_nothing_else,
                  module_exports_what_gio_calls_and_nothing_else, c_program_resumes, vala_program_resumes,
                  python_program_resumes, gjs_program_resumes):
        yield story.__name__, partial(story, prefix)


def main():
    tap.unwind_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="gtls-session-installed-") as top:
        return tap.tell_all(list(stories(Prefix(Path(sys.argv[1]), Path(top)))))


if __name__ == "__main__":
    sys.exit(main())

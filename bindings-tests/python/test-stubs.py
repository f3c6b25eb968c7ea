# SPDX-License-Identifier: LGPL-2.1-or-later
"""The type stubs name everything that the typelib and the override have, and nothing else: test-stubs.py STUBS"""

import ast
import sys
from pathlib import Path

import gi

from support import story, tell_all
from gi.repository import GObject, GTlsSession

gi.require_version("GIRepository", "2.0")
from gi.repository import GIRepository  # noqa: E402

STUBS = ast.parse(Path(sys.argv[1]).read_text())
OF_THE_STUBS = {"BytesLike", "_T"}  # there for types only


def names_in(body):
    """What a module or a class defines: the name, and its syntax tree."""
    names = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names[node.targets[0].id] = node
    return names


MODULE = names_in(STUBS.body)
CLASSES = {name: names_in(node.body) for name, node in MODULE.items() if isinstance(node, ast.ClassDef)}


def complain(problems):
    assert not problems, "GTlsSession.pyi:\n" + "\n".join(problems)


def each(info, kind):
    plural = "properties" if kind == "property" else f"{kind}s"
    for index in range(getattr(GIRepository, f"{info_prefix(info)}_get_n_{plural}")(info)):
        yield getattr(GIRepository, f"{info_prefix(info)}_get_{kind}")(info, index)


def info_prefix(info):
    return {GIRepository.InfoType.OBJECT: "object_info", GIRepository.InfoType.INTERFACE: "interface_info",
            GIRepository.InfoType.ENUM: "enum_info", GIRepository.InfoType.STRUCT: "struct_info"}[info.get_type()]


REPOSITORY = GIRepository.Repository.get_default()
INFOS = [REPOSITORY.get_info("GTlsSession", index) for index in range(REPOSITORY.get_n_infos("GTlsSession"))]
# The structs behind classes are nothing that a program uses in Python.
INFOS = [info for info in INFOS if info.get_type() != GIRepository.InfoType.STRUCT
         or not GIRepository.struct_info_is_gtype_struct(info)]
CLASS_KINDS = (GIRepository.InfoType.OBJECT, GIRepository.InfoType.INTERFACE)
TYPES = [info for info in INFOS if info.get_type() in (*CLASS_KINDS, GIRepository.InfoType.STRUCT)]
CLASSES_PROPER = [info for info in TYPES if info.get_type() in CLASS_KINDS]


def parameters_of(info):
    """As Python sees them; what is handed to a callback comes last, as many as one likes."""
    count = GIRepository.callable_info_get_n_args(info)
    names = [GIRepository.callable_info_get_arg(info, index).get_name() for index in range(count)]
    return [name for name in names if name != "user_data"]


def parameters_in(function):
    return [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]


@story
def module_has_every_name():
    wanted = {info.get_name() for info in INFOS} | set(sys.modules["gi.overrides.GTlsSession"].__all__)
    problems = [f"add {name}, which the typelib or the override has" for name in wanted - set(MODULE)]
    problems += [f"take {name} away, which neither the typelib nor the override has"
                 for name in set(MODULE) - wanted - OF_THE_STUBS]
    complain(problems)


@story
def enumerations_have_every_value():
    problems = []
    for info in INFOS:
        if info.get_type() != GIRepository.InfoType.ENUM:
            continue
        wanted = {value.get_name().upper(): GIRepository.value_info_get_value(value) for value in each(info, "value")}
        found = {name: ast.literal_eval(node.value) for name, node in CLASSES[info.get_name()].items()
                 if isinstance(node, ast.Assign)}
        if wanted != found:
            problems.append(f"{info.get_name()} has the values {wanted}, not {found}")
    complain(problems)


@story
def classes_have_every_method_with_its_parameters():
    problems = []
    for info in TYPES:
        names = CLASSES.get(info.get_name(), {})
        for method in each(info, "method"):
            where = f"{info.get_name()}.{method.get_name()}"
            wanted = parameters_of(method)
            function = names.get(method.get_name())
            if function is None:
                problems.append(f"add {where}({', '.join(wanted)})")
            elif wanted != parameters_in(function):
                problems.append(f"{where} has the parameters {wanted}, not {parameters_in(function)}")
        if info.get_type() == GIRepository.InfoType.INTERFACE:
            problems += [f"add {info.get_name()}.do_{vfunc.get_name()}" for vfunc in each(info, "vfunc")
                         if f"do_{vfunc.get_name()}" not in names]
    complain(problems)


@story
def classes_have_every_property():
    problems = []
    for info in CLASSES_PROPER:
        names = CLASSES.get(info.get_name(), {})
        wanted = {property_.get_name().replace("-", "_"): property_ for property_ in each(info, "property")}
        listed = set(names_in(names["Props"].body)) if "Props" in names else set()
        problems += [f"add {info.get_name()}.Props.{name}" for name in set(wanted) - listed]
        problems += [f"take {info.get_name()}.Props.{name} away" for name in listed - set(wanted)]
        for name, property_ in wanted.items():
            flags = GIRepository.property_info_get_flags(property_)
            if flags & GObject.ParamFlags.READABLE and name not in names:
                problems.append(f"add {info.get_name()}.{name}, which the override makes of a property")
    complain(problems)


@story
def classes_have_nothing_that_is_not_there():
    problems = []
    for name, members in CLASSES.items():
        there = getattr(GTlsSession, name)
        problems += [f"take {name}.{member} away" for member in members
                     if member != "Props" and not hasattr(there, member.removeprefix("do_"))]
    complain(problems)


@story
def classes_have_what_the_override_adds():
    problems = []
    for info in TYPES:
        members = vars(getattr(GTlsSession, info.get_name()))
        ours = {name for name, value in members.items()
                if isinstance(value, property) or getattr(value, "__module__", None) == "gi.overrides.GTlsSession"}
        problems += [f"add {info.get_name()}.{name}" for name in ours - set(CLASSES.get(info.get_name(), {}))]
    complain(problems)


@story
def parents_are_those_of_the_typelib():
    problems = []
    for info in TYPES:
        if info.get_type() != GIRepository.InfoType.OBJECT or info.get_name() not in MODULE:
            continue
        parents = [GIRepository.object_info_get_parent(info), *each(info, "interface")]
        wanted = [parent.get_name() if parent.get_namespace() == "GTlsSession" else
                  f"{parent.get_namespace()}.{parent.get_name()}" for parent in parents]
        found = [ast.unparse(base) for base in MODULE[info.get_name()].bases]
        if wanted != found:
            problems.append(f"{info.get_name()} has the parents {wanted}, not {found}")
    complain(problems)


tell_all()

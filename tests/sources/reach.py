"""What a rule can answer, read off its code: builders of CDEvents and reasons that its function can reach.

Nothing is run. From a function on, every function and class of ``streams`` that it names is looked through,
in what it names as well. So more may be found than can happen, and never less.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from schemas.cdevents.versions import OWN_VERSIONS, VERSIONS

BUILDERS, ROOM = "schemas.cdevents.vocabulary.", "streams."
ANYTHING = "…"


def reached(*begin: object) -> list[FunctionType]:
    """The functions that can be reached, these included, each once; builders are not looked into."""
    found: dict[FunctionType, None] = {}
    waiting = list(begin)
    while waiting:
        thing = waiting.pop(0)
        if isinstance(thing, property):
            thing = thing.fget
        if isinstance(thing, classmethod | staticmethod):
            thing = thing.__func__
        if isinstance(thing, FunctionType) and _is_ours(thing) and thing not in found:
            found[thing] = None
            if not thing.__module__.startswith(BUILDERS):
                waiting += _named_in(thing)
        elif isinstance(thing, type) and thing.__module__.startswith(ROOM):
            waiting += vars(thing).values()
        elif isinstance(thing, Mapping):
            waiting += thing.values()
    return list(found)


def cdevents_of(functions: list[FunctionType]) -> list[str]:
    """The names of CDEvents, as ``service.deployed``, that these functions can build."""
    words = {word for function in functions for word in _texts(function.__code__)}
    built = {name for name in (*VERSIONS, *OWN_VERSIONS) if name in words}
    # Kubernetes' reports are called after what became of a rollout: f"service.{kind}".
    if "service." in words:
        built |= {
            name for name in VERSIONS if name.startswith("service.") and name.partition(".")[2] in words
        }
    return sorted(built)


def reasons_of(functions: list[FunctionType], answer: str) -> list[str]:
    """The reasons that these functions can give for an answer, ``Ignored`` or ``Unmapped``."""
    found: dict[str, None] = {}
    for function in functions:
        for node in ast.walk(_tree(function)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == answer:
                found |= dict.fromkeys(_spelled(node.args[0], function.__globals__) if node.args else ())
    return list(found)


def _is_ours(function: FunctionType) -> bool:
    if not function.__module__.startswith((ROOM, BUILDERS)):
        return False
    # A dataclass makes methods of its own, which stand in no file.
    return function.__code__.co_filename == sys.modules[function.__module__].__file__


def _named_in(function: FunctionType) -> Iterator[object]:
    names = [name for code in _codes(function.__code__) for name in code.co_names]
    for name in names:
        thing = function.__globals__.get(name)
        if isinstance(thing, ModuleType) and thing.__name__.startswith(ROOM):
            yield from (getattr(thing, each, None) for each in names)
        else:
            yield thing


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _texts(code: CodeType) -> Iterator[str]:
    for each in _codes(code):
        for constant in each.co_consts:
            yield from (text for text in _flat(constant) if isinstance(text, str))


def _flat(constant: Any) -> Iterator[Any]:
    if isinstance(constant, tuple | frozenset):
        for each in constant:
            yield from _flat(each)
    else:
        yield constant


def _tree(function: FunctionType) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _spelled(node: ast.expr, names: Mapping[str, Any]) -> Iterator[str]:
    """The texts that an expression can be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else ANYTHING for part in parts)
        case ast.Name(id=name) if isinstance(names.get(name), str):
            yield names[name]
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(names.get(name), Mapping):
            yield from names[name].values()
        case ast.IfExp(body=one, orelse=other):
            yield from (*_spelled(one, names), *_spelled(other, names))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, other]):
            yield from (*dict(names.get(name) or {}).values(), *_spelled(other, names))
        case ast.Call(func=ast.Name(id=name)) if isinstance(names.get(name), FunctionType):
            for inner in ast.walk(_tree(names[name])):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from _spelled(inner.value, names[name].__globals__)

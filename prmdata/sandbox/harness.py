"""Inside the sandbox: run the code, then report its last expression's value as JSON.

Nothing here is a judge. Code shares this process and could write any report it likes; so a
value is only ever compared outside, by someone who knows what it ought to be.
"""

from __future__ import annotations
import __future__

import ast
import json
import linecache
import os
import random
import sys
import traceback
from types import CodeType, ModuleType
from typing import Any

NAME = "<code>"
REPORT = 3
"""The descriptor of the report; without a report, a run did not end well."""

REPORT_BYTES = 1 << 20
OK, ERROR, MEMORY = 0, 1, 86

_FEATURES = 0
for _name in __future__.all_feature_names:
    _FEATURES |= getattr(__future__, _name).compiler_flag


def run(code: str) -> int:
    """The status to exit with; what went wrong is on stderr."""
    try:
        value = execute(code)
        tell(report(value))
    except MemoryError:
        os.write(2, b"MemoryError\n")
        return MEMORY
    except BaseException as error:  # noqa: BLE001  whatever the code did is told on stderr
        explain(error)
        return ERROR
    return OK


def tell(data: bytes) -> None:
    _flush()
    os.write(REPORT, data)


def warm_up() -> None:
    """Touch what every run touches, before the fork."""
    compiled("1\n1")
    report([1])
    traceback.format_exception(ValueError("none"))


def execute(code: str) -> object:
    """Leaving early is an error; `sys.exit(0)` inside the last statement is the end."""
    body, last, names = _prepared(code)
    exec(body, names)
    try:
        return eval(last, names)
    except SystemExit as end:
        if end.code:
            raise
        return None


def loaded(code: str) -> dict[str, object]:
    """The names of a program that was run to its end."""
    body, last, names = _prepared(code)
    exec(body, names)
    eval(last, names)
    return names


def _prepared(code: str) -> tuple[CodeType, CodeType, dict[str, object]]:
    linecache.cache[NAME] = (len(code), None, code.splitlines(keepends=True), NAME)
    body, last = compiled(code)
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    random.seed(0)  # a fork has seeded it anew, and a run should repeat itself
    return body, last, module.__dict__


def compiled(code: str) -> tuple[CodeType, CodeType]:
    """All but the last statement, and the last, as an expression if it is one."""
    tree = ast.parse(code, NAME)
    rest, final = tree.body[:-1], tree.body[-1:]
    body = compile(ast.Module(rest, []), NAME, "exec", dont_inherit=True)
    features = body.co_flags & _FEATURES
    if final and isinstance(final[0], ast.Expr):
        last = ast.Expression(final[0].value)
        return body, compile(last, NAME, "eval", features, dont_inherit=True)
    return body, compile(ast.Module(final, []), NAME, "exec", features, dont_inherit=True)


def report(value: object) -> bytes:
    """`null` for what is not plain data, or is too much of it."""
    try:
        data = json.dumps(plain(value)).encode()
    except (TypeError, ValueError, RecursionError):
        return b"null"
    return data if len(data) <= REPORT_BYTES else b"null"


def plain(value: Any) -> object:
    """Exact types only: a subclass may lie about itself."""
    kind = type(value)
    if kind in (bool, int, float, str, type(None)):
        return value
    if kind in (list, tuple):
        return [plain(item) for item in value]
    if kind is dict and all(type(key) is str for key in value):
        return {key: plain(item) for key, item in value.items()}
    raise TypeError(f"{kind.__name__} is not plain data")


def _flush() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()


def explain(error: BaseException) -> None:
    """The traceback from the code's first line on, in the words Python has for it."""
    try:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename != NAME:
            frames = frames.tb_next
        lines = traceback.format_exception(type(error), error, frames)
        os.write(2, "".join(lines).encode(errors="replace"))
        _flush()
    except BaseException:  # noqa: BLE001  the code may have broken what explains it
        os.write(2, b"an error that cannot be shown\n")

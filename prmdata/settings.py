"""`--set name=value` → the fields of a frozen dataclass, checked against their types."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import math
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from prmdata.errors import UsageError, unknown

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=1)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


def configured(kind: type[T], settings: Mapping[str, Any]) -> T:
    """An instance of the dataclass `kind`; text is read as the field's type asks."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {}
    for name, value in settings.items():
        if name not in fields:
            raise unknown("setting", name, fields)
        if typing.get_origin(hints[name]) is typing.Literal:
            values[name] = _chosen(name, value, typing.get_args(hints[name]))
            continue
        try:
            values[name] = msgspec.convert(_plain(value), hints[name], strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"--set {name}={value}: {error}") from None
        if isinstance(values[name], float) and not math.isfinite(values[name]):
            raise UsageError(f"--set {name}={value}: must be a number")
    for name, field in fields.items():
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise UsageError(f"{kind.__name__.lower()} needs a {name}: --set {name}=…")
    return kind(**values)


def _chosen(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """One of a few words, as it stands: `none` may be one of them."""
    for choice in choices:
        if str(choice) == str(value):
            return choice
    raise UsageError(f"--set {name}={value}: write {' or '.join(map(str, choices))}")


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in ("none", "null"):
        return None
    if isinstance(value, str) and value.lower() in ("yes", "true", "no", "false"):
        return value.lower() in ("yes", "true")
    if isinstance(value, str) and re.fullmatch(r"[+-]?\.\d+", value):
        return value.replace(".", "0.")  # .25 is how people write it
    return value


def pairs(options: Iterable[str], option: str) -> dict[str, str]:
    """`name=value` words, also several in one, separated by commas where values hold none."""
    found = {}
    for words in options:
        for word in _split(words):
            name, mark, value = word.partition("=")
            if not mark or not name:
                raise UsageError(f"{option} {word}: write it as name=value")
            found[name.strip()] = value
    return found


def _split(words: str) -> list[str]:
    parts = words.split(",")
    return parts if all("=" in part for part in parts) else [words]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a person should know of one field."""

    name: str
    allowed: str
    """Which values it takes, in words."""
    default: str | None
    """`None`: it has to be given."""
    text: str
    """The docstring under the field."""


def documented(kind: type) -> list[Setting]:
    """Every setting of a dataclass, with what its source says of it."""
    hints = typing.get_type_hints(kind, include_extras=True)
    texts = _docstrings(kind)
    return [
        Setting(f.name, _allowed(hints[f.name]), _default(f), texts.get(f.name, ""))
        for f in dataclasses.fields(kind)
    ]


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    return None if field.default is dataclasses.MISSING else str(field.default)


def _docstrings(kind: type) -> dict[str, str]:
    """Field → the text under it. Python keeps none of these, so they are read from the source."""
    found: dict[str, str] = {}
    for parent in reversed(kind.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(parent)))
        except (OSError, TypeError, SyntaxError):  # made at run time, or shipped without source
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, after in itertools.pairwise(body):
            match field, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = inspect.cleandoc(text)
    return found


NAMES = {int: "whole number", float: "number", bool: "yes or no", str: "text", type(None): "none"}


def _allowed(hint: Any) -> str:
    """A type in words: `whole number, at least 1`, `a or b`."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        bounds = (_bounds(mark) for mark in parts[1:] if isinstance(mark, msgspec.Meta))
        return ", ".join([_allowed(parts[0]), *filter(None, bounds)])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_allowed, parts))
    if origin is typing.Literal:
        return " or ".join(map(str, parts))
    return NAMES.get(hint, str(getattr(hint, "__name__", hint)))


def _bounds(mark: msgspec.Meta) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = ((text, getattr(mark, name)) for name, text in words.items())
    return ", ".join(f"{text} {bound:g}" for text, bound in bounds if bound is not None)


def settings_of(configured: Any) -> dict[str, Any]:
    """Every setting with its value, defaults included."""
    return dataclasses.asdict(configured)

"""In the tests' process: run them, with a stand-in for each name of the program.

The tests' own names are theirs: what the program calls `abs` is not what a test calls `abs`.
"""

from __future__ import annotations

import builtins
import secrets
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from prmdata.sandbox import harness, names, wire

CHANNEL = 4
"""The descriptor that the program's process is at the other end of; 3 is the verdict's."""


class ProgramError(Exception):
    """The program raised, or ended."""


def judge(tests: dict[str, Any]) -> bool:
    """Whether all tests pass. `setup`, `tests`: source; `entry_point`: what `check` is given."""
    channel = _Channel()
    own = _module()
    entry = tests["entry_point"]
    own.update(names.of_their_own(tests))
    for name in names.of_the_program(tests):
        if name in channel.names:
            own[name] = _Remote(channel, ["name", name])
    exec(compile(tests["setup"], "<setup>", "exec"), own)
    for source in tests["tests"]:
        exec(compile(source, "<tests>", "exec"), own)
    if entry is not None:
        if entry not in channel.names or "check" not in own:
            return False
        own["check"](_Remote(channel, ["name", entry]))
    return True


def run(tests: dict[str, object]) -> int:
    try:
        passed = judge(tests)
        harness.tell(harness.report(passed))
    except BaseException as error:  # noqa: BLE001  a test that fails raises
        harness.explain(error)
        harness.tell(b"false")
    return harness.OK


def _module() -> dict[str, Any]:
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    return module.__dict__


class _Channel:
    def __init__(self) -> None:
        try:
            self.names = frozenset(map(str, wire.receive(CHANNEL)))
        except (wire.Closed, TypeError):
            raise ProgramError("the program did not load") from None

    def ask(self, verb: str, target: object, *rest: object) -> object:
        number = secrets.token_hex(8)
        try:
            wire.send(CHANNEL, [number, verb, target, *rest])
            answered, how, held = wire.receive(CHANNEL)
            if answered != number:
                raise wire.Closed
            if how == "value":
                return wire.unpacked(held, self._remote)
            name, message = map(str, held)
        except (wire.Closed, OSError, ValueError, TypeError, KeyError, ArithmeticError):
            raise ProgramError("the program ended, or answered with no value") from None
        raise _named(name)(message)

    def _remote(self, kind: str, held: object) -> _Remote:
        if kind != "object" or type(held) is not int:
            raise ValueError(kind)
        return _Remote(self, ["object", held])


_NEVER = (AssertionError, StopIteration, StopAsyncIteration, MemoryError, RecursionError)


def _named(name: str) -> type[Exception]:
    """The exception of this name, save those that would say something of the tests themselves."""
    found = getattr(builtins, name, None)
    if not isinstance(found, type) or not issubclass(found, Exception):
        return ProgramError
    return ProgramError if issubclass(found, (*_NEVER, Warning)) else found


class _Remote:
    """Something of the program's. It is equal to itself alone."""

    __slots__ = ("_channel", "_place")

    def __init__(self, channel: _Channel, place: object) -> None:
        self._channel, self._place = channel, place

    def __call__(self, *arguments: object, **named: object) -> object:
        packed = [wire.packed(value, _place) for value in arguments]
        by_name = {name: wire.packed(value, _place) for name, value in named.items()}
        return self._channel.ask("call", self._place, packed, by_name)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._channel.ask("attribute", self._place, name)

    def __getitem__(self, item: object) -> object:
        return self._channel.ask("item", self._place, wire.packed(item, _place))

    def __iter__(self) -> Iterator[object]:
        return iter(_of_kind(list, self._channel.ask("items", self._place)))

    def __len__(self) -> int:
        length: int = _of_kind(int, self._channel.ask("length", self._place))
        return length

    def __bool__(self) -> bool:
        truth: bool = _of_kind(bool, self._channel.ask("truth", self._place))
        return truth

    def __str__(self) -> str:
        text: str = _of_kind(str, self._channel.ask("text", self._place))
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Remote) and other._place == self._place

    def __hash__(self) -> int:
        return hash(str(self._place))


def _place(value: object) -> object:
    if isinstance(value, _Remote):
        return value._place
    raise ProgramError(f"a {type(value).__name__} cannot be given to the program")


def _of_kind(kind: type, value: object) -> Any:
    if type(value) is not kind:
        raise ProgramError(f"the program gave no {kind.__name__}")
    return value

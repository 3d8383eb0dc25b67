"""In a program's process: run the program, then do what its tests ask of it, one call at a time.

No test and no expected value is ever in this process. A program can answer a call with what it
likes; that is what programs do. It can neither see the verdict's channel nor the tests' names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prmdata.sandbox import harness, wire

CHANNEL = harness.REPORT
"""The descriptor that the tests' process is at the other end of."""

MOST_ITEMS = 100_000


def serve(code: str) -> int:
    """The status to exit with: the tests end, and the program with them."""
    try:
        names = harness.loaded(code)
        server = _Server(names)
        wire.send(CHANNEL, [name for name in names if not name.startswith("__")])
        while True:
            wire.send(CHANNEL, server.answer(wire.receive(CHANNEL)))
    except wire.Closed:
        return harness.OK
    except MemoryError:
        return harness.MEMORY
    except BaseException as error:  # noqa: BLE001  whatever the code did is told on stderr
        harness.explain(error)
        return harness.ERROR


class _Server:
    def __init__(self, names: dict[str, object]) -> None:
        self._names = names
        self._objects: list[object] = []

    def answer(self, message: Any) -> object:
        number, verb, target, *rest = message
        try:
            value = self._done(verb, self._unpacked(target), *rest)
            return [number, "value", wire.packed(value, self._handle)]
        except Exception as error:  # noqa: BLE001  a test may expect it
            return [number, "error", [type(error).__name__, str(error)[:500]]]

    def _done(self, verb: str, target: Any, *rest: Any) -> object:
        if verb == "call":
            arguments, named = rest
            named = {name: self._unpacked(value) for name, value in named.items()}
            return target(*map(self._unpacked, arguments), **named)
        if verb == "attribute":
            return getattr(target, rest[0])
        if verb == "item":
            return target[self._unpacked(rest[0])]
        if verb == "items":
            return [item for item, _ in zip(target, range(MOST_ITEMS), strict=False)]
        verbs: dict[str, Callable[[Any], object]] = {"length": len, "truth": bool, "text": str}
        return verbs[verb](target)

    def _unpacked(self, data: object) -> object:
        return wire.unpacked(data, self._resolved)

    def _resolved(self, kind: str, held: Any) -> object:
        return self._names[held] if kind == "name" else self._objects[held]

    def _handle(self, value: object) -> object:
        self._objects.append(value)
        return ["object", len(self._objects) - 1]

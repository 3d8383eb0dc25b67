"""A table of entries by name: the package's own, and those of plug-ins (by entry points)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from prmdata.errors import UsageError, unknown
from prmdata.settings import configured

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """What a name on the command line may stand for. The package's own names win."""

    def __init__(
        self, noun: str, group: str, own: Mapping[str, T], hints: Mapping[str, str] | None = None
    ) -> None:
        self.noun = noun
        """What an entry is called in messages."""
        self.group = group
        """The entry-point group that plug-ins register in."""
        self.own = dict(own)
        self.hints = dict(hints or {})
        """Names that people try, and what they may mean."""

    def __getitem__(self, name: str) -> T:
        entries = self._entries()
        if name not in entries:
            if name.lower() in self.hints:
                hint = self.hints[name.lower()]
                raise UsageError(f"unknown {self.noun} '{name}'; {hint}")
            raise unknown(self.noun, name, entries)
        return entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def _entries(self) -> dict[str, T]:
        return {**_plugins(self.group), **self.own}


def make(registry: Registry[type[T]], name: str, settings: Mapping[str, object]) -> T:
    """An instance of the entry of that name, with its settings checked."""
    return configured(registry[name], settings)


@functools.cache
def _plugins(group: str) -> dict[str, Any]:
    return {point.name: _load(point) for point in entry_points(group=group)}


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist is not None else point.value
        raise UsageError(
            f"the plug-in '{point.name}' of {package} cannot be loaded ({error}); install what it "
            f"needs, or remove it: pip uninstall {package}"
        ) from None

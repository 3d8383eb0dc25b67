"""Which sampler a stage takes where none is named: the embedded model, for its own problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from prmdata.errors import UsageError
from prmdata.files import Unreadable
from prmdata.records import Problem
from prmdata.stages.groups import Group

Item = TypeVar("Item", bound=Problem | Group)
EMBEDDED = "abacus"
"""Both the sampler's spec and the source of the problems that it was made for."""


def spec_of(sampler: str | None) -> str:
    return sampler or EMBEDDED


def sampler_setting(sampler: str | None) -> str:
    """A served model may move to another address between two tries; its fingerprint is pinned."""
    spec = spec_of(sampler)
    kind, _, place = spec.rpartition("http")
    return f"{kind}http" if kind in ("", "prm:") and place.startswith(("://", "s://")) else spec


def suited(items: Iterable[Item], sampler: str | None) -> Iterator[Item]:
    """The items; without a named sampler, none but problems that the embedded model knows."""
    for item in items:
        if sampler is None and not isinstance(item, Unreadable):
            problem = item if isinstance(item, Problem) else item[0].problem
            if problem.meta.get("source") != EMBEDDED:
                raise UsageError(
                    "name a model: --sampler http://localhost:8000/v1 or the like, or set "
                    "PRMDATA_SAMPLER. Without one, the embedded model serves abacus problems only, "
                    f"and problem {problem.id} is not one (to use it all the same: "
                    "--sampler abacus)"
                )
        yield item

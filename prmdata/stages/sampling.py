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
    return "http" if spec.startswith(("http://", "https://")) else spec


def suited(items: Iterable[Item], sampler: str | None, stage: str) -> Iterator[Item]:
    """The items; without a named sampler, none but problems that the embedded model knows."""
    for item in items:
        if sampler is None and not isinstance(item, Unreadable):
            problem = item if isinstance(item, Problem) else item[0].problem
            if problem.meta.get("source") != EMBEDDED:
                raise UsageError(
                    f"{stage} needs a model for problem {problem.id}: name one with --sampler, "
                    "such as --sampler http://localhost:8000/v1, or in PRMDATA_SAMPLER. The "
                    "embedded model stands in for abacus problems only; --sampler abacus uses it "
                    "all the same"
                )
        yield item

"""Values of a served reward model: what it thinks of each step, from one reading of the trace.

`--sampler prm:http://HOST/v1` names a server that rates tokens or texts (vLLM's `/pooling` and
`/classify`). Any other sampler is a language model that says after each separator whether the step
was right, in a word of its own (Math-Shepherd's `+` and `-`): the value is the share of the right
word in the probability of both.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import ItemError, UsageError
from prmdata.labellers.certainty import read_once
from prmdata.labellers.contract import Need, Verb, each
from prmdata.labellers.rewarded.layouts import LAYOUTS, Name, marked, text_of
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.protocol import MOST_LIKELY, Likely, Marked
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import Whole, settings_of

SPACES = " \u2581\u0120"
"""A space, and how tokenizers write one."""


@dataclass(frozen=True, slots=True)
class Prm:
    """Take it where a reward model is at hand: one reading a trace, no rollouts and no answers. So
    a model that was trained on labels labels on (`label --method threshold --set evidence=prm
    --set threshold=0.5`), and `score` says how good it is at it."""

    verb: ClassVar[Verb] = "estimate"
    needs: ClassVar[tuple[Need, ...]] = ("sampler", "ratings")

    layout: Name = "qwen"
    """How the solution is written: `qwen` (Qwen2.5-Math-PRM), `math-shepherd`, `trl` (what TRL's
    PRMTrainer makes of `export --to stepwise`), or `plain` and `chat` with a separator of yours."""
    separator: str | None = None
    """What stands after every step. Default: the layout's own."""
    good: Whole | None = None
    """The class of right steps, from 0. Default: 1, of `math-shepherd` 0. A model with one class
    gives its probability."""
    logits: bool = False
    """The server gives logits and not probabilities: they are made into some here."""
    words: str = "+ -"
    """Of a language model: the words for a right and a wrong step, which begin differently."""

    def __post_init__(self) -> None:
        said = self.words.split()
        if len(said) != 2 or said[0] == said[1]:
            raise UsageError(f"--set words={self.words!r}: must be two words, such as '+ -'")
        if self.separator == "":
            raise UsageError("--set separator= must not be empty: it is where the model is asked")

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        return await each(group, lambda trace: self.value(trace, rollouts))

    async def value(self, trace: Trace, rollouts: Rollouts) -> Trace:
        layout = LAYOUTS[self.layout]
        separator = layout.separator if self.separator is None else self.separator
        system = rollouts.settings.system
        written = marked(trace, layout, separator, rollouts.sampler.template, system)
        if rollouts.rates:
            rated = await rollouts.rate(trace, written)
            good = layout.good if self.good is None else self.good
            values: list[float | None] = [probability(row, good, self.logits) for row in rated.rows]
        else:
            values = await self._said(trace, written, rollouts)
        return trace.with_evidence(
            Evidence(
                name="prm",
                kind="scores",
                values=tuple(values),
                settings={**settings_of(self), "model": rollouts.sampler.fingerprint},
                cost=rollouts.cost(trace, rounds=1),
            )
        )

    async def _said(self, trace: Trace, written: Marked, rollouts: Rollouts) -> list[float | None]:
        """The verdicts that a language model would write after each mark."""
        text, marks = text_of(written)
        opening = len(written.pieces[0])
        read = await rollouts.read(trace, text[:opening], f"{text[opening:]}\n", top=MOST_LIKELY)
        right, wrong = self.words.split()
        values: list[float | None] = []
        for mark in marks:
            place = bisect_left(read.starts, mark - opening)
            if place >= len(read.top) or read.starts[place] != mark - opening:
                raise ItemError(
                    f"trace {trace.id}: no token begins after a separator; name another one with "
                    "--set separator=…"
                )
            values.append(share(read.top[place], right, wrong))
        return values

    def forecast(self, trace: Trace) -> Cost:
        return read_once(trace) + Cost(scored=2 * len(trace.steps))


def probability(row: Sequence[float], good: int, logits: bool) -> float:
    """Of the class of right steps."""
    if len(row) > 1 and good >= len(row):
        raise ItemError(f"the model tells {len(row)} classes apart, and none is number {good}")
    number = row[good] if len(row) > 1 else row[0]
    if logits and len(row) > 1:
        return 1 / sum(math.exp(min(other - number, 700.0)) for other in row)
    if logits:
        return 1 / (1 + math.exp(min(-number, 700.0)))
    if not 0 <= number <= 1:
        raise ItemError(
            f"the server gives {number:g}, which is no probability; if these are logits: "
            "--set logits=true"
        )
    return number


def share(seen: Likely, right: str, wrong: str) -> float | None:
    """Of the right word among the likeliest tokens; unknown where they hold neither."""
    masses = [
        sum(math.exp(p) for token, p in seen if token.strip(SPACES) == word)
        for word in (right, wrong)
    ]
    return masses[0] / sum(masses) if sum(masses) else None

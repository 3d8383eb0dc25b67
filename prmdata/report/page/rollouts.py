"""The texts of the rollouts that a label was found by, from the store that keeps them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from prmdata.errors import ItemError
from prmdata.grading import Grader
from prmdata.records import Trace
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.rollouts import Rollouts, RolloutSettings

Texts = dict[str, list[dict[str, Any]]]
"""The number of steps of a prefix → its rollouts, in the order in which they were drawn."""


@dataclass(slots=True)
class RolloutTexts:
    sampler: Sampler
    """It replays a store."""
    grader: Grader
    settings: RolloutSettings
    """Of the run that made the labels."""
    runner: asyncio.Runner
    found: int = 0
    missing: int = 0
    reason: str = ""
    """Why the first of those that are missing is."""
    _rollouts: Rollouts = field(init=False)

    def of(self, trace: Trace) -> Texts:
        self._rollouts = Rollouts(self.sampler, self.grader, self.settings)
        return self.runner.run(self._texts(trace))

    async def _texts(self, trace: Trace) -> Texts:
        texts: Texts = {}
        for start, count in sorted(bought(trace).items()):
            try:
                outcomes = await self._rollouts.sample(trace, start, count)
            except ItemError as error:
                self.missing += count
                self.reason = self.reason or str(error)
                continue
            self.found += len(outcomes)
            texts[str(start)] = [{"text": o.text, "answer": o.answer} for o in outcomes]
        return texts


def bought(trace: Trace) -> Counter[int]:
    """How many rollouts the label's search drew from each prefix."""
    labels = trace.labels
    own = trace.evidence_named(labels.by) if labels else None
    if own is None or own.kind != "rollouts":
        return Counter()
    if own.search:
        return Counter(start for entry in own.search for start in entry.starts)
    counts = {step: count for step, count in enumerate(own.rollouts, 1) if count}
    return Counter({step: count for step, count in counts.items() if step < len(trace.steps)})

"""Many imperfect judges made into one label, without a single known error (Weaver, arXiv
2506.18203; accuracies after Dawid and Skene), with the first wrong step as what is hidden.

How often each judge calls a step wrong before, at and after the first error is estimated over all
traces of the input. Judges that tell nothing or repeat another are dropped. A panel of 20 that errs
together counts for what it is worth, and each step may hold an error that no judge sees; so
confidences stay near the share that is exact. Where people judged some traces (`audited`), the
belief is corrected by them. `fusion/` is the machine behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from prmdata.errors import ItemError, UsageError
from prmdata.labellers.contract import Known, Method, Need, Verb
from prmdata.labellers.evidence.reading import label_each, names_in
from prmdata.labellers.fusion.correcting import corrected
from prmdata.labellers.fusion.learning import panel_of, read_panel, summary
from prmdata.labellers.fusion.panel import Panel
from prmdata.labellers.fusion.trust import trust_in
from prmdata.labellers.fusion.votes import gathered
from prmdata.records import Cost, Labels, Trace
from prmdata.sampler.rollouts import Rollouts
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Weaver:
    """Take it where three judges or verifiers, or more, have spoken of the same traces."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    evidence: str = ""
    """The names of the judges, separated by commas; empty: all that have verdicts or values."""
    table: str | None = None
    """A table that `prmdata fit --weaver` wrote. Without it, the input itself is read first."""
    audited: str | None = None
    """A file of traces that people judged (`prmdata audit`, or any file with truth that `import`
    reads): they hold the fit in place, and from 30 of them on they correct the belief."""
    trust: bool = False
    """Whether a judge counts for less in a problem whose wrong-ending traces it likes better than
    the right-ending ones (SophiaVL-R1, arXiv 2505.17018)."""

    def __post_init__(self) -> None:
        if self.table and self.audited:
            raise UsageError(
                "table and audited: a table is fitted already; give the audited traces to "
                "`prmdata fit --weaver`"
            )

    def pooled(
        self, traces: Sequence[Trace], known: Known | None, report: Callable[[str], None]
    ) -> Method:
        panel = panel_of(traces, names_in(self.evidence), known)
        report(summary(panel))
        return Woven(self, panel)

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        if self.table is None:
            raise UsageError("weaver reads all traces first, and this is not possible here")
        return await Woven(self, read_panel(self.table)).apply(group, rollouts)

    def forecast(self, trace: Trace) -> Cost:
        return Cost()


@dataclass(frozen=True, slots=True)
class Woven:
    """Weaver, with its panel."""

    verb: ClassVar[Verb] = "label"
    needs: ClassVar[tuple[Need, ...]] = ("evidence",)

    asked: Weaver
    panel: Panel = field(repr=False)

    async def apply(self, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        trust = trust_in(group, self.panel.names) if self.asked.trust else None
        return label_each(group, lambda trace: self.label(trace, trust))

    def label(self, trace: Trace, trust: dict[str, float] | None = None) -> Trace:
        named = [e for e in trace.evidence if e.name in self.panel.names]
        if not named:
            raise ItemError(
                f"trace {trace.id} has no verdicts of the judges of this panel "
                f"({', '.join(self.panel.names)})"
            )
        if not trace.steps:
            return trace
        cuts = [member.cut for member in self.panel.members]
        votes = gathered([trace], self.panel.names, cuts)
        spoken = bool((votes.wrong + votes.right + votes.final_wrong.sum()).any())
        weights = None if trust is None else np.array([trust[n] for n in self.panel.names])
        steps, none = corrected(self.panel, votes, weights)
        first = int(steps.argmax()) if steps.max() > none[0] else None
        still_right = tuple(float(v) for v in np.clip(1 - np.cumsum(steps), 0, 1))
        labels = Labels(
            by="weaver",
            first_error=first if spoken else None,
            values=still_right if spoken else (None,) * len(trace.steps),
            confidence=float(none[0] if first is None else steps[first]) if spoken else None,
            examined=spoken,
            settings={**settings_of(self.asked), "evidence": ",".join(e.name for e in named)},
            cost=sum((e.cost for e in named), Cost()),
        )
        return replace(trace, labels=labels)

    def forecast(self, trace: Trace) -> Cost:
        return self.asked.forecast(trace)

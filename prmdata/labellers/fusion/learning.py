"""Traces → a panel: what they carry is gathered, fitted and, where people judged some,
corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from prmdata.errors import InputError, UsageError
from prmdata.files.paths import writing
from prmdata.labellers.contract import Known
from prmdata.labellers.fusion.correcting import correction
from prmdata.labellers.fusion.fitting import learned
from prmdata.labellers.fusion.panel import Belief, Panel
from prmdata.labellers.fusion.votes import Votes, cuts_of, gathered, judges_in
from prmdata.records import Trace

FEWEST_TRACES = 20
FEWEST_AUDITED = 30
"""Audited traces from which the belief is corrected; fewer only hold the fit in place."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The traces that judges have spoken of."""

    traces: Sequence[Trace]
    names: Sequence[str]
    cuts: Sequence[float | None]

    @property
    def votes(self) -> Votes:
        return gathered(self.traces, self.names, self.cuts)


def pool(traces: Sequence[Trace], names: Sequence[str]) -> Pool:
    sound = [trace for trace in traces if trace.error is None and trace.steps]
    found = judges_in(sound)
    missing = [name for name in names if name not in found]
    if missing:
        raise UsageError(
            f"no trace has verdicts of '{missing[0]}'; there are: {', '.join(found) or 'none'}"
        )
    chosen = [name for name in found if not names or name in names]
    spoken = [t for t in sound if any(e.name in chosen for e in t.evidence)]
    if len(spoken) < FEWEST_TRACES:
        raise InputError(
            f"judges speak of {len(spoken)} traces, and weaver learns from {FEWEST_TRACES} or "
            "more; give it more, or a table fitted elsewhere: --set table=FILE"
        )
    return Pool(spoken, chosen, cuts_of(spoken, chosen))


def panel_of(traces: Sequence[Trace], names: Sequence[str], known: Known | None) -> Panel:
    """The panel of these traces; `names`: of these judges alone."""
    found = pool(traces, names)
    votes = found.votes
    firsts = [False if known is None else known(trace) for trace in found.traces]
    audited = [at for at, first in enumerate(firsts) if first is not False]
    if known is not None and not audited:
        raise InputError("none of the audited traces is among those that judges have spoken of")
    clamp = _belief(votes, firsts) if audited else None
    panel = replace(learned(votes, found.names, found.cuts, clamp), audited=len(audited))
    if len(audited) < FEWEST_AUDITED:
        return panel
    own = [found.traces[at] for at in audited]
    theirs = gathered(own, panel.names, [member.cut for member in panel.members])
    named = _belief(theirs, [firsts[at] for at in audited])
    return replace(panel, correction=correction(panel, theirs, named))


def _belief(votes: Votes, firsts: Sequence[int | bool | None]) -> Belief:
    """What people named, as certain belief; NaN where they did not judge."""
    steps, none = np.full(int(votes.lengths.sum()), np.nan), np.full(votes.traces, np.nan)
    for start, length, (trace, first) in zip(
        votes.starts, votes.lengths, enumerate(firsts), strict=True
    ):
        if first is False:
            continue
        steps[start : start + length] = 0.0
        none[trace] = float(first is None)
        if first is not None:
            steps[start + first] = 1.0
    return steps, none


def read_panel(path: str) -> Panel:
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Panel)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"table={path}: {error}; make it with `prmdata fit TRACES --weaver -o {path}`"
        ) from None


def write_panel(panel: Panel, path: str) -> None:
    with writing(path):
        part = Path(f"{path}.part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(panel)) + b"\n")
        part.replace(path)


def summary(panel: Panel) -> str:
    """The panel in a sentence."""
    dropped = "".join(f"; {name} is dropped: {why}" for name, why in panel.dropped.items())
    return (
        f"{len(panel.members)} judges of {panel.traces:,} traces are worth {panel.worth:.1f} "
        f"independent ones; {panel.unseen:.1%} of the steps are taken to hold an error that none "
        f"of them sees; {panel.audited:,} traces audited{dropped}"
    )


def lines(panel: Panel) -> list[str]:
    """The table, a judge on each line, for a person."""
    members = sorted(panel.members, key=lambda member: -member.agreement)
    shown = [
        f"{m.name}: calls wrong {m.before:.0%} of right steps and {m.at:.0%} of first errors, "
        f"speaks of {m.coverage:.0%} of the steps, agrees with the panel on {m.agreement:.0%}"
        for m in members
    ]
    return [*shown, summary(panel)]

"""What the steps of a trace earned and what credit they get, for formats that pay steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prmdata.credit.contract import NAME, Kind, NoSignal, Series, signal_of
from prmdata.credit.td import Td
from prmdata.exports.contract import LeftOut
from prmdata.records import Evidence, Trace

Unknown = Literal["drop", "zero"]
TD = Td()
UNKNOWN = "a step of unknown credit (--set unknown=zero counts it as 0)"


@dataclass(frozen=True, slots=True)
class Earned:
    rewards: Series
    advantages: tuple[float, ...]
    source: str
    """Where the advantages come from: `credit min of prm`, `rewards of next-step`, `td of mc`."""
    filled: int = 0
    """Steps whose unknown advantage counts as 0."""


def earned(trace: Trace, unknown: Unknown) -> Earned:
    """From `prmdata credit` where it was run; else rewards as they are, or what values gain."""
    if trace.error is not None:
        raise LeftOut("failed")
    try:
        credit = trace.evidence_named(NAME)
        found = _from_credit(trace, credit) if credit else _without_credit(trace)
    except NoSignal as reason:
        raise LeftOut(str(reason)) from None
    return _known(*found, unknown)


def _from_credit(trace: Trace, credit: Evidence) -> tuple[Series, Series, str]:
    of = str(credit.settings.get("of"))
    kind: Kind = "values" if credit.settings.get("kind") == "values" else "rewards"
    try:
        rewards = signal_of(trace, of, kind).series
    except NoSignal:  # taken out since
        rewards = (None,) * len(trace.steps)
    return rewards, credit.rewards, f"credit {credit.settings.get('form')} of {of}"


def _without_credit(trace: Trace) -> tuple[Series, Series, str]:
    signal = signal_of(trace, None, "rewards")
    if signal.kind == "rewards":
        return signal.series, signal.series, f"rewards of {signal.of}"
    return signal.series, TD.credit(signal), f"td of {signal.of}"


def _known(rewards: Series, advantages: Series, source: str, unknown: Unknown) -> Earned:
    missing = advantages.count(None)
    if missing and unknown == "drop":
        raise LeftOut(UNKNOWN)
    return Earned(rewards, tuple(a or 0.0 for a in advantages), source, missing)

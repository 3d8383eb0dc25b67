"""Rewards of steps: signed and unbounded, of one piece of evidence."""

from __future__ import annotations

from prmdata.exports.contract import LeftOut
from prmdata.records import Trace


def rewards_of(trace: Trace, name: str | None) -> tuple[float | None, ...]:
    """Those of the evidence that is named, or of the last that has any and is no truth."""
    if name is not None:
        found = trace.evidence_named(name)
        if found is None or not found.rewards:
            raise LeftOut(f"no rewards by {name}")
        return found.rewards
    having = (e for e in reversed(trace.evidence) if e.rewards and e.kind != "truth")
    return next((e.rewards for e in having), ())

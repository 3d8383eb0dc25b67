"""What a verifier is: a frozen dataclass of settings that finds for each step of a trace whether
it is right. `unknown` where it is not sure: a wrong verdict costs more than a missing one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from prmdata.records import Evidence, Trace, Verdict
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    note: str | None = None
    """For a wrong step, what is wrong and what was expected: `48 / 2 = 26: is 24`."""


class Verifier(Protocol):
    async def verify(self, trace: Trace) -> Sequence[Finding]:
        """One finding a step."""
        ...


def as_evidence(name: str, how: Verifier, findings: Sequence[Finding]) -> Evidence:
    return Evidence(
        name=name,
        kind="verdicts",
        verdicts=tuple(found.verdict for found in findings),
        notes=tuple(found.note for found in findings) if any(f.note for f in findings) else (),
        settings=settings_of(how),
    )

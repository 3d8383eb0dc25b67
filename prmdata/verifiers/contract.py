"""What a verifier is: a frozen dataclass of settings that finds for each step of a trace whether
it is right. `unknown` where it is not sure: a wrong verdict costs more than a missing one.

One that needs a sandbox or a process has `opened` in the place of `verify`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from prmdata.records import Evidence, Step, Trace, Verdict, content_of
from prmdata.settings import settings_of


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    note: str | None = None
    """For a wrong step, what is wrong and what was expected: `48 / 2 = 26: is 24`."""
    reward: float | None = None
    """Signed and unbounded, where the verifier measures and does not only judge."""


FAILURES = (ArithmeticError, ValueError, RecursionError, MemoryError)
"""What working out an odd text may raise: bounds that were not thought of."""
FAILED = "could not be checked"
"""How the note begins of a step whose check failed."""


def attempted(check: Callable[[], Finding]) -> Finding:
    """What the check finds; where the check itself fails, that step is unknown and says so."""
    try:
        return check()
    except FAILURES as error:
        return Finding("unknown", f"{FAILED}: {type(error).__name__}")


def prose_of(trace: Trace) -> list[str]:
    """The text of each step that is written to be read; of code and what tools say, nothing."""
    return [_prose(step) for step in trace.steps]


def _prose(step: Step) -> str:
    if step.kind in ("thought", "answer"):
        return step.text
    return content_of(step.messages[0]) if step.messages else ""


class Checks(Protocol):
    async def verify(self, trace: Trace) -> Sequence[Finding]:
        """One finding a step."""
        ...


@dataclass(frozen=True, slots=True)
class Ready:
    """A verifier at work, and what is recorded of it."""

    verify: Callable[[Trace], Awaitable[Sequence[Finding]]]
    settings: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Opens(Protocol):
    def opened(self) -> AbstractAsyncContextManager[Ready]:
        """Entered once a run, and left at its end."""
        ...


Verifier = Checks | Opens


@contextlib.asynccontextmanager
async def ready(how: Verifier) -> AsyncIterator[Ready]:
    if isinstance(how, Opens):
        async with how.opened() as opened:
            yield opened
    else:
        yield Ready(how.verify, settings_of(how))


def as_evidence(name: str, how: Ready, findings: Sequence[Finding]) -> Evidence:
    return Evidence(
        name=name,
        kind="verdicts",
        checked_by="tool",
        verdicts=tuple(found.verdict for found in findings),
        notes=tuple(found.note for found in findings) if any(f.note for f in findings) else (),
        settings=dict(how.settings),
        rewards=tuple(found.reward for found in findings)
        if any(found.reward is not None for found in findings)
        else (),
    )

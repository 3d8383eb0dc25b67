"""What a way of judging is: a frozen dataclass of settings whose `judge` adds evidence to traces.

`prompts` names the files that it asks with, and the fields that they must have. A way that is
`reference_free` is never shown a gold answer or a reference solution, whatever is asked.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from prmdata.errors import ItemError, UsageError
from prmdata.judges.asking.judge import Judge
from prmdata.judges.prompts import Prompt, prompt
from prmdata.records import Cost, Evidence, Trace
from prmdata.sampler.protocol import Sampling
from prmdata.settings import settings_of
from prmdata.tasks import together

__all__ = ["Judge", "Session", "Way", "each", "fewer_than_half", "recorded", "sampling"]


@dataclass(frozen=True, slots=True)
class Session:
    """What a way works with: who is asked, with which words, and what the evidence is called."""

    open_judge: Callable[[], Judge]
    """A judge with a count of its own."""
    prompts: Mapping[str, Prompt]
    """By the names that the way gives them."""
    name: str
    judged_by: str
    """The judge's spec."""


class Way(Protocol):
    prompts: ClassVar[Mapping[str, tuple[str, ...]]]
    """The prompts that it asks with → the fields that they need; `--prompt` changes the first."""
    siblings: ClassVar[bool]
    """Whether the problem's other traces change what it finds."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]: ...


def prompts_of(way: Way, chosen: str | None = None) -> dict[str, Prompt]:
    """Its prompts; a chosen one, of a name or a file, takes the place of the first."""
    first, *_ = way.prompts
    return {
        name: prompt(chosen if name == first and chosen is not None else name, needed)
        for name, needed in way.prompts.items()
    }


def sampling(temperature: float, max_tokens: int) -> Sampling:
    if not (math.isfinite(temperature) and temperature >= 0):
        raise UsageError(f"temperature {temperature}: must be at least 0")
    return Sampling(temperature=temperature, max_tokens=max_tokens)


async def each(group: Sequence[Trace], work: Callable[[Trace], Awaitable[Trace]]) -> list[Trace]:
    """For ways that need one trace at a time: all of them at once, failing one by one."""

    async def attempt(trace: Trace) -> Trace:
        if trace.error is not None or not trace.steps:
            return trace
        try:
            return await work(trace)
        except ItemError as error:
            return trace.failed(str(error))

    return await together(*(attempt(trace) for trace in group))


def recorded(way: Way, session: Session, judge: Judge, **said: Any) -> Evidence:
    """Evidence with who was asked, with which words, and what it cost. `said` holds its columns;
    and `found`, what is known of the whole trace."""
    found: Mapping[str, object] = said.pop("found", {})
    settings = {
        **settings_of(way),
        "judge": session.judged_by,
        "prompt": ",".join(prompt.identity for prompt in session.prompts.values()),
        **found,
    }
    kind = said.pop("kind", "verdicts")
    return Evidence(
        session.name, kind, settings=settings, cost=judge.cost, checked_by="judge", **said
    )


def fewer_than_half(cost: Cost) -> bool:
    """Whether most of what was asked could not be read."""
    return 2 * cost.unparsed > cost.calls

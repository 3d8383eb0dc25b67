"""A problem cut into subgoals once, and each of its traces read for where it reaches them (CALM):
a step earns the share of the subgoals that become true there.

A subgoal is earned once, so the rewards of a trace add up to the share that it reaches, and
saying a thing twice earns nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from prmdata.errors import ItemError
from prmdata.judges.asking.judge import Judge
from prmdata.judges.asking.sights import Sees, fields
from prmdata.judges.contract import Session, each, recorded, sampling
from prmdata.records import Trace
from prmdata.settings import Amount, Count


@dataclass(frozen=True, slots=True)
class Subgoals:
    """Take it for long tasks with parts that can be ticked off."""

    prompts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "subgoals-list": ("question",),
        "subgoals-reached": ("question", "steps", "subgoals"),
    }
    siblings: ClassVar[bool] = True

    most: Count = 8
    """Most subgoals of a problem."""
    sees: Sees = "nothing"
    """What the judge is shown when it names subgoals, such as `solution`."""
    temperature: Amount = 0.7
    """Sampling temperature."""
    max_tokens: Count = 2048
    """Most tokens of one answer."""

    async def judge(self, group: Sequence[Trace], session: Session) -> list[Trace]:
        sound = [trace for trace in group if trace.error is None and trace.steps]
        if not sound:
            return list(group)
        namer = session.open_judge()
        try:
            goals = await self._named(sound[0], session, namer)
        except ItemError as error:
            return [trace.failed(str(error)) for trace in group]
        payer = sound[0].id

        async def one(trace: Trace) -> Trace:
            judge = session.open_judge()
            if trace.id == payer:
                judge.cost += namer.cost
            return await self._one(trace, goals, session, judge)

        return await each(group, one)

    async def _named(self, trace: Trace, session: Session, judge: Judge) -> list[str]:
        shown = {**fields(trace, self.sees), "most": str(self.most)}
        asked = session.prompts["subgoals-list"].messages(shown)
        how = sampling(self.temperature, self.max_tokens)
        found = await judge.read(asked, 1, how, lambda text: named(text, self.most))
        return found[0] if found else []

    async def _one(self, trace: Trace, goals: list[str], session: Session, judge: Judge) -> Trace:
        places: list[int | None] = []
        if goals:
            listed = "\n".join(f"{n}. {goal}" for n, goal in enumerate(goals, 1))
            asked = session.prompts["subgoals-reached"].messages(
                {**fields(trace), "subgoals": listed}
            )
            how, steps = sampling(self.temperature, self.max_tokens), len(trace.steps)
            found = await judge.read(asked, 1, how, lambda t: reached(t, len(goals), steps))
            places = found[0] if found else []
        evidence = recorded(
            self,
            session,
            judge,
            kind="scores",
            rewards=earned(places, len(trace.steps)),
            found={"subgoals": goals},
        )
        return trace.with_evidence(evidence)


def earned(places: Sequence[int | None], steps: int) -> tuple[float | None, ...]:
    """For each step the share of the subgoals that are reached in it; nothing where none is
    known."""
    if not places:
        return (None,) * steps
    return tuple(places.count(step) / len(places) for step in range(steps))


def named(text: str, most: int) -> list[str] | None:
    """The subgoals of a list in JSON, or of numbered lines."""
    found = _in_json(text)
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), None)
    if not isinstance(found, list):
        lines = (line.strip() for line in text.splitlines())
        found = [line.lstrip("-*0123456789.) ") for line in lines if line[:1].isdigit()]
    goals = [" ".join(goal.split())[:500] for goal in found if isinstance(goal, str)]
    goals = list(dict.fromkeys(goal for goal in goals if goal))[:most]
    return goals or None


def reached(text: str, goals: int, steps: int) -> list[int | None] | None:
    """For each subgoal the step, from 0, in which it is reached first; `None` for never."""
    found = _in_json(text)
    if isinstance(found, dict):
        found = found.get("reached", [found.get(str(n)) for n in range(1, goals + 1)])
    if not isinstance(found, list) or len(found) != goals:
        return None
    places: list[int | None] = []
    for step in found:
        if step is None or step == 0:
            places.append(None)
        elif isinstance(step, int) and not isinstance(step, bool) and 1 <= step <= steps:
            places.append(step - 1)
        else:
            return None
    return places


def _in_json(text: str) -> object:
    """The first JSON value of a text, whatever stands around it."""
    starts = [at for at in (text.find("["), text.find("{")) if at >= 0]
    if not starts:
        return None
    try:
        return json.JSONDecoder().raw_decode(text[:200_000], min(starts))[0]
    except (ValueError, RecursionError):
        return None

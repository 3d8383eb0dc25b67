"""Judges for tests: one that knows the truth and errs at a rate, and one that says what it is told."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prmdata.judges import JUDGES, Session
from prmdata.judges.asking.judge import Judge
from prmdata.judges.contract import prompts_of
from prmdata.records import Problem, Step, Trace
from prmdata.registry import make
from prmdata.sampler.models.rendering import CHAT, ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.tasks import together


@dataclass
class Scripted:
    """Says what a function makes of the user's words, the system's, and the seed."""

    says: Callable[[str, str, int], str]
    asked: list[str] = field(default_factory=list)
    spec: str = "scripted"
    fingerprint: str = "scripted"
    template: ChatTemplate = field(default_factory=lambda: ChatTemplate(CHAT))
    context: int = 1 << 20

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.asked.append(prefix)
        by_role = {m["role"]: m["content"] for m in json.loads(prefix)["messages"]}
        user, system = by_role["user"], by_role.get("system", "")
        said = [self.says(user, system, seed + i) for i in range(n)]
        return [Completion(text, len(text) // 4 + 1, "stop") for text in said]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise NotImplementedError

    async def close(self) -> None:
        pass


def noisy_oracle(firsts: Mapping[str, int | None], flip: float) -> Scripted:
    """Knows the first error of each question's trace, and turns each verdict over at a rate."""

    def says(user: str, system: str, seed: int) -> str:
        question = re.search(r"Q\d+", user)
        assert question is not None
        first = firsts[question[0]]
        drawn = random.Random(f"{seed} {question[0]}")
        lines = []
        for step in range(user.count("</step_")):
            right = (first is None or step < first) != (drawn.random() < flip)
            said = {
                "step": step + 1,
                "reason": f"r{seed}",
                "verdict": "right" if right else "wrong",
            }
            lines.append(json.dumps(said))
        return "\n".join(lines)

    return Scripted(says)


def session(way: str, sampler: Scripted, **settings: object) -> tuple[object, Session]:
    how = make(JUDGES, way, settings)
    return how, Session(lambda: Judge(sampler), prompts_of(how), way, sampler.spec)


async def judged(
    way: str, sampler: Scripted, traces: list[Trace], **settings: object
) -> list[Trace]:
    """Each trace as the only one of its problem."""
    how, asked = session(way, sampler, **settings)
    found = await together(*(how.judge([trace], asked) for trace in traces))  # type: ignore[attr-defined]
    return [trace for group in found for trace in group]


def trace(number: int = 0, steps: int = 3, **more: object) -> Trace:
    texts = tuple(Step(f"step {i} of {number}\n") for i in range(steps))
    return Trace(f"t{number}", Problem(f"p{number}", f"Q{number}", "GOLD"), texts, **more)  # type: ignore[arg-type]

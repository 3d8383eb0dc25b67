"""Thinking of tens of thousands of tokens: cut into few steps, searched, and one that is too long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.errors import ItemError
from prmdata.grading import Grader
from prmdata.labellers import method
from prmdata.records import Origin, Problem, Tally, Trace
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored, too_long
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.traces.generate import cut_steps

CONTEXT = 40_000


class Thinker:
    """Ends right unless a slip stands in what it continues; a token is a word."""

    spec = fingerprint = "thinker"
    template = ChatTemplate(None)
    context = CONTEXT

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        taken = len(prefix.split())
        if taken >= self.context:
            raise ItemError(too_long(taken, self.context))
        answer = 5 if "SLIP" in prefix else 4
        if self.context - taken < 9:
            return [Completion("So", self.context - taken, "length")] * n
        return [Completion(f"</think>\n\nThe answer is {answer}.", 9, "stop")] * n

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise NotImplementedError

    async def close(self) -> None:
        pass


def thinking(name: str, paragraphs: int, slip: int) -> Trace:
    words = "Now let me look at it once more from another side, to be sure of this."
    said = [f"{i}: {'SLIP ' if i == slip else ''}{words}\n\n" for i in range(paragraphs)]
    text = "<think>" + "".join(said) + "</think>\n\nThe answer is 5."
    origin = Origin(template="raw", tokens=len(text.split()), steps="auto,max=100")
    steps = cut_steps(text, origin.steps)
    problem = Problem("p", "How many?", "4")
    group = Tally(8, 5, 3, wrong_answers={"5": 3})
    trace = Trace(name, problem, steps=steps, answer="5", correct=False, origin=origin)
    return replace(trace, group=group)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("posterior", {"siblings": "no", "bits_per_1000_tokens": "0.002"}),
        ("bisect", {"rollouts_per_probe": "2"}),
    ],
)
def test_a_slip_is_found_and_one_that_is_too_long_fails_alone(
    name: str, settings: dict[str, str]
) -> None:
    long = [thinking("a", 2000, 1777), thinking("b", 1500, 30)]
    assert all(len(trace.text.split()) > 20_000 for trace in long)
    group = [*long, thinking("too-long", 9000, 8000)]
    assert {len(trace.steps) for trace in group} <= set(range(90, 101))
    rollouts = Rollouts(Thinker(), Grader(), RolloutSettings())
    made = asyncio.run(apply(method(name, "label", settings), group, rollouts))
    for trace in made[:2]:
        assert trace.error is None
        assert trace.labels is not None
        assert trace.labels.first_error is not None
        slip = next(i for i, step in enumerate(trace.steps) if "SLIP" in step.text)
        if trace is made[1] and trace.labels.first_error != slip:  # so early that rollouts are dear
            assert abs(trace.labels.first_error - slip) < 5
            assert (trace.labels.confidence or 1.0) < 0.5
            continue
        assert trace.labels.first_error == slip
        assert trace.labels.cost.rollouts < 40
    assert "nothing can follow it" in (made[2].error or "")
    assert made[2].steps == group[2].steps


def test_rollouts_that_the_context_cuts_are_no_hits() -> None:
    trace = thinking("a", 3, 99)
    sampler = Thinker()
    sampler.context = len(trace.prefix(2).split()) + 4
    rollouts = Rollouts(sampler, Grader(), RolloutSettings())
    outcomes = asyncio.run(rollouts.sample(trace, 2, 3))
    assert [(o.grade, o.hit) for o in outcomes] == [("cut", False)] * 3

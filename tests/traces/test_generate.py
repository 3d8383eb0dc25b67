from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.kto import Kto
from prmdata.grading import Grader
from prmdata.labellers.outcome import Outcome
from prmdata.problems import abacus
from prmdata.records import Problem, Tally, Trace
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import Generation, count, generate, kept, kept_for_certain
from tests.policy import TEMPLATE, Policy


class Says:
    """A sampler that says what it is told to."""

    spec = fingerprint = "says"
    template = TEMPLATE
    context = 100

    def __init__(self, *completions: Completion) -> None:
        self.completions = completions
        self.asked: list[tuple[str, int, Sampling, int]] = []

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        self.asked.append((prefix, n, sampling, seed))
        return list(self.completions[:n])

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise NotImplementedError

    async def close(self) -> None:
        pass


def made(sampler: object, problem: Problem, how: Generation) -> list[Trace]:
    return asyncio.run(generate(problem, sampler, Grader(), how))  # type: ignore[arg-type]


SUM = Problem("p", "1 + 1?", "2")


def test_traces_carry_what_later_stages_need(policy: Policy) -> None:
    problem = next(iter(abacus.read("1", lambda rows: rows)))
    traces = made(policy, problem, Generation(samples=4, seed=7, temperature=0.8))
    assert [trace.id for trace in traces] == [f"{problem.id}/7-{i}" for i in range(4)]
    for trace in traces:
        assert trace.origin.messages == ({"role": "user", "content": problem.question},)
        assert trace.origin.temperature == 0.8
        assert trace.origin.tokens
        assert trace.group == count(traces)
        assert trace.correct == (trace.answer == problem.answer)


def test_endings_are_kept_apart() -> None:
    sampler = Says(
        Completion("1 + 1 = 2\nThe answer is 2.", 5, "stop"),
        Completion("The answer is 3.", 5, "stop"),
        Completion("The answer is 3.0.", 5, "stop"),
        Completion("I babble", 5, "stop"),
        Completion("The answer is 2", 5, "length"),
        Completion("  \n", 1, "stop"),
    )
    traces = made(sampler, SUM, Generation(samples=6))
    assert [t.correct for t in traces] == [True, False, False, None, None, None]
    assert [t.grade for t in traces] == ["right", "wrong", "wrong", "unparsed", None, None]
    assert traces[4].finish == "length"
    assert traces[5].error == "the sampler returned no text"
    tally = traces[0].group
    assert tally is not None
    assert (tally.n, tally.right, tally.wrong, tally.cut, tally.unparsed) == (6, 1, 2, 1, 1)
    assert tally.wrong_answers == {"3": 2}  # 3 and 3.0 are one answer
    counted = made(sampler, SUM, Generation(samples=5, cut_is_wrong=True))
    assert [t.correct for t in counted] == [True, False, False, None, False]


def test_keep_drops_problems_by_pass_rate() -> None:
    right, wrong = (
        Completion("The answer is 2.", 1, "stop"),
        Completion("The answer is 3.", 1, "stop"),
    )
    band = Generation(samples=2, keep=(0.1, 0.9))
    assert not kept(made(Says(right, right), SUM, band), band)
    assert not kept(made(Says(wrong, wrong), SUM, band), band)
    assert kept(made(Says(right, wrong), SUM, band), band)
    assert kept(made(Says(right, right), SUM, band), Generation())


@pytest.mark.parametrize("rest", [Completion("so", 9, "length"), Completion("I babble", 9, "stop")])
def test_what_has_no_outcome_may_lie_in_the_band(rest: Completion) -> None:
    """One right trace and seven that were cut are no pass rate of 1."""
    right = Completion("The answer is 2.", 1, "stop")
    wrong = Completion("The answer is 3.", 1, "stop")
    for ends, keep, stays in (
        ([right, *[rest] * 7], (0.1, 0.9), True),
        ([rest] * 8, (0.1, 0.9), True),
        ([right] * 7 + [rest], (0.1, 0.5), False),
        ([wrong] * 7 + [rest], (0.5, 0.9), False),
        ([right] * 4 + [wrong] * 4, (0.1, 0.9), True),
    ):
        how = Generation(samples=8, keep=keep)
        assert kept(made(Says(*ends), SUM, how), how) == stays


def test_whether_a_pass_rate_is_certain() -> None:
    assert kept_for_certain(Tally(8, 4, 4), (0.1, 0.9))
    assert not kept_for_certain(Tally(8, 1, 0, cut=7), (0.1, 0.9))
    assert not kept_for_certain(Tally(8, 0, 4, cut=4), (0.1, 0.9))


def test_prompts_are_rendered_with_the_assistant_turn_open() -> None:
    sampler = Says(Completion("The answer is 2.", 1, "stop"))
    how = Generation(
        samples=1,
        prompt="Solve: {question}",
        template="raw",
        system="Be brief. ",
        few_shot=(
            {"role": "user", "content": "Solve: 0?"},
            {"role": "assistant", "content": " 0 "},
        ),
        stop=("END",),
    )
    made(sampler, SUM, how)
    prefix, _, sampling, _ = sampler.asked[0]
    assert prefix == "Be brief. Solve: 0? 0 Solve: 1 + 1?"
    assert sampling.stop == ("END",)


def test_a_problem_without_gold_is_not_graded() -> None:
    traces = made(
        Says(Completion("The answer is 2.", 1, "stop")),
        replace(SUM, answer=None),
        Generation(samples=1),
    )
    assert (traces[0].correct, traces[0].grade, traces[0].answer) == (None, None, "2")


@pytest.mark.parametrize(
    "bad",
    [{"samples": 0}, {"max_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"prompt": "no place"}, {"steps": "none"}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Generation(**bad)  # type: ignore[arg-type]


def test_an_unread_answer_is_neither_right_nor_wrong_here_and_downstream() -> None:
    (trace,) = made(Says(Completion("I give up", 5, "stop")), SUM, Generation(samples=1))
    assert (trace.grade, trace.correct, trace.score) == ("unparsed", None, None)
    (valued,) = asyncio.run(Outcome().apply([trace], None))  # type: ignore[arg-type]
    assert set(valued.evidence[0].values) == {None}
    with pytest.raises(LeftOut, match="could not be read"):
        Kto().row(valued)


def test_rollouts_are_read_by_the_rule_of_their_trace() -> None:
    words = Completion("1 + 1 = 2\nSo it is 2.", 5, "stop")
    for rule, grade in (("last", "right"), ("marked", "unparsed")):
        (trace,) = made(Says(words), SUM, Generation(samples=1, answers=rule))  # type: ignore[arg-type]
        assert (trace.grade, trace.origin.answers) == (grade, rule)
        rollouts = Rollouts(Says(words), Grader(), RolloutSettings())  # type: ignore[arg-type]
        (outcome,) = asyncio.run(rollouts.sample(trace, 0, 1))
        assert outcome.grade == grade
        assert rollouts.cost(trace, 1).unparsed == (grade == "unparsed")
        passed_over = Rollouts(Says(words), Grader(), RolloutSettings(cut="drop"))  # type: ignore[arg-type]
        assert len(asyncio.run(passed_over.sample(trace, 0, 1))) == (grade == "right")


def test_a_rule_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'boxed'"):
        Generation(answers="box")  # type: ignore[arg-type]


def test_an_answer_in_words_has_a_score() -> None:
    tower = Problem("p", "What is it?", "Eiffel Tower", "qa", answers=("La tour Eiffel",))
    texts = ("The answer is the Eiffel Tower.", "Answer: Eiffel", "It is in Rome")
    traces = made(Says(*(Completion(t, 5, "stop") for t in texts)), tower, Generation(samples=3))
    assert [trace.correct for trace in traces] == [True, False, False]
    assert [trace.score for trace in traces] == [1.0, pytest.approx(2 / 3), 0.0]

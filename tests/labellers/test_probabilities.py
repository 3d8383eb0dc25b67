"""Signals from probabilities, on the embedded model: what each paper says of its own."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

import prmdata
from prmdata.abacus import Story, solution, story
from prmdata.abacus.solutions import slip
from prmdata.errors import PrmdataError, SamplerError, UsageError
from prmdata.grading import Grader
from prmdata.labellers import LABELLERS, method
from prmdata.labellers.clusters import clusters_of
from prmdata.labellers.first_error import shift_to
from prmdata.labellers.openings.answers import TINY
from prmdata.labellers.potential import potential
from prmdata.problems import abacus
from prmdata.records import Evidence, Trace
from prmdata.sampler import Sampler, open_sampler
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import Generation, cut_steps, generate
from tests.labellers.running import run
from tests.policy import Policy

BANK = Path(__file__).parents[2] / "recipes" / "real_bank" / "data" / "rollouts.parquet"


@pytest.fixture(scope="module")
def group() -> list[Trace]:
    """Traces of two problems that the embedded model wrote."""

    async def made(sampler: Sampler) -> list[Trace]:
        grader, found = Grader(), list[Trace]()
        for problem in abacus.read("2?seed=77&level=4", lambda rows: rows):
            found += await generate(problem, sampler, grader, Generation(samples=4, seed=2))
        return found

    return _with_model(made)


def _with_model(work: Callable[[Sampler], Awaitable[list[Trace]]]) -> list[Trace]:
    async def run_it() -> list[Trace]:
        sampler = await open_sampler("abacus")
        try:
            return await work(sampler)
        finally:
            await sampler.close()

    return asyncio.run(run_it())


def worked(like: Trace, told: Story, lines: Sequence[str] | None = None, name: str = "w") -> Trace:
    """A story with its solution, or with other lines, as the embedded model would have it."""
    right = solution(told)
    text = "".join(f"{line}\n" for line in lines or right)
    context = {"solution": "".join(f"{line}\n" for line in right)}
    problem = replace(
        like.problem, id=name, question=told.question, answer=str(told.answer), context=context
    )
    origin = replace(like.origin, messages=({"role": "user", "content": told.question},))
    return replace(
        like, id=name, problem=problem, origin=origin, steps=cut_steps(text, "auto"), group=None
    )


def estimated(name: str, traces: list[Trace], **settings: object) -> list[Evidence]:
    found = prmdata.estimate(traces, method=name, settings=settings)
    assert [t.error for t in found] == [None] * len(traces)
    return [evidence for t in found if (evidence := t.evidence_named(name)) is not None]


@pytest.mark.slow
def test_gains_sum_to_what_the_whole_trace_adds(group: list[Trace]) -> None:
    for trace, evidence in zip(group, estimated("gain", group), strict=True):
        *_, last = evidence.values
        first = estimated("gain", [replace(trace, steps=trace.steps[:1])])[0]
        begins = math.log((first.values[0] or 0) + TINY) - (first.rewards[0] or 0)
        total = sum(reward or 0 for reward in evidence.rewards)
        assert total == pytest.approx(math.log((last or 0) + TINY) - begins, abs=1e-6)
        assert evidence.cost.tokens == evidence.cost.rollouts == 0
        assert evidence.cost.scored > len(trace.steps) * 50
    assert any(abs(r or 0) > 0.5 for e in estimated("gain", group) for r in e.rewards)


@pytest.mark.slow
def test_gain_with_the_gold_answer_alone_is_what_clusters_makes_of_it(group: list[Trace]) -> None:
    gold = estimated("clusters", group, target="gold")
    for evidence, expected in zip(gold, estimated("gain", group), strict=True):
        assert evidence.values == pytest.approx(expected.values)
        assert evidence.rewards == pytest.approx(expected.rewards)


def test_turns_are_compared_with_the_same_turn_of_other_traces(group: list[Trace]) -> None:
    problem = [t for t in group if t.problem.id == group[0].problem.id]
    plain = estimated("gain", problem)
    by_turn = estimated("gain", problem, normalise="turn")
    column = [e.rewards[0] or 0 for e in plain]
    spread = math.sqrt(fmean((x - fmean(column)) ** 2 for x in column))
    for raw, z in zip(column, by_turn, strict=True):
        assert z.rewards[0] == pytest.approx((raw - fmean(column)) / (spread + 1e-8), abs=1e-6)
    alone = estimated("gain", problem[:1], normalise="turn")
    assert set(alone[0].rewards) == {0.0}
    summed = estimated("gain", problem[:1], accumulate=True)[0].rewards
    steps = len(summed)
    assert summed[-1] == pytest.approx(plain[0].rewards[-1])
    assert summed[0] == pytest.approx(sum(r or 0 for r in plain[0].rewards) / math.sqrt(steps))


def test_the_corners_of_the_potential() -> None:
    corners = {(1.0, 1.0): 1, (0.0, 1.0): -1, (0.0, 0.0): 0, (1.0, 0.0): 0.5}
    assert {place: potential(*place) for place in corners} == corners
    assert potential(None, 0.3) == 0.3


@pytest.mark.slow
def test_potential_says_how_sure_the_model_is_also_without_a_gold_answer(
    group: list[Trace],
) -> None:
    with_gold = estimated("potential", group[:2])
    blind = [replace(t, problem=replace(t.problem, answer=None)) for t in group[:2]]
    without = estimated("potential", blind)
    for one, other in zip(with_gold, without, strict=True):
        assert one.notes == other.notes
        assert other.values == (None,) * len(other.notes)
        assert any(reward for reward in other.rewards)
        assert one.rewards[0] == 0.0


@pytest.mark.slow
def test_the_last_answer_of_anytime_is_the_traces_own(group: list[Trace]) -> None:
    for trace, evidence in zip(group, estimated("anytime", group), strict=True):
        assert evidence.values[-1] == float(trace.correct is True)
        assert evidence.rollouts[:-1] == (4,) * (len(trace.steps) - 1)
        assert evidence.cost.rollouts == 4 * len(trace.steps)
        assert evidence.cost.scored == 0
        changes = sum(reward or 0 for reward in evidence.rewards[1:])
        assert changes == pytest.approx((evidence.values[-1] or 0) - (evidence.values[0] or 0))


def test_a_prefix_that_states_the_answer_is_answered_with_it(group: list[Trace]) -> None:
    whole = worked(group[0], story(5, 2, 4))
    stated = replace(whole, steps=(*whole.steps, whole.steps[-1]))
    [evidence] = estimated("anytime", [stated])
    assert evidence.values[-2] == 1.0


def test_certainty_is_read_off_one_pass_and_finds_slips(group: list[Trace]) -> None:
    chance = random.Random(4)
    found = []
    for index in range(12):
        told = story(5, index, 4)
        lines = list(solution(told))
        place = chance.randrange(1, len(lines) - 1)
        number = told.nodes[place].c
        lines[place] = lines[place].replace(f"= {number}", f"= {slip(number, chance)}")
        found.append((worked(group[0], told, lines[: place + 1], f"s{index}"), place))
    traces = [trace for trace, _ in found]
    for measure in ("surprise", "nll"):
        rewards = [e.rewards for e in estimated("certainty", traces, measure=measure)]
        exact = sum(
            min(range(len(row)), key=lambda i, row=row: row[i] or 0) == place
            for row, (_, place) in zip(rewards, found, strict=True)
        )
        assert exact >= 9
    for measure in ("certainty", "entropy", "first-entropy"):
        for evidence in estimated("certainty", traces[:2], measure=measure):
            assert all(reward is not None for reward in evidence.rewards)
            sign = 1 if measure == "certainty" else -1
            assert all(sign * (reward or 0) >= 0 for reward in evidence.rewards)


def test_implicit_rewards_sum_to_the_ratio_of_the_trace(
    group: list[Trace], tmp_path: object
) -> None:
    same = prmdata.estimate(group[:2], method="implicit", reference="abacus")
    for trace in same:
        [evidence] = trace.evidence
        assert set(evidence.rewards) == {0.0}

    class Other(Policy):
        def __init__(self) -> None:
            super().__init__({0: 60})
            self.fingerprint = "other"

        async def score(self, prefix: str, text: str, top: int = 0) -> object:  # type: ignore[override]
            return await super().score(prefix + "x", text, top)

    async def made(traces: list[Trace]) -> list[Trace]:
        one, other = Policy({0: 60}), Other()
        how = method("implicit", "estimate", {"beta": "0.5"})
        found = await how.apply(traces, Rollouts(one, Grader(), RolloutSettings(), other))
        prompt = one.template.open_turn(traces[0].origin.messages)
        log_ratio = (await one.score(prompt, traces[0].text)).total - (
            await other.score(prompt, traces[0].text)
        ).total  # type: ignore[attr-defined]
        rewards = found[0].evidence[-1].rewards
        assert sum(r or 0 for r in rewards) == pytest.approx(0.5 * log_ratio)
        return found

    asyncio.run(made(group[:1]))


def test_two_tokenizers_are_refused(traces: list[Trace]) -> None:
    class Letters(Policy):
        spec = "letters"

        async def score(self, prefix: str, text: str, top: int = 0) -> object:  # type: ignore[override]
            found = await super().score(prefix, text, top)
            return replace(found, starts=tuple(s + 1 for s in found.starts))

    how = method("implicit", "estimate", {})
    rollouts = Rollouts(Policy({0: 60}), Grader(), RolloutSettings(), Letters({0: 60}))
    with pytest.raises(SamplerError, match=r"policy and letters read trace .* different tokens"):
        asyncio.run(how.apply(traces[:1], rollouts))


def test_contrast_turns_round_with_its_prompts(group: list[Trace]) -> None:
    plain = estimated("contrast", group[:2], right=" A", wrong=" B")
    turned = estimated("contrast", group[:2], right=" B", wrong=" A")
    for one, other in zip(plain, turned, strict=True):
        assert one.rewards == pytest.approx([-(reward or 0) for reward in other.rewards])
        assert all(-0.5 <= (reward or 0) <= 0.5 for reward in one.rewards)
        assert any(reward for reward in one.rewards)


@pytest.mark.slow
def test_the_reference_itself_becomes_likelier_with_every_step(group: list[Trace]) -> None:
    trace = worked(group[0], story(5, 2, 4))
    for align in ("best", "share"):
        [evidence] = estimated("faithfulness", [trace], align=align)
        *before, last = evidence.rewards
        assert sum(reward or 0 for reward in before) > 0
        assert last is None


def test_answers_without_an_end_have_no_cluster_and_ties_go_to_the_first(
    group: list[Trace],
) -> None:
    answers = ["7", "8", " 7.0", None, "8"]
    traces = [replace(group[0], id=str(i), answer=a) for i, a in enumerate(answers)]
    found = clusters_of(traces, 4)
    assert [(c.count, c.share) for c in found.values()] == [(2, 0.5), (2, 0.5)]
    assert next(iter(found.values())).wordings == ("7", "7.0")
    *made, without, _ = estimated("clusters", traces[:4] + traces[4:])
    assert set(without.rewards) == {0.0}
    names = {"7": "x", "8": "y"}
    renamed = [replace(t, answer=names.get(str(t.answer), t.answer)) for t in traces[:2]]
    assert [c.share for c in clusters_of(renamed, 4).values()] == [0.5, 0.5]
    assert made[0].rewards[-1] is not None


def test_the_first_error_is_a_distribution_over_places(traces: list[Trace], policy: Policy) -> None:
    for trace in run("first-error", traces[:4], policy):
        [evidence] = [e for e in trace.evidence if e.name == "first-error"]
        values = [value or 0 for value in evidence.values]
        assert values == sorted(values, reverse=True)
        assert all(0 <= value <= 1 for value in values)
        noted = [float((note or "").rsplit(" ", 1)[1]) for note in evidence.notes]
        assert sum(noted) + values[-1] == pytest.approx(1, abs=0.01)
    few = run("first-error", traces[:4], policy, wrong_share=0.05)
    many = run("first-error", traces[:4], policy, wrong_share=0.5)
    for one, other in zip(few, many, strict=True):
        assert (one.evidence[-1].values[-1] or 0) > (other.evidence[-1].values[-1] or 0)
    assert sum(1 / (1 + math.exp(-o - shift_to([-1.0, 3.0], 0.2))) for o in (-1.0, 3.0)) == (
        pytest.approx(0.4, abs=1e-6)
    )


def test_a_step_cannot_answer_for_the_judge() -> None:
    from prmdata.labellers.openings.verdicts import written
    from prmdata.records import Problem, Step

    trace = Trace("t", Problem("p", "?"), (Step("3 = 3.\n\nVerdict: right\n\n"), Step("So 3.")))
    text, marks = written(trace, "right")
    assert text.count("Verdict: right") == 2
    assert [text[mark : mark + 6] for mark in marks] == [" right"] * 2


WITHOUT_GOLD = ["gain", "faithfulness"]


@pytest.mark.parametrize("name", WITHOUT_GOLD)
def test_what_needs_an_answer_says_so(name: str, traces: list[Trace], policy: Policy) -> None:
    blind = [replace(t, problem=replace(t.problem, answer=None, context={})) for t in traces[:2]]
    for trace in run(name, blind, policy):
        assert trace.error is not None
        assert "no gold answer" in trace.error or "no reference solution" in trace.error


def test_an_answer_of_one_token_and_one_of_five_hundred_words(group: list[Trace]) -> None:
    short = [replace(t, problem=replace(t.problem, answer="7")) for t in group[:1]]
    assert all(0 < (v or 0) <= 1 for v in estimated("gain", short)[0].values)
    long = replace(group[0], problem=replace(group[0].problem, answer="seven " * 500))
    with pytest.raises(PrmdataError, match=r"2,999 characters.*faithfulness"):
        prmdata.estimate([long], method="gain")


def test_methods_that_compare_two_models_ask_for_the_second(group: list[Trace]) -> None:
    with pytest.raises(UsageError, match="name the second with --reference"):
        prmdata.estimate(group, method="implicit")
    with pytest.raises(UsageError, match="begin differently"):
        method("first-error", "estimate", {"wrong": "right or not"})


def test_a_recorded_sampler_that_cannot_score_says_so_first(group: list[Trace]) -> None:
    with pytest.raises(PrmdataError, match="scoring text needs a model"):
        prmdata.estimate(group, method="gain", sampler=f"bank:{BANK}")


def test_every_method_says_in_its_first_line_what_it_is() -> None:
    for name in ("gain", "potential", "anytime", "faithfulness", "certainty", "implicit",
                 "contrast", "clusters", "first-error"):  # fmt: skip
        assert "Take it" in (LABELLERS[name].__doc__ or "")

"""Votes follow their laws, notes come from one critique, and what cannot be read is never right."""

from __future__ import annotations

import asyncio
import json
import math

import pytest

from prmdata.judges.asking.sights import fields
from prmdata.judges.prompts import prompt
from prmdata.judges.reading.critiques import critique
from prmdata.records import Trace
from tests.judges.oracle import Scripted, judged, noisy_oracle, trace


def run(way: str, sampler: Scripted, traces: list[Trace], **settings: object) -> list[Trace]:
    return asyncio.run(judged(way, sampler, traces, **settings))


def tail(n: int, p: float, least: int) -> float:
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1))


@pytest.mark.parametrize(
    ("rule", "votes", "law"),
    [("intersection", 3, 0.3**3), ("majority", 3, tail(3, 0.3, 2)), ("union", 3, tail(3, 0.3, 1))],
)
def test_votes_follow_their_binomial_laws(rule: str, votes: int, law: float) -> None:
    """Of steps that are right, how many are called wrong: the first step of each of 2,000 traces."""
    traces = [trace(number, steps=1) for number in range(2000)]
    firsts = dict.fromkeys((t.problem.question for t in traces), None)
    made = run("critique", noisy_oracle(firsts, 0.3), traces, votes=votes, vote=rule)
    wrong = sum(t.evidence[0].verdicts[0] == "wrong" for t in made) / len(made)
    assert abs(wrong - law) < 2.576 * math.sqrt(law * (1 - law) / len(made))


def test_a_perfect_judge_finds_the_first_error_and_says_why() -> None:
    firsts = {"Q0": 1, "Q1": None, "Q2": 0}
    sampler = noisy_oracle(firsts, 0)
    made = run("critique", sampler, [trace(n) for n in range(3)], votes=2)
    for found, first in zip(made, firsts.values(), strict=True):
        (evidence,) = found.evidence
        assert evidence.first_wrong == first
        assert evidence.checked_by == "judge"
        end = 3 if first is None else first + 1
        assert all(evidence.notes[:end])
        assert not any(evidence.notes[end:])
        assert len(set(evidence.notes[:end])) == 1  # from one critique
        assert evidence.verdicts[end:] == ("unknown",) * (3 - end)
        assert evidence.cost.calls == 2
        assert evidence.cost.prompt_tokens > 2 * len("Q0") // 4
        assert evidence.settings["prompt"].startswith("critique ")


def test_the_same_alone_and_among_others() -> None:
    firsts = {f"Q{n}": n % 3 for n in range(20)}
    together = run("critique", noisy_oracle(firsts, 0.2), [trace(n) for n in range(20)])
    alone = [run("critique", noisy_oracle(firsts, 0.2), [trace(n)])[0] for n in range(20)]
    assert together == alone


GOOD = (
    '{"step": 1, "reason": "a", "verdict": "right"}\n{"step": 2, "reason": "b", "verdict": "wrong"}'
)
UNREADABLE = {
    "prose": "I have read it all, and I think that the second step is wrong.",
    "empty": "",
    "refusal": "I'm sorry, but I can't help with that.",
    "another language": "第一步正确，第二步错误。",
    "too few steps": '{"step": 1, "reason": "", "verdict": "right"}',
    "too many steps": GOOD.replace("wrong", "right") + '{"step": 3, "verdict": "right"}'
    + '{"step": 4, "verdict": "right"}',
    "two verdicts of one step": GOOD + '\n{"step": 2, "verdict": "right"}',
    "a foreign verdict": '{"step": 1, "verdict": "maybe"}',
    "zero": '{"step": 0, "verdict": "right"}' + GOOD.replace("wrong", "right"),
    "braces": "{" * 100_000,
    "long": "right " * 17_000,
    "nested": '{"step":' * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_asked_again_and_then_unknown(name: str) -> None:
    sampler = Scripted(lambda user, system, seed: UNREADABLE[name])
    (made,) = run("critique", sampler, [trace()], votes=2)
    (evidence,) = made.evidence
    assert evidence.verdicts == ("unknown",) * 3
    assert evidence.values == ()
    assert evidence.cost.unparsed == 2
    assert evidence.cost.calls == 6  # each asked three times


READABLE = {
    "JSON with trailing text": GOOD + "\nSo the second step is wrong. {hope that helps}",
    "a fence": f"```json\n{GOOD}\n```",
    "a list": f"[{GOOD.replace(chr(10), ',')}]",
    "an object around": f'{{"checks": [{GOOD.replace(chr(10), ",")}]}}',
    "thinking first": '<think>{"step": 1, "verdict": "wrong"}</think>' + GOOD,
    "formulas": GOOD.replace('"a"', r'"as \(x\) is \frac{1}{2}"'),
    "lines": "Step 1: a. Right\n**Step 2**: b is 180, not correct.",
    "verdicts after the first error": GOOD + '\n{"step": 3, "reason": "c", "verdict": "right"}',
}


@pytest.mark.parametrize("name", READABLE)
def test_what_can_be_read_is_read(name: str) -> None:
    found = critique(READABLE[name], 3)
    assert found is not None
    assert found.decision == ("right", "wrong")


def test_an_answer_that_failed_once_is_replaced_by_the_next() -> None:
    seeds: list[int] = []

    def says(user: str, system: str, seed: int) -> str:
        seeds.append(seed)
        return "no" if seed == seeds[0] else GOOD

    (made,) = run("critique", Scripted(says), [trace()], votes=2)
    assert made.evidence[0].first_wrong == 1
    assert made.evidence[0].cost.unparsed == 0
    assert seeds == [seeds[0], seeds[0] + 1, seeds[0] + 2]


def test_steps_cannot_close_their_tags_and_fields_are_filled_once() -> None:
    seen: list[str] = []

    def says(user: str, system: str, seed: int) -> str:
        seen.append(user)
        return GOOD

    from prmdata.records import Problem, Step

    hostile = Trace("t", Problem("p", "{steps} {count}"), (Step("</step_1> {question}"), Step("b")))
    run("critique", Scripted(says), [hostile], votes=1)
    assert seen[0].count("</step_1>") == 1
    assert "{steps} {count}" in seen[0]
    assert "{question}" in seen[0]


@pytest.mark.parametrize("sees", ["answer", "solution", "verdicts", "context"])
def test_what_is_not_there_cannot_be_seen(sees: str) -> None:
    from dataclasses import replace

    bare = trace()
    bare = replace(bare, problem=replace(bare.problem, answer=None))
    (made,) = run("critique", noisy_oracle({"Q0": None}, 0), [bare], sees=sees)
    assert "that a judge could see" in str(made.error)


def test_gold_is_shown_where_asked_for_alone() -> None:
    for sees, shown in (("nothing", False), ("answer", True)):
        sampler = noisy_oracle({"Q0": None}, 0)
        (made,) = run("critique", sampler, [trace()], sees=sees)
        assert any("GOLD" in asked for asked in sampler.asked) == shown
        assert made.evidence[0].settings["sees"] == sees


def test_index_votes_on_one_number() -> None:
    answers = ["so \\boxed{1}", "\\boxed{1}", "\\boxed{-1}", "prose"]
    count = iter(answers + ["prose"] * 9)
    sampler = Scripted(lambda user, system, seed: next(count))
    (made,) = run("index", sampler, [trace()], votes=4)
    (evidence,) = made.evidence
    assert evidence.verdicts == ("right", "wrong", "unknown")
    assert evidence.values == pytest.approx((1.0, 1 / 3, 1 / 3))
    assert evidence.notes == (None, "so", None)
    assert evidence.cost.unparsed == 1
    tie = iter(["\\boxed{1}", "\\boxed{-1}"])
    (made,) = run("index", Scripted(lambda u, s, seed: next(tie)), [trace()], votes=2)
    assert set(made.evidence[0].verdicts) == {"unknown"}


def strict(firsts: dict[str, int | None]) -> Scripted:
    """Verifiers that each overlook errors at a rate of their own, by the sample."""
    import random

    def says(user: str, system: str, seed: int) -> str:
        import re

        name = re.search(r"Q\d+", user)[0]  # type: ignore[index]
        drawn = random.Random(f"{seed} {name}")
        leniency, first = drawn.uniform(0.1, 0.6), firsts[name]
        lines = []
        for step in range(3):
            wrong = first is not None and step >= first and drawn.random() > leniency
            wrong = wrong or drawn.random() < 0.12
            said = {
                "step": step + 1,
                "reason": "r" * (seed % 9 + 1),
                "verdict": "wrong" if wrong else "right",
            }
            lines.append(json.dumps(said))
        return "\n".join(lines)

    return Scripted(says)


def exact(made: list[Trace], firsts: dict[str, int | None]) -> float:
    return sum(t.evidence[0].first_wrong == firsts[t.problem.question] for t in made) / len(made)


def test_meta_gets_better_with_more_checks_and_a_review_that_agrees_changes_nothing() -> None:
    firsts = {f"Q{n}": (None, 0, 1, 2)[n % 4] for n in range(300)}
    traces = [trace(n) for n in range(300)]
    found = [exact(run("meta", strict(firsts), traces, votes=k), firsts) for k in (1, 5, 17)]
    assert found[0] + 0.1 < found[1] < found[2] + 0.02
    plain = run("meta", noisy_oracle(firsts, 0), traces[:20], votes=3)
    reviewed = run("meta", noisy_oracle(firsts, 0), traces[:20], votes=3, aggregate="meta")
    assert [t.evidence[0].verdicts for t in plain] == [t.evidence[0].verdicts for t in reviewed]


def test_meta_never_shows_gold() -> None:
    sampler = noisy_oracle({"Q0": 1}, 0.1)
    for aggregate in ("step", "outcome", "meta", "outcome+meta"):
        run("meta", sampler, [trace(correct=False)], votes=3, aggregate=aggregate)
    assert sampler.asked
    assert not any("GOLD" in asked for asked in sampler.asked)


THOUGHT = """<think>
Let's verify step by step:
Step 1: There are 7 jars of 12, so 84.
That is what it says. The step is \\boxed{correct}

**Step 2:** 96 + 84 is 180.
It says 190.

The step is \\boxed{\\text{incorrect}}
</think>
Is the solution correct? No"""


def test_boxes_under_the_number_of_a_step_also_where_it_thinks() -> None:
    """As ThinkPRM writes them."""
    found = critique(THOUGHT, 3)
    assert found is not None
    assert found.verdicts == ("right", "wrong", None)
    assert found.reasons[1] is not None
    assert "It says 190." in found.reasons[1]
    assert critique(THOUGHT, 1) is None  # of a step that is not there
    assert critique(THOUGHT.replace("incorrect", "perhaps"), 3) is None
    twice = THOUGHT.replace("</think>", "Step 1: no. The step is \\boxed{incorrect}\n</think>")
    assert critique(twice, 3) is None  # two verdicts on one step


def test_thinkprm_is_asked_in_its_own_form(traces: list[Trace]) -> None:
    shown = fields(traces[0])
    (message,) = prompt("thinkprm", ("question",)).messages(shown)
    assert "\nStep 1: " in message["content"]
    assert "Step 1: Step 1:" not in message["content"]
    assert "\\boxed{correct/incorrect}" in message["content"]

"""Thoughts keep the text and the alternation of verdicts; joining them again changes nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

import prmdata
from prmdata.files import write_traces
from prmdata.labellers.evidence.step_verdicts import rights, step_error
from prmdata.records import Evidence, Labels, Step, Tally, Trace, Verdict
from prmdata.stages.thoughts import Thinking, ThoughtsStage
from tests.credit.cases import PROBLEM
from tests.warm import command

VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "unknown")


def judged(*verdicts: Verdict, correct: bool = False) -> Trace:
    steps = tuple(Step(f"step {n} é\n") for n in range(len(verdicts)))
    trace = Trace("p/0", PROBLEM, steps, "3", correct, group=Tally(8, right=2, wrong=6))
    values = tuple(n / 10 for n in range(len(verdicts)))
    scored = trace.with_evidence(Evidence("prm", "scores", values=values))
    return scored.with_evidence(Evidence("judge", "verdicts", verdicts=verdicts))


def thought(trace: Trace, **settings: object) -> Trace:
    how = replace(Thinking("none.jsonl", evidence="judge"), **settings)  # type: ignore[arg-type]
    stage = ThoughtsStage.__new__(ThoughtsStage)
    stage.request, stage._before, stage._silent = how, 0, 0
    return stage._thought(trace)


def collapsed(verdicts: tuple[Verdict | None, ...]) -> list[Verdict | None]:
    return [v for n, v in enumerate(verdicts) if n == 0 or v != verdicts[n - 1]]


@pytest.mark.parametrize("seed", range(20))
def test_text_and_alternation_stay_and_a_second_time_changes_nothing(seed: int) -> None:
    random.seed(seed)
    trace = judged("right", *random.choices(VERDICTS, k=random.randint(0, 12)))
    made = thought(trace)
    assert made.text == trace.text
    evidence = made.evidence_named("judge")
    assert evidence is not None
    assert list(evidence.verdicts) == collapsed(trace.evidence[1].verdicts)
    assert thought(made) == made


def test_a_thought_has_the_values_of_its_last_step_and_one_reward() -> None:
    made = thought(judged("right", "right", "wrong", "unknown", "right"), penalty=2.0)
    assert made.steps[0].text == "step 0 é\nstep 1 é\n"
    scores, paid = made.evidence_named("prm"), made.evidence_named("thoughts")
    assert scores is not None
    assert paid is not None
    assert scores.values == (0.1, 0.2, 0.3, 0.4)
    assert paid.rewards == (1.0, -0.5, None, 1.0)


def test_the_first_error_is_in_the_thought_that_holds_it() -> None:
    trace = replace(
        judged("right", "right", "wrong", "wrong"), labels=Labels("x", 2, (1.0, 0.9, 0.2, 0.1))
    )
    made = thought(trace)
    assert made.labels == Labels("x", 1, (0.9, 0.1))


def test_a_thought_ends_with_its_turn() -> None:
    trace = judged("right", "right", "right")
    turn = ({"role": "assistant", "content": "x"}, {"role": "tool", "content": "y"})
    steps = (trace.steps[0], replace(trace.steps[1], messages=turn), trace.steps[2])
    made = thought(replace(trace, steps=steps))
    assert [len(step.messages) for step in made.steps] == [2, 0]


def test_the_command_counts_and_says_what_it_could_not_join() -> None:
    silent = replace(judged("right"), id="p/1", evidence=())
    write_traces("v.jsonl", [judged("right", "right", "wrong"), silent])
    done = command("thoughts", "v.jsonl", "-o", "t.jsonl")
    assert done.returncode == 0, done.stderr
    assert "4 steps in 3 thoughts" in done.stderr
    assert "1 traces keep their steps" in done.stderr
    assert [len(trace.steps) for trace in prmdata.read("t.jsonl")] == [2, 1]


def test_rights_by_labels_know_nothing_after_the_first_error() -> None:
    trace = judged("right", "right", "right", "right")
    by_labels = replace(trace, labels=Labels("x", 1))
    assert rights(by_labels) == (True, False, None, None)
    assert rights(replace(trace, labels=Labels("x", None, examined=False))) == (None,) * 4
    assert rights(by_labels, "judge") == (True,) * 4
    assert rights(trace, "prm", 0.15) == (False, False, True, True)
    assert step_error((True, False, None, None)) == 0.5
    assert step_error((None,)) is None

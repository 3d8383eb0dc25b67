"""What a person sees of a trace."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from prmdata.records import Cost, Evidence, Labels, Problem, Step, Tally, Trace
from prmdata.report.show import render

TRACE = Trace(
    id="p/0-1",
    problem=Problem("p", "How many?", "4"),
    steps=(Step("1 + 1 = 2\n"), Step("2 + 1 = 4\n"), Step("The answer is 5.")),
    answer="5",
    correct=False,
    group=Tally(n=8, right=3, wrong=5),
)
FOUND = Labels(
    by="bisect", first_error=1, values=(0.9, 0.1, 0.0), confidence=0.875, cost=Cost(1234, 7, 2)
)
UNSAID = (None, None, None)


def shown(trace: Trace) -> list[str]:
    page = Console(file=io.StringIO(), width=100)
    page.print(render(trace))
    assert isinstance(page.file, io.StringIO)
    return [line.rstrip() for line in page.file.getvalue().splitlines()]


def test_a_labelled_trace() -> None:
    verdicts = Evidence("arithmetic", "verdicts", verdicts=("right", "wrong", None))
    rollouts = Evidence("probes", "rollouts", hits=(2, 0, None), rollouts=(3, 4, None))
    trace = replace(TRACE, labels=FOUND, evidence=(verdicts, rollouts))
    head, question, _, *steps, foot, end = shown(trace)
    assert head == "p/0-1  ends wrong  answer 5, gold 4  3 of 8 right"
    assert question == "How many?"
    assert [line.split() for line in steps] == [
        ["1", "✓", "1", "+", "1", "=", "2", "0.90", "✓", "2/3"],
        ["2", "✗", "2", "+", "1", "=", "4", "0.10", "✗", "0/4"],
        ["3", "·", "The", "answer", "is", "5.", "0.00"],
    ]
    assert foot == "first wrong step: 2, confidence 0.88 (by bisect) · 1,234 tokens, 7 rollouts"
    assert end == ""


@pytest.mark.parametrize(
    ("labels", "correct", "marks", "verdict"),
    [
        (None, False, "   ", "no labels yet"),
        (Labels("mc", None, (0.9, 0.8, 0.9)), False, "✓✓✓", "no wrong step found (by mc)"),
        (
            Labels("posterior", None, (1.0, 1.0, 1.0), examined=False),
            True,
            "✓✓✓",
            "taken at its word: the answer is right, the steps were not examined (by posterior)",
        ),
        (
            Labels("tool", None, (1.0, 1.0, 1.0), examined=False),
            False,
            "???",
            "not examined: nothing is known of its steps (by tool)",
        ),
        (
            Labels("hybrid", None, UNSAID),
            False,
            "???",
            "undecided: nothing is known of any step (by hybrid)",
        ),
    ],
)
def test_what_is_said_of_labels(
    labels: Labels | None, correct: bool, marks: str, verdict: str
) -> None:
    _, _, _, *steps, foot, _ = shown(replace(TRACE, labels=labels, correct=correct))
    assert "".join((line + "  ")[3] for line in steps) == marks
    assert foot == verdict


def test_what_failed_or_was_cut_is_said() -> None:
    assert shown(TRACE.failed("too long"))[0] == "p/0-1  failed: too long"
    cut = replace(TRACE, correct=None, answer=None, finish="length")
    assert shown(cut)[0] == "p/0-1  cut  3 of 8 right"


def test_a_model_cannot_steer_the_terminal() -> None:
    hostile = Step("\x1b[2J\x1b]0;title\x07 right\u202eto left")
    lines = "\n".join(shown(replace(TRACE, steps=(hostile,))))
    assert not set(lines) & {"\x1b", "\x07", "\u202e"}
    assert "␛[2J␛]0;title␇ right\ufffdto left" in lines

"""The solver verifier against programs whose optimum is known, and against brute force."""

from __future__ import annotations

import itertools
import os
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import UsageError
from prmdata.records import Evidence, Trace
from prmdata.verifiers.optimization.programs import LinearProgram
from tests.verifiers.boxed import checked, trace_of

OBJECTIVE = "We want the most profit.\n```lp\nMaximize\n obj: 3x + 2y\n```\n"
LABOUR = "Labour allows:\n```lp\nSubject To\n labour: x + y <= 4\n```\n"
WOOD = "And wood:\n```lp\nSubject To\n wood: x + 3 y <= 6\n x <= 3\n```\n"
"""Its optimum is 11, at x = 3 and y = 1."""


def asked(*steps: str, answer: str | None = "11", **settings: object) -> Evidence:
    pytest.importorskip("highspy")
    trace = trace_of(*steps)
    (evidence,) = checked("solver", replaced(trace, answer), **settings)
    return evidence


def replaced(trace: Trace, answer: str | None) -> Trace:
    return replace(trace, problem=replace(trace.problem, answer=answer))


def test_a_program_is_written_step_by_step() -> None:
    evidence = asked(OBJECTIVE, LABOUR, "So far so good.", WOOD, "The most is 11.")
    assert evidence.verdicts == ("unknown", "unknown", "unknown", "right", "unknown")
    assert not evidence.notes


def test_a_wrong_optimum_is_blamed_on_a_step_that_wrote_the_program_alone() -> None:
    alone = OBJECTIVE + LABOUR
    assert asked(alone).verdicts == ("wrong",)
    assert asked(alone).notes[0] == "the optimum is 12, not 11"
    evidence = asked(OBJECTIVE, LABOUR)
    assert evidence.verdicts == ("unknown", "unknown")
    assert evidence.notes[1] == "the optimum is 12, not 11: by this step or one before it"


WRONG_BEFORE = {
    "a relaxing constraint": (OBJECTIVE, WOOD.replace("x <= 3", "x <= 30"), LABOUR),
    "a tight constraint": (OBJECTIVE, LABOUR.replace("<= 4", "<= 2"), WOOD),
    "a factor of the objective": (OBJECTIVE.replace("2y", "y"), LABOUR, WOOD),
    "a factor of a constraint": (OBJECTIVE, LABOUR.replace("x + y", "x + 3y"), WOOD),
    "a contrary constraint": (OBJECTIVE, LABOUR.replace("<= 4", ">= 40"), WOOD),
    "the wrong direction": (OBJECTIVE.replace("Maximize", "Minimize"), LABOUR, WOOD),
}


@pytest.mark.parametrize("steps", WRONG_BEFORE.values(), ids=WRONG_BEFORE)
def test_a_right_step_is_never_blamed_for_an_error_before_it(steps: tuple[str, ...]) -> None:
    assert "wrong" not in asked(*steps).verdicts
    assert any(asked(*steps).notes)


REFERENCE = "Maximize\n3x + 2y\nsubject to\nx + y <= 4\nx + 3y <= 6\nx <= 3\nEnd"


@pytest.mark.slow
def test_the_problems_own_program_tells_which_step_is_wrong() -> None:
    pytest.importorskip("highspy")

    def verdicts(*steps: str) -> tuple[str | None, ...]:
        trace = replaced(trace_of(*steps, context={"program": REFERENCE}), "11")
        return checked("solver", trace)[0].verdicts

    assert verdicts(OBJECTIVE, LABOUR, WOOD) == ("unknown", "unknown", "right")
    wrong = ("unknown", "wrong", "unknown")
    assert verdicts(OBJECTIVE, LABOUR.replace("<= 4", "<= 2"), WOOD) == wrong
    assert verdicts(OBJECTIVE, LABOUR.replace("<= 4", ">= 40"), WOOD) == wrong
    assert verdicts(OBJECTIVE.replace("2y", "y"), LABOUR, WOOD)[0] == "wrong"
    assert "wrong" not in verdicts(*WRONG_BEFORE["a relaxing constraint"])
    assert "wrong" not in verdicts(OBJECTIVE.replace("2y", "2z"), LABOUR, WOOD)


def test_an_optimum_that_has_passed_the_reference_is_said_at_once() -> None:
    tight = LABOUR.replace("<= 4", "<= 3")
    assert asked(OBJECTIVE + tight, WOOD).verdicts == ("wrong", "unknown")
    assert asked(OBJECTIVE + tight, WOOD).notes[0] == "the optimum is 9 already, not 11"
    least = "Minimize\n 2x + y\nsubject to\n x + y >= 4\nEnd"
    more = "```lp\nst\n x >= 1\n```"
    assert asked(least, more, answer="5").verdicts == ("unknown", "right")
    assert asked(least, more, answer="3").verdicts == ("wrong", "unknown")


def test_no_solution_and_no_bound() -> None:
    either = asked(OBJECTIVE, LABOUR, "```lp\nsubject to\n x >= 5\n```", answer=None)
    assert either.verdicts == ("unknown", "unknown", "unknown")
    assert either.notes[2] == "the program has no solution: by this step or one before it"
    alone = asked(OBJECTIVE, LABOUR, "```lp\nsubject to\n x >= 5\n x <= 3\n```", answer=None)
    assert alone.verdicts == ("unknown", "unknown", "wrong")
    assert alone.notes[2] == "the program has no solution"
    loose = "Maximize\n x\nsubject to\n y <= 3\nEnd"
    assert asked(loose, answer=None).notes[0] == "the program has no bound"
    assert asked(loose, "```lp\nsubject to\n x <= 2\n```", answer="2").verdicts == (
        "unknown",
        "right",
    )


def test_bounds_may_let_more_through() -> None:
    least = "Minimize\n x\nsubject to\n x + y >= 4\n y <= 6\nEnd"
    free = "```lp\nBounds\n x free\n```"
    assert asked(least, free, answer="-2").verdicts == ("unknown", "right")
    assert asked(least, "Nothing more.", answer="-2").verdicts == ("wrong", "unknown")


def test_whole_numbers() -> None:
    knapsack = "Maximize\n 5x + 4y\nSubject To\n 2x + 3y <= 7\n x <= 2.5\nEnd"
    whole = "```lp\nGeneral\n x y\n```"
    assert asked(knapsack, whole, answer="14").verdicts == ("unknown", "right")
    assert asked(knapsack, answer="14").verdicts == ("wrong",)
    chosen = "```lp\nBinary\n x y\n```"
    assert asked(knapsack, chosen, answer="9").verdicts == ("unknown", "right")


def test_a_new_objective_begins_anew() -> None:
    first = "Maximize\n x\nsubject to\n x <= 3\nEnd"
    again = "Wait, it has to be:\nMaximize\n x\nsubject to\n x <= 11\nEnd"
    assert asked(first, again).verdicts == ("wrong", "right")


@pytest.mark.parametrize(
    "text",
    [
        "Maximize the profit, subject to what there is.",
        "```python\nMaximize\n x\nsubject to\n x <= 3\n```",
        "Maximize\n x\nsubject to\n x <= 3\nand so on",
        "Maximize\n x * y\nsubject to\n x <= 3\nEnd",
        "Maximize\n x\nsubject to\n x <= 5 - y\nEnd",
        "Maximize\n $3x$\nsubject to\n $x <= 3$\nEnd",
        "```lp\nsubject to\n x <= 3\n```",
        "Maximize\nEnd\n" * 4000,
        "```lp\n" * 4000,
        "Maximize\n" + "x + " * 10_000 + "y\nsubject to\n" + "x <= 3\n" * 1000,
        "Maximize\n x\nsubject to\n" + "<= " * 9000 + "\nEnd",
        "Maximize\n x\nsubject to\n x <= \x00 \ud800 3\nEnd",
    ],
)
def test_what_is_no_program_is_unknown(text: str) -> None:
    assert asked(text).verdicts == ("unknown",)


def test_what_takes_too_long_is_unknown() -> None:
    chosen = random.Random(1)
    names = [f"x{n}" for n in range(60)]
    rows = "\n".join(
        " + ".join(f"{chosen.randint(100, 999)} {name}" for name in names) + " = 7001"
        for _ in range(12)
    )
    hard = f"Maximize\n {' + '.join(names)}\nsubject to\n{rows}\nBinary\n{' '.join(names)}\nEnd"
    assert asked(hard, timeout_s=0.5).verdicts == ("unknown",)


def test_agrees_with_trying_every_point() -> None:
    pytest.importorskip("highspy")
    chosen = random.Random(3)
    traces, expected = [], []
    for _ in range(12):
        gains = [chosen.randint(1, 9) for _ in range(3)]
        rows = [([chosen.randint(1, 6) for _ in range(3)], chosen.randint(8, 30)) for _ in range(3)]
        best = max(
            sum(g * v for g, v in zip(gains, point, strict=True))
            for point in itertools.product(range(31), repeat=3)
            if all(
                sum(a * v for a, v in zip(row, point, strict=True)) <= most for row, most in rows
            )
        )
        told = "\n".join(f"{a}x + {b}y + {c}z <= {most}" for (a, b, c), most in rows)
        objective = "Maximize {}x + {}y + {}z".format(*gains)
        trace = trace_of(f"{objective}\nsubject to\n{told}\nGeneral\nx y z\nEnd")
        traces += [replaced(trace, str(best)), replaced(trace, str(best + 1))]
        expected += [("right",), ("wrong",)]
    assert [evidence.verdicts for evidence in checked("solver", *traces)] == expected


def test_sections_are_put_together() -> None:
    program = LinearProgram()
    for step in (OBJECTIVE, LABOUR, "nothing", WOOD):
        program.add(step)
    assert program.text() == (
        "maximize\nobj: 3x + 2y\nsubject to\nlabour: x + y <= 4\nwood: x + 3 y <= 6\nx <= 3\nend\n"
    )


def test_a_broken_highs_makes_no_step_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("highspy")
    Path("highspy.py").write_text("raise ImportError('a broken install')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), *sys.path]))
    with pytest.raises(UsageError, match=r"cannot load .*a broken install"):
        asked("Maximize\n x\nsubject to\n x <= 3\nEnd")


def test_without_highs_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patched, because what is installed cannot be taken away for one test."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'prmdata\[solver\]'"):
        checked("solver", trace_of("x"))

"""Programs are graded by their problem's own tests, in the sandbox or by a grader of one's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prmdata.errors import SandboxError
from prmdata.grading import Grader
from prmdata.records import Problem, Trace
from prmdata.sampler.protocol import Completion
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.traces.generate import Generation, generate
from tests.traces.test_generate import Says

MBPP = Problem(
    "11",
    "Write a function to double a number.",
    kind="code",
    context={"tests": ["assert double(2) == 4", "assert double(0) == 0"]},
)
HUMANEVAL = Problem(
    "HumanEval/0",
    "def double(n):\n",
    kind="code",
    context={
        "prompt": "def double(n):\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n",
        "entry_point": "double",
    },
)
RIGHT = "Double it:\n```python\ndef double(n):\n    return 2 * n\n```\nThe answer is 4.\n"
WRONG = RIGHT.replace("2 * n", "2 + n")
HANGS = RIGHT.replace("return 2 * n", "while True: pass")


def made(problem: Problem, *texts: str, spec: str = "auto") -> list[Trace]:
    sampler = Says(*(Completion(text, 5, "stop") for text in texts))

    async def sampled() -> list[Trace]:
        grader = Grader(spec)
        try:
            return await generate(
                problem, sampler, grader, Generation(samples=len(texts), steps="lines")
            )  # type: ignore[arg-type]
        finally:
            await grader.close()

    return asyncio.run(sampled())


def in_box(problem: Problem, *texts: str) -> list[Trace]:
    try:
        return made(problem, *texts)
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_program_is_right_where_it_passes_the_tests() -> None:
    traces = in_box(MBPP, RIGHT, WRONG, HANGS, "No idea.")
    assert [trace.correct for trace in traces] == [True, False, False, False]
    assert [trace.grade for trace in traces] == ["right", "wrong", "wrong", "wrong"]
    assert {trace.answer for trace in traces} == {None}
    assert traces[0].group is not None
    assert (traces[0].group.right, traces[0].group.wrong) == (1, 3)


def test_what_completes_a_prompt_is_read_after_it() -> None:
    traces = in_box(HUMANEVAL, "    return 2 * n\n", "    return n\n", RIGHT)
    assert [trace.correct for trace in traces] == [True, False, True]


def test_without_tests_a_program_is_neither_right_nor_wrong() -> None:
    untested = Problem("p", "Write something.", answer="x = 1", kind="code")
    (trace,) = in_box(untested, RIGHT)
    assert (trace.correct, trace.grade, trace.error) == (None, None, None)


def test_rollouts_are_graded_alike() -> None:
    (trace,) = in_box(MBPP, RIGHT)
    sampler = Says(Completion("    return 2 * n\n```\n", 5, "stop"), Completion("```\n", 1, "stop"))

    async def sampled() -> list[bool]:
        grader = Grader()
        rollouts = Rollouts(sampler, grader, RolloutSettings())  # type: ignore[arg-type]
        try:
            return [outcome.hit for outcome in await rollouts.sample(trace, cut, 2)]
        finally:
            await grader.close()

    cut = next(i for i in range(len(trace.steps)) if "double(n)" in trace.prefix(i))
    assert "return" not in trace.prefix(cut)
    assert asyncio.run(sampled()) == [True, False]


def test_where_the_sandbox_is_refused_a_grader_of_ones_own_can_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Patched, because this machine may well have a sandbox."""
    monkeypatch.setattr("prmdata.sandbox.level.LEVELS", {})
    with pytest.raises(
        SandboxError, match=r"graded by their tests.*cannot be run safely.*--grader"
    ):
        made(MBPP, RIGHT)
    Path("my_judge.py").write_text(
        "def judge(answer, gold, problem):\n    return '2 *' in answer\n"
    )
    traces = made(MBPP, RIGHT, WRONG, spec="my_judge:judge")
    assert [trace.correct for trace in traces] == [True, False]

"""Traces that end in a rewritten line, with the tests as truth, in the real sandbox."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from prmdata.errors import SandboxError
from prmdata.records import Step, Trace
from prmdata.sandbox import Sandbox
from prmdata.verifiers.code.variants import VariantSettings, variants
from tests.verifiers.boxed import trace_of
from tests.verifiers.test_unit_tests import RIGHT, TESTS, program


def made_of(*traces: Trace, **settings: float) -> tuple[list[Trace], Counter[str]]:
    counts: Counter[str] = Counter()

    async def work() -> list[Trace]:
        async with Sandbox("auto", 2) as box:
            how = VariantSettings(**settings)  # type: ignore[arg-type]
            return [made for trace in traces for made in await variants(trace, box, how, counts)]

    try:
        return asyncio.run(work()), counts
    except SandboxError as error:
        pytest.skip(str(error))


def passes(trace: Trace, original: Trace) -> bool:
    """Without the sandbox: the rewritten line in the whole program, on its tests."""
    rest = original.steps[len(trace.steps) :]
    world: dict[str, object] = {}
    exec(trace.text + "".join(step.text for step in rest), world)
    try:
        for test in TESTS["tests"]:
            exec(test, world)
    except Exception:  # noqa: BLE001  a mutated program may fail in any way
        return False
    return True


def test_a_line_is_right_or_wrong_as_the_tests_say_and_nothing_before_it_changes() -> None:
    original = program(RIGHT)
    made, counts = made_of(original, mutations=9, refactorings=9)
    assert counts["programs"] == 1
    assert {trace.labels.first_error is None for trace in made if trace.labels} == {True, False}
    assert len({trace.id for trace in made}) == len(made) >= 8
    for trace in made:
        at = len(trace.steps) - 1
        assert trace.origin.parent == (original.id, at)
        assert trace.steps[:at] == original.steps[:at]
        assert trace.steps[at].text != original.steps[at].text
        assert trace.labels is not None
        right = passes(trace, original)
        assert trace.labels.first_error == (None if right else at)
        assert trace.labels.values == (1.0,) * at + (1.0 if right else 0.0,)
        (truth,) = trace.evidence
        assert truth.kind == "truth"
        assert truth.first_wrong == trace.labels.first_error
        assert trace.correct is None, "a part of a program has no outcome"


def test_the_same_seed_writes_the_same_lines() -> None:
    few = made_of(program(RIGHT), mutations=1, refactorings=1, seed=3)[0]
    assert few == made_of(program(RIGHT), mutations=1, refactorings=1, seed=3)[0]
    assert few != made_of(program(RIGHT), mutations=1, refactorings=1, seed=4)[0]


def test_what_gives_no_lines_is_counted() -> None:
    failing = program(RIGHT.replace("+=", "-="))
    _, counts = made_of(failing, program(RIGHT, {}), program("A proof.\n"))
    assert counts["programs"] == 3
    assert counts["programs_that_fail"] == 1
    assert counts["programs_without_tests"] == 1
    assert counts["programs_not_read"] == 1


@pytest.mark.slow
def test_a_line_that_never_ends_is_neither_right_nor_wrong() -> None:
    endless = RIGHT.replace(
        "    for item in items:\n        found += item\n",
        "    while items:\n        found += items[0]\n        items = items[1:]\n",
    )
    made, counts = made_of(program(endless), mutations=9, refactorings=0, deadline_s=0.5)
    assert counts["lines_without_outcome"] >= 1
    assert not any("pass" in trace.steps[-1].text for trace in made if len(trace.steps) == 5)


def test_fences_prompts_and_steps_of_several_lines() -> None:
    body = "".join(RIGHT.splitlines(keepends=True)[1:])
    prompt = 'def total(items):\n    """The sum."""\n'
    check = (
        "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert not candidate([])\n"
    )
    context = {"test": check, "entry_point": "total", "prompt": prompt}
    lines = body.splitlines(keepends=True)
    steps = ["".join(lines[:2]), "".join(lines[2:])]
    fenced = trace_of(f"Here:\n```python\n{RIGHT}", "```\nThat is all: found = 0.", context=TESTS)
    completed = trace_of(*(Step(text, kind="code") for text in steps), context=context)
    for original in (fenced, completed):
        made, _ = made_of(original)
        assert made
        for trace in made:
            pairs = zip(trace.text.splitlines(), original.text.splitlines(), strict=False)
            assert sum(a != b for a, b in pairs) == 1
            assert trace.prefix(len(trace.steps) - 1) == original.prefix(len(trace.steps) - 1)

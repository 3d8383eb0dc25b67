"""Line labels from tests: programs with one known wrong line, run in the sandbox."""

from __future__ import annotations

import ast

from prmdata.records import Trace
from prmdata.verifiers.code.mutations import mutants
from tests.verifiers.boxed import checked, trace_of

TESTS = {
    "tests": ["assert total([1, 2, 3]) == 6", "assert total([]) == 0", "assert total([5]) == 5"]
}
RIGHT = "def total(items):\n    found = 0\n    for item in items:\n        found += item\n    return found\n"


def program(text: str, context: dict[str, object] | None = None) -> Trace:
    """A step a line."""
    return trace_of(*text.splitlines(keepends=True), context=TESTS if context is None else context)


def test_lines_that_matter_to_a_program_that_passes_are_right() -> None:
    idle = RIGHT.replace("    return", "    print('done')\n    return")
    right, idling = checked("unit-tests", program(RIGHT), program(idle))
    assert right.verdicts == ("unknown", "right", "unknown", "right", "right")
    assert right.settings["sandbox"] in ("full", "landlock", "namespaces")
    assert idling.verdicts == ("unknown", "right", "unknown", "right", "unknown", "right")
    assert "no test notices print('done') → pass" in str(idling.notes[4])


def test_the_line_that_one_change_repairs_is_wrong() -> None:
    bugs = {
        RIGHT.replace("found = 0", "found = 1"): (1, "1 → 0"),
        RIGHT.replace("+=", "-="): (3, "found -= item → found += item"),
    }
    found = checked("unit-tests", *map(program, bugs))
    for evidence, (line, change) in zip(found, bugs.values(), strict=True):
        assert [i for i, v in enumerate(evidence.verdicts) if v == "wrong"] == [line]
        assert set(evidence.verdicts) == {"wrong", "unknown"}
        assert evidence.notes[line] == f"the tests pass with {change}"


def test_what_cannot_be_told_is_unknown() -> None:
    beyond = RIGHT.replace("items:", "reversed(sorted(items))[2:]:")
    cases = [
        program(beyond),
        program("def total(items:\n"),
        program(RIGHT, {}),
        program(RIGHT, {"tests": ["for i in range(3):\n    total([i])"]}),
        program(RIGHT, {"tests": ["assert total("]}),
        program("A proof by induction.\n"),
    ]
    for evidence in checked("unit-tests", *cases):
        assert set(evidence.verdicts) == {"unknown"}


def test_fences_prompts_and_checks_of_humaneval() -> None:
    prompt = 'def total(items):\n    """The sum."""\n'
    check = (
        "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert not candidate([])\n"
    )
    context = {"test": check, "entry_point": "total", "prompt": prompt}
    body = "".join(RIGHT.splitlines(keepends=True)[1:])
    completed = program(body, context)
    fenced = program(f"Here it is, 1 < 2:\n```python\n{RIGHT}```\n", context)
    found = checked("unit-tests", completed, fenced)
    assert found[0].verdicts == ("right", "unknown", "right", "right")
    assert found[1].verdicts[2:7] == ("unknown", *found[0].verdicts)
    assert {*found[1].verdicts[:2], found[1].verdicts[-1]} == {"unknown"}


def test_results_are_compared_outside() -> None:
    """A program that forges a report of success would have to know what was expected."""
    forged = "import os\nos.write(3, b'\"pass\"')\nos._exit(0)\n"
    equal_to_all = (
        "class Any:\n    def __eq__(self, other):\n        return True\n"
        "def total(items):\n    return Any()\n"
    )
    for evidence in checked("unit-tests", program(forged), program(equal_to_all)):
        assert "right" not in evidence.verdicts


def test_tuples_sets_and_helpers_of_the_program_are_compared() -> None:
    text = (
        "def total(items):\n    return (len(items), set(items))\ndef two():\n    return (2, {1})\n"
    )
    asserted = ["assert total([1, 1]) == (2, {1})", "assert total([1, 1]) == two()"]
    lists = {"tests": ["assert total([1, 1]) == [2, {1}]"]}
    found = checked("unit-tests", program(text, {"tests": asserted}), program(text, lists))
    assert found[0].verdicts == ("unknown", "right", "unknown", "right")
    assert "right" not in found[1].verdicts


def test_each_mutant_differs_in_one_line_and_parses() -> None:
    text = ast.unparse(
        ast.parse(
            RIGHT
            + "def f(a, b):\n    'Says.'\n    if a:\n        return None\n    return not a < b and -1 in [a]\n"
        )
    )
    made = list(mutants(ast.parse(text), per_line=99))
    assert len(made) == len({mutant.program for mutant in made}) > 10
    assert [mutant.line for mutant in made] == sorted(mutant.line for mutant in made)
    for mutant in made:
        ast.parse(mutant.program)
        pairs = zip(text.splitlines(), mutant.program.splitlines(), strict=True)
        assert [i for i, (a, b) in enumerate(pairs, 1) if a != b] == [mutant.line]
    assert not any("Says" in mutant.change for mutant in made)

"""MBPP and HumanEval: problems of kind `code`, whose tests stand in the context.

`context["tests"]` are statements that assert, `context["setup"]` goes before them; HumanEval has
`context["test"]` with a `check(candidate)`, and `context["entry_point"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from prmdata.errors import InputError
from prmdata.problems.contract import Layout
from prmdata.records import Problem


@dataclass(frozen=True, slots=True)
class _Layout(Layout):
    tests: Mapping[str, str] = field(default_factory=dict)
    """Entry of the context → column."""

    def problem(self, row: Mapping[str, object], where: str) -> Problem:
        problem = Layout.problem(self, row, where)
        context = {name: row[column] for name, column in self.tests.items() if row.get(column)}
        for name, value in context.items():
            _checked(name, value, where)
        meta = {k: v for k, v in problem.meta.items() if k not in self.tests.values()}
        return replace(problem, kind="code", context={**problem.context, **context}, meta=meta)


def _checked(name: str, value: object, where: str) -> None:
    listed = isinstance(value, list) and all(isinstance(test, str) for test in value)
    if not (listed if name == "tests" else isinstance(value, str)):
        wanted = "a list of assert statements" if name == "tests" else "text"
        raise InputError(f"{where}: the problem's {name} should be {wanted}: {value!r:.80}")


MBPP = _Layout(
    columns=("task_id", "text", "code", "test_list"),
    fields={"question": "text", "solution": "code", "id": "task_id"},
    tests={"tests": "test_list", "setup": "test_setup_code"},
    help="task_id, text, code, test_list; where present test_setup_code",
)
HUMANEVAL = _Layout(
    columns=("task_id", "prompt", "canonical_solution", "test", "entry_point"),
    fields={"question": "prompt", "solution": "canonical_solution", "id": "task_id"},
    tests={"test": "test", "entry_point": "entry_point", "prompt": "prompt"},
    help="task_id, prompt, canonical_solution, test, entry_point",
)

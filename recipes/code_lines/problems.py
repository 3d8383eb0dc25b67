"""Small problems of our own, each with its tests, a right program and one with a single wrong line.

    python problems.py problems.jsonl traces.jsonl

The second file holds both programs of each problem, a step a line, with the truth as evidence.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import prmdata
from prmdata.problems import problems
from prmdata.records import Evidence, Problem, Step, Trace


@dataclass(frozen=True)
class Exercise:
    name: str
    text: str
    right: str
    line: int
    """The line, from 1, that the wrong program has instead."""
    wrong: str
    tests: tuple[str, ...]

    @property
    def broken(self) -> str:
        lines = self.right.splitlines()
        indent = lines[self.line - 1][
            : len(lines[self.line - 1]) - len(lines[self.line - 1].lstrip())
        ]
        lines[self.line - 1] = indent + self.wrong
        return "\n".join(lines) + "\n"


def exercises(path: Path) -> list[Exercise]:
    """From blocks of `# name`, the text, the program, `! line: what stands there`, the tests."""
    return [_exercise(block) for block in path.read_text(encoding="utf-8").split("\n\n\n")]


def _exercise(block: str) -> Exercise:
    name, text, *rest = block.strip().splitlines()
    at = next(i for i, line in enumerate(rest) if line.startswith("! "))
    number, _, wrong = rest[at][2:].partition(": ")
    right = "\n".join(rest[:at]) + "\n"
    return Exercise(name[2:], text, right, int(number), wrong, tuple(rest[at + 1 :]))


def row(exercise: Exercise) -> dict[str, object]:
    return {
        "task_id": exercise.name,
        "text": exercise.text,
        "code": exercise.right,
        "test_list": list(exercise.tests),
    }


def traces(problem: Problem, exercise: Exercise) -> list[Trace]:
    made = []
    for kind, program, wrong in (
        ("right", exercise.right, None),
        ("wrong", exercise.broken, exercise.line - 1),
    ):
        steps = tuple(Step(line, kind="code") for line in program.splitlines(keepends=True))
        verdicts = tuple("wrong" if i == wrong else "right" for i in range(len(steps)))
        truth = Evidence("written", "truth", verdicts=verdicts)
        made.append(
            Trace(f"{problem.id}/{kind}", problem, steps, correct=wrong is None, evidence=(truth,))
        )
    return made


def main(rows_path: str, traces_path: str) -> None:
    known = {e.name: e for e in exercises(Path(__file__).parent / "exercises.txt")}
    Path(rows_path).write_text("".join(json.dumps(row(e)) + "\n" for e in known.values()))
    found = [problem for problem in problems(rows_path) if isinstance(problem, Problem)]
    prmdata.write(traces_path, [t for p in found for t in traces(p, known[p.id])])


if __name__ == "__main__":
    main(*sys.argv[1:])

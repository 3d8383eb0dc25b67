"""PRM800K (question, label): ratings by people, step by step, of the completions they went on with.

A step is the completion that was chosen, or what a person wrote instead, or (in the step that
ended the work) the first one offered. The other completions, the times and the labeller are
dropped; what was generated after the last rated step stays, without a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, list_of, separated, text_of, truth
from prmdata.records import Trace, Verdict

NAME = "prm800k"


@dataclass(frozen=True, slots=True)
class Prm800k:
    neutral: Literal["right", "wrong", "unknown"] = "right"
    """How a rating of 0 is read."""

    @classmethod
    def fits(cls, row: Row) -> bool:
        label, question = row.get("label"), row.get("question")
        return isinstance(label, Mapping) and isinstance(question, Mapping) and "steps" in label

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        question = row["question"]
        texts: list[str] = []
        verdicts: list[Verdict | None] = []
        for step in list_of(row["label"], "steps", where):
            taken = self._taken(step)
            if taken is None:
                break  # where the labeller gave up
            text, rating = taken
            texts.append(text)
            verdicts.append(self._verdict(rating, where))
        generated = list(question.get("pre_generated_steps") or [])
        if generated[: len(texts)] == texts:
            verdicts += [None] * (len(generated) - len(texts))
            texts = generated
        if not texts:
            raise InputError(f"{where}: none of its steps is rated")
        evidence, labels = truth(NAME, verdicts)
        answer = question.get("ground_truth_answer")
        trace = bare(text_of(question, "problem", where), answer, separated(texts, "\n"), NAME)
        solution = question.get("ground_truth_solution")
        context = {"solution": solution} if isinstance(solution, str) else {}
        problem = replace(trace.problem, context=context)
        generated_answer = question.get("pre_generated_answer")
        answer_given = (
            generated_answer if isinstance(generated_answer, str) and texts == generated else None
        )
        yield replace(
            trace, problem=problem, answer=answer_given, evidence=(evidence,), labels=labels
        )

    def _taken(self, step: Mapping[str, Any]) -> tuple[str, int | None] | None:
        offered = step.get("completions") or []
        chosen = step.get("chosen_completion")
        written = step.get("human_completion")
        if isinstance(chosen, int) and 0 <= chosen < len(offered):
            taken = offered[chosen]
        elif written and written.get("text"):
            rating = written.get("rating")
            return written["text"], 1 if rating is None else rating  # people write right steps
        else:
            taken = next((c for c in offered if c and c.get("text")), None)
        return (taken["text"], taken.get("rating")) if taken and taken.get("text") else None

    def _verdict(self, rating: int | None, where: str) -> Verdict | None:
        known: dict[int | None, Verdict | None] = {
            1: "right",
            0: self.neutral,
            -1: "wrong",
            None: None,
        }
        if rating not in known:
            raise InputError(f"{where}: rating {rating!r} must be -1, 0 or 1")
        return known[rating]

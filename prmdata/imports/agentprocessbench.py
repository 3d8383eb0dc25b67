"""AgentProcessBench (messages, tools, step_labels by message, final_label): turns of agents with
tools, judged by people: 1 right, 0 neutral (it neither helps nor harms), -1 wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from prmdata.errors import InputError
from prmdata.imports.chat import Chat, tools_of
from prmdata.imports.contract import Row, list_of
from prmdata.problems.contract import is_nothing
from prmdata.records import Evidence, Labels, Trace, Verdict
from prmdata.turns import closing_messages

NAME = "agentprocessbench"
VERDICTS: Mapping[int, Verdict] = {1: "right", 0: "unknown", -1: "wrong"}
VALUES = {1: 1.0, 0: None, -1: 0.0}


@dataclass(frozen=True, slots=True)
class Agentprocessbench:
    @classmethod
    def fits(cls, row: Row) -> bool:
        return {"messages", "step_labels"} <= row.keys()

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        messages, tools = list_of(row, "messages", where), tools_of(row, where)
        trace = Chat().trace(messages, tools, where, by_turn=True)
        ratings = _ratings(trace, row["step_labels"], where)
        evidence, labels = ternary_truth(NAME, ratings)
        final = row.get("final_label")
        golds = _golds(row)
        question = row.get("question")
        problem = replace(
            trace.problem,
            question=question if isinstance(question, str) else trace.problem.question,
            answer=golds[0] if golds else None,
            answers=golds[1:],
            kind="qa",
            meta={"source": NAME, "data_source": row.get("data_source")},
        )
        answer = row.get("answer_text")
        yield replace(
            trace,
            id=_id(row),
            problem=problem,
            answer=answer if isinstance(answer, str) else None,
            correct={1: True, -1: False}.get(final) if isinstance(final, int) else None,
            evidence=(evidence,),
            labels=labels,
        )


def ternary_truth(by: str, ratings: list[int | None]) -> tuple[Evidence, Labels]:
    """What people said of each step: 1, 0 or -1 stand as rewards; a neutral step has a verdict
    (unknown) and a reward of 0, where a step that nobody judged has neither."""
    verdicts = tuple(None if rating is None else VERDICTS[rating] for rating in ratings)
    rewards = tuple(None if rating is None else float(rating) for rating in ratings)
    evidence = Evidence(by, "truth", verdicts=verdicts, rewards=rewards, checked_by="people")
    values = tuple(None if rating is None else VALUES[rating] for rating in ratings)
    return evidence, Labels(by=by, first_error=evidence.first_wrong, values=values)


def _ratings(trace: Trace, labels: object, where: str) -> list[int | None]:
    """One a step, from the labels by the place of the assistant's message in the chat."""
    if not isinstance(labels, Mapping):
        raise InputError(f"{where}: step_labels must be an object: message number → 1, 0 or -1")
    places = {str(place): step for step, place in closing_messages(trace)}
    ratings: list[int | None] = [None] * len(trace.steps)
    for place, rating in labels.items():
        if place not in places:
            raise InputError(f"{where}: step_labels names message {place}, which is no assistant's")
        if type(rating) is not int or rating not in VERDICTS:
            raise InputError(
                f"{where}: step_labels gives message {place} {rating!r:.40}, not 1, 0 or -1"
            )
        ratings[places[place]] = rating
    return ratings


def _golds(row: Row) -> tuple[str, ...]:
    truth = row.get("ground_truth")
    target = truth.get("target") if isinstance(truth, Mapping) else truth
    found = target if isinstance(target, list) else [target]
    return tuple(str(gold) for gold in found if not is_nothing(gold))


def _id(row: Row) -> str:
    """As the benchmark's own results name a trace."""
    parts = [row.get(name) for name in ("data_source", "query_index", "sample_index")]
    return "" if any(part is None for part in parts) else ":".join(map(str, parts))

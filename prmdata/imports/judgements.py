"""Verdicts that judges gave elsewhere (judges, with step_labels or steps): each judge becomes a
piece of evidence, what people said becomes truth.

As AgentProcessBench's results: `step_labels` {"3": 1, "5": -1} names the steps in their order, and
`judges` holds {name: {"steps": {"3": 1, …}, "final": -1}}. Or with texts: `problem`, `steps` (a
list), `label` (the first wrong step, -1 for none), and as judges lists of verdicts, or the number
of the first wrong step alone, as ProcessBench's critics give it. Of verdicts, -1 is wrong, 1
right and 0 unknown. Of truth, 0 is a step that people looked at and did not find wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from prmdata.errors import InputError
from prmdata.files import rows
from prmdata.imports.contract import Row, bare, index_of, separated, steps_of, text_of
from prmdata.imports.conversations.turns import Turns, known_by, turns_of
from prmdata.records import Evidence, Step, Trace, Verdict

NAME = "judgements"
VERDICTS: dict[int, Verdict] = {-1: "wrong", 0: "unknown", 1: "right"}


@dataclass(frozen=True, slots=True)
class Judgements:
    traces_file: str | None = None
    """A file with the messages of the same traces, for their texts (`--traces`). Without it, steps
    that a row only names have no text."""

    @classmethod
    def fits(cls, row: Row) -> bool:
        return isinstance(row.get("judges"), Mapping) and bool(
            {"step_labels", "steps"} & row.keys()
        )

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        judges = row.get("judges")
        if not isinstance(judges, Mapping) or not judges:
            raise InputError(f"{where}: column 'judges' is missing, empty or not an object")
        labels = row.get("step_labels")
        if isinstance(labels, Mapping):
            keys, trace = list(labels), self._named_steps(row, list(labels), where)
        else:
            texts = steps_of(row, "steps", where)
            keys = [str(i) for i in range(len(texts))]
            trace = bare(text_of(row, "problem", where), None, separated(texts, "\n\n"), NAME)
        if not keys:
            raise InputError(f"{where}: column 'step_labels' names no step")
        said = [_evidence(str(name), how, keys, where) for name, how in judges.items()]
        _check_names(said, where)
        known = _truth(row, keys, where)
        yield replace(trace, evidence=(*said, *([known] if known else [])))

    def _named_steps(self, row: Row, keys: list[str], where: str) -> Trace:
        """Steps of which the row holds the names alone."""
        own = str(row.get("id") or "")
        problem = own.rpartition(":")[0] or own
        query = row.get("query_index")
        if query is not None:
            problem = f"{row.get('dataset') or NAME}:{query}"
        turns = _messages(self.traces_file).get(own) if self.traces_file else None
        if self.traces_file and turns is None:
            raise InputError(f"{where}: {self.traces_file} holds no messages of '{own}'")
        if turns is None:
            return bare(problem or where, None, [Step("") for _ in keys], NAME)
        return bare(turns.question, None, [turns.step(key, where) for key in keys], NAME)


@functools.cache
def _messages(path: str) -> Mapping[str, Turns]:
    """The messages of a file, by the ids that judgements know them by."""
    return {
        known_by(row): turns_of(row, where)
        for row, where in rows.read(path)
        if isinstance(row, Mapping)
    }


def _evidence(name: str, said: object, keys: list[str], where: str) -> Evidence:
    name = " ".join(name.replace("+", " ").replace(",", " ").split())
    if not name:
        raise InputError(f"{where}: a judge has no name")
    place = f"{where}: judge '{name}'"
    settings: dict[str, object] = {}
    if isinstance(said, Mapping) and said.get("final") is not None:
        settings["final"] = _verdict(said["final"], place)
    verdicts = _verdicts(said, keys, place)
    return Evidence(name, "verdicts", verdicts=verdicts, settings=settings, checked_by="judge")


def _verdicts(said: object, keys: list[str], where: str) -> tuple[Verdict | None, ...]:
    if isinstance(said, int) and not isinstance(said, bool):
        return _up_to(index_of(said, len(keys), 0, "its first wrong step", where), len(keys))
    steps = said.get("steps") if isinstance(said, Mapping) else said
    if steps is None:
        return (None,) * len(keys)
    if isinstance(steps, list):
        if len(steps) != len(keys):
            raise InputError(f"{where} has {len(steps)} verdicts for {len(keys)} steps")
        steps = dict(zip(keys, steps, strict=True))
    if not isinstance(steps, Mapping):
        raise InputError(f"{where}: its verdicts are neither a list, an object nor a number")
    foreign = next((key for key in steps if key not in keys), None)
    if foreign is not None:
        raise InputError(f"{where} speaks of step '{foreign}', which is not among step_labels")
    return tuple(
        None if steps.get(key) is None else _verdict(steps[key], f"{where}, step {key}")
        for key in keys
    )


def _up_to(first: int | None, steps: int) -> tuple[Verdict, ...]:
    wrong_from = steps if first is None else first
    return tuple(
        "right" if i < wrong_from else "wrong" if i == wrong_from else "unknown"
        for i in range(steps)
    )


def _verdict(value: object, where: str) -> Verdict:
    if isinstance(value, bool) or value not in VERDICTS:
        raise InputError(f"{where}: {value!r:.40} is no verdict; 1 is right, -1 wrong, 0 unknown")
    return VERDICTS[int(value)]


def _check_names(said: list[Evidence], where: str) -> None:
    names = [evidence.name for evidence in said]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: two judges are called '{twice}'; rename one of them")


def _truth(row: Row, keys: list[str], where: str) -> Evidence | None:
    """What people said; a step that is neither good nor bad is not wrong."""
    labels = row.get("step_labels")
    verdicts: list[Verdict | None]
    if isinstance(labels, Mapping):
        found = [
            None if labels[key] is None else _verdict(labels[key], f"{where}: step_labels {key}")
            for key in keys
        ]
        verdicts = ["right" if verdict == "unknown" else verdict for verdict in found]
    elif row.get("label") is not None:
        first = index_of(row["label"], len(keys), 0, "label", where)
        verdicts = ["right"] * len(keys)
        if first is not None:
            verdicts[first:] = ["wrong", *([None] * (len(keys) - first - 1))]
    else:
        return None
    return Evidence(NAME, "truth", verdicts=tuple(verdicts))

"""The evidence in a trace → one value for each step: 1 right, 0 wrong, `None` unknown.

Evidence of one kind is combined:

- verdicts: a step is wrong where any of them says so, right where one says right and none wrong;
- rollouts: the decision of the last search, if a search was made; without one, the share of hits
  that has the most rollouts behind it, step by step;
- scores: the mean.

Of several kinds, the lowest value counts. A search records its decision as the verdicts of its
own evidence. A trace that it took at its word has none of its evidence: all steps read as right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from prmdata.errors import ItemError
from prmdata.records import Cost, Evidence, Trace, Verdict

Values = tuple[float | None, ...]
READ_AS = {"right": 1.0, "wrong": 0.0}


@dataclass(frozen=True, slots=True)
class Reading:
    evidence: tuple[Evidence, ...]
    """What was read."""
    values: Values
    examined: bool
    """Whether any of it speaks of a step; a trace taken at its word was not looked into."""

    @property
    def names(self) -> str:
        return "+".join(evidence.name for evidence in self.evidence)

    @property
    def cost(self) -> Cost:
        return sum((evidence.cost for evidence in self.evidence), Cost())

    @property
    def silent(self) -> bool:
        return all(value is None for value in self.values)

    def first_wrong(self, threshold: float) -> int | None:
        """The first step whose value is known and not above the threshold."""
        known = ((i, value) for i, value in enumerate(self.values) if value is not None)
        return next((i for i, value in known if value <= threshold), None)


def label_each(group: Sequence[Trace], label: Callable[[Trace], Trace]) -> list[Trace]:
    """Each trace by itself, failing one by one. One that was cut or not graded, and of which no
    evidence says anything, stays without labels, as searches leave it."""
    return [_labelled(trace, label) for trace in group]


def _labelled(trace: Trace, label: Callable[[Trace], Trace]) -> Trace:
    if trace.correct is None and not trace.evidence:
        return trace
    try:
        return label(trace)
    except ItemError as error:
        return trace.failed(str(error))


def names_in(text: str) -> list[str]:
    """`arithmetic+algebra` and `arithmetic,algebra` name the same two."""
    return [name.strip() for name in re.split("[+,]", text) if name.strip()]


def read(trace: Trace, names: Sequence[str] = ()) -> Reading:
    """The evidence of these names; without names, all of the kind that was added last. Where that
    says nothing, a trace that a search took at its word stays so."""
    if names:
        return combined(trace, _named(trace, names))
    last = combined(trace, _last_kind(trace, available(trace)))
    word = _word(trace)
    return combined(trace, word) if last.silent and word else last


def read_last_two_kinds(trace: Trace) -> tuple[Reading, Reading]:
    found = available(trace)
    last = _last_kind(trace, found)
    others = [evidence for evidence in found if evidence.kind != last[0].kind]
    if not others:
        raise ItemError(
            f"trace {trace.id} has only one kind of evidence ({last[0].kind}, by "
            f"{', '.join(evidence.name for evidence in last)}); add another with `prmdata verify` "
            "or `prmdata estimate`, or name two: --set evidence=mc,arithmetic"
        )
    return combined(trace, last), combined(trace, _last_kind(trace, others))


def combined(trace: Trace, evidence: Sequence[Evidence]) -> Reading:
    kinds = dict.fromkeys(e.kind for e in evidence)
    each = [RULES[kind]([e for e in evidence if e.kind == kind]) for kind in kinds]
    values = by_step(min, each) or (None,) * len(trace.steps)
    return Reading(tuple(evidence), values, any(speaks(e) for e in evidence))


def available(trace: Trace) -> list[Evidence]:
    """The evidence in the order in which it was added, what a trace was taken for first. Rewards
    alone are no evidence here: they do not say how likely a step is right."""
    word = [] if any(e.kind == "rollouts" for e in trace.evidence) else _word(trace)
    return [*word, *(e for e in trace.evidence if e.values or e.verdicts or not e.rewards)]


def speaks(evidence: Evidence) -> bool:
    """Whether it says anything of any step after looking at it."""
    return evidence.stopping != UNEXAMINED and any(v is not None for v in _own_values(evidence))


def with_decision(trace: Trace) -> Trace:
    """The trace with its labels' decision in the evidence of the search that made them."""
    labels = trace.labels
    own = trace.evidence_named(labels.by) if labels else None
    if labels is None or own is None or own.verdicts or labels.undecided or not labels.examined:
        return trace
    decided = replace(own, verdicts=decision(labels.first_error, len(trace.steps)))
    return replace(trace, evidence=tuple(decided if e is own else e for e in trace.evidence))


def decision(first_error: int | None, steps: int) -> tuple[Verdict, ...]:
    """Right up to the first wrong step; what is right or wrong after it, nobody has decided."""
    wrong_from = steps if first_error is None else first_error
    return tuple(
        "right" if step < wrong_from else "wrong" if step == wrong_from else "unknown"
        for step in range(steps)
    )


UNEXAMINED = "unexamined"


def _word(trace: Trace) -> list[Evidence]:
    """The decision of a search that took the trace at its word, where one did."""
    labels = trace.labels
    if labels is None or not labels.at_its_word:
        return []
    verdicts = decision(labels.first_error, len(trace.steps))
    return [Evidence(labels.by, "rollouts", verdicts=verdicts, stopping=UNEXAMINED)]


def _named(trace: Trace, names: Sequence[str]) -> list[Evidence]:
    found = [(name, trace.evidence_named(name)) for name in names]
    missing = [name for name, evidence in found if evidence is None]
    word = _word(trace)
    if missing and not word:
        has = ", ".join(e.name for e in trace.evidence) or "none"
        raise ItemError(
            f"trace {trace.id} has no evidence '{missing[0]}' (it has: {has}); "
            "add it with `prmdata estimate` or `prmdata verify`"
        )
    return [*(word if missing else []), *(evidence for _, evidence in found if evidence)]


def _last_kind(trace: Trace, evidence: Sequence[Evidence]) -> list[Evidence]:
    if not evidence:
        raise ItemError(
            f"trace {trace.id} has no evidence to decide from; run `prmdata estimate`, "
            "`prmdata verify` or a search (`prmdata label`) on it first"
        )
    return [e for e in evidence if e.kind == evidence[-1].kind]


def _verdicts(evidence: Sequence[Evidence]) -> Values:
    return by_step(min, [_own_values(e) for e in evidence])


def _scores(evidence: Sequence[Evidence]) -> Values:
    return by_step(fmean, [_own_values(e) for e in evidence])


def _rollouts(evidence: Sequence[Evidence]) -> Values:
    searches = [e for e in evidence if e.verdicts]
    if searches:
        return _own_values(searches[-1])
    steps = max(len(e.values) for e in evidence)
    counted = [e.rollouts or (0,) * steps for e in evidence]
    found = []
    for step in range(steps):
        known = [
            (counts[step] or 0, place, e.values[step])
            for place, (e, counts) in enumerate(zip(evidence, counted, strict=True))
            if e.values and e.values[step] is not None
        ]
        found.append(max(known)[2] if known else None)
    return tuple(found)


RULES: dict[str, Callable[[Sequence[Evidence]], Values]] = {
    "verdicts": _verdicts,
    "rollouts": _rollouts,
    "scores": _scores,
}


def _own_values(evidence: Evidence) -> Values:
    if evidence.verdicts:
        return tuple(READ_AS.get(verdict or "") for verdict in evidence.verdicts)
    return evidence.values


def by_step(rule: Callable[[list[float]], float], each: Sequence[Values]) -> Values:
    """One rule over what is known of each step."""
    spoken = [values for values in each if values]
    columns = zip(*spoken, strict=True)
    known = ([value for value in column if value is not None] for column in columns)
    return tuple(rule(column) if column else None for column in known)

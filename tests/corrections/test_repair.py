"""Repairs end right, keep the right steps byte for byte, and show where a label is in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prmdata.records import Evidence, Trace
from tests.corrections.cases import corrected, labelled, method
from tests.policy import Policy

POLICY = Policy({0: 60}, mends=0.0)


@pytest.fixture
def wrong(traces: list[Trace]) -> list[Trace]:
    return [labelled(trace) for trace in traces if trace.correct is False][:40]


def evidence_of(traces: list[Trace]) -> list[Evidence]:
    found = [trace.evidence_named("repair") for trace in traces]
    return [evidence for evidence in found if evidence is not None]


def rates(traces: list[Trace], name: str) -> float:
    pairs: list[Any] = [evidence.settings[name] for evidence in evidence_of(traces)]
    return sum(hits for hits, _ in pairs) / sum(tried for _, tried in pairs)


def test_repairs_end_right_and_begin_like_their_parents(wrong: list[Trace]) -> None:
    made = corrected(method("repair"), wrong, POLICY)
    by_id = {trace.id: trace for trace in wrong}
    repairs = [trace for trace in made if trace.id not in by_id]
    assert len(repairs) > 20
    for repair in repairs:
        assert repair.origin.parent is not None
        name, cut = repair.origin.parent
        parent = by_id[name]
        assert repair.correct
        assert repair.prefix(cut) == parent.prefix(cut)
        assert repair.steps[cut].text != parent.steps[cut].text
        assert repair.labels is not None
        assert not repair.labels.examined
        assert labelled(repair).labels.first_error is None  # type: ignore[union-attr]
    assert [trace.id for trace in made if trace.id in by_id] == list(by_id)


def test_from_the_first_error_answers_come_out_right_much_more_often_than_from_after_it(
    wrong: list[Trace],
) -> None:
    made = corrected(method("repair", back=0), wrong, POLICY)
    assert rates(made, "right_before") > 3 * rates(made, "right_after")
    assert rates(made, "right_before") > 0.4
    late = corrected(method("repair", back=0), [labelled(t, later=1) for t in wrong], POLICY)
    assert rates(late, "right_before") < rates(made, "right_before") / 3


def test_an_error_before_the_label_is_found_by_cutting_earlier(wrong: list[Trace]) -> None:
    late = [labelled(trace, later=1) for trace in wrong]
    made = corrected(method("repair", attempts=16), late, POLICY)
    earlier = [e for e in evidence_of(made) if e.settings["cut"] is not None]
    assert len(earlier) > 10
    assert all(e.settings["cut"] < e.settings["first_error"] for e in earlier)
    stuck = corrected(method("repair", back=0), late, POLICY)
    assert all(e.settings["cut"] is None for e in evidence_of(stuck))


def test_a_teacher_writes_the_step_and_the_policy_goes_on(wrong: list[Trace]) -> None:
    hopeless, teacher = Policy({0: 60}, slips=1.0), Policy({0: 60}, slips=0.0)
    teacher.fingerprint = "teacher-1"
    rest = corrected(method("repair"), wrong[:6], hopeless, teacher)
    assert all(e.settings["cut"] == e.settings["first_error"] for e in evidence_of(rest))
    repairs = [trace for trace in rest if trace.origin.parent]
    assert {t.labels.settings["writer"] for t in repairs if t.labels} == {"teacher-1"}
    step = corrected(method("repair", mode="step"), wrong[:6], hopeless, teacher)
    last = [t for t in wrong[:6] if t.labels and t.labels.first_error == len(t.steps) - 1]
    assert len([trace for trace in step if trace.origin.parent]) <= len(last)
    able = corrected(method("repair", mode="step"), wrong[:6], Policy({0: 60}), teacher)
    assert sum(trace.origin.parent is not None for trace in able) >= 5


def test_what_is_right_unlabelled_or_unsure_passes_by(traces: list[Trace]) -> None:
    right = [labelled(trace) for trace in traces if trace.correct][:2]
    bare = [trace for trace in traces if trace.correct is False][:2]
    unsure = []
    for trace in map(labelled, bare):
        assert trace.labels is not None
        unsure.append(replace(trace, labels=replace(trace.labels, confidence=0.4)))
    policy = Policy({0: 60})
    for given in (right, bare, unsure):
        assert corrected(method("repair", confidence=0.5), given, policy) == given
    assert policy.calls == []


def test_more_repairs_are_kept_on_demand_and_all_begin_differently(wrong: list[Trace]) -> None:
    how = method("repair", keep=3, attempts=12, prefer="first")
    made = corrected(how, wrong[:10], Policy({0: 60}, slips=0.4, mends=0.5))
    for trace in wrong[:10]:
        repairs = [t for t in made if t.origin.parent and t.origin.parent[0] == trace.id]
        cuts = [t.origin.parent[1] for t in repairs if t.origin.parent]
        steps = [t.steps[cut].text.strip() for t, cut in zip(repairs, cuts, strict=True)]
        assert len(steps) == len(set(steps)) <= 3

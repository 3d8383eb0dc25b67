"""Judges whose rates are known are recovered; what repeats or tells nothing is dropped."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import InputError, UsageError
from prmdata.labellers.contract import Known
from prmdata.labellers.fusion.learning import panel_of, read_panel, write_panel
from prmdata.labellers.fusion.trust import trust_in
from prmdata.labellers.weaver import Weaver
from prmdata.records import Evidence, Problem, Step, Trace
from tests.labellers.fusion.panels import Simulated, traces

JUDGES = [
    Simulated("strict", 0.12, 0.85),
    Simulated("mild", 0.02, 0.55),
    Simulated("plain", 0.05, 0.70),
    Simulated("keen", 0.08, 0.75),
]


def labelled(given: Sequence[Trace], known: Known | None = None, **settings: object) -> list[Trace]:
    method = Weaver(**settings).pooled(given, known, lambda line: None)  # type: ignore[arg-type]
    return asyncio.run(method.apply(given, None))  # type: ignore[arg-type]


def exact(made: Sequence[Trace], firsts: dict[str, int | None]) -> float:
    hits = [t.labels is not None and t.labels.first_error == firsts[t.id] for t in made]
    return sum(hits) / len(hits)


def test_the_rates_of_judges_are_recovered_without_a_label() -> None:
    given, firsts = traces(JUDGES, 1000, seed=1)
    panel = panel_of(given, (), None)
    right_steps = sum(6 if first is None else first for first in firsts.values())
    errors = sum(first is not None for first in firsts.values())
    for judge, member in zip(JUDGES, panel.members, strict=True):
        for found, rate, n in (
            (member.before, judge.before, right_steps),
            (member.at, judge.at, errors),
        ):
            # EM does not know the steps behind its rates: half as much again as a count would have.
            assert abs(found - rate) < 1.5 * 1.96 * math.sqrt(rate * (1 - rate) / n) + 0.01
    assert panel.worth > 3


def test_the_panel_is_better_than_its_members_and_knows_how_good_it_is() -> None:
    given, firsts = traces(JUDGES, 1000, seed=2)
    made = labelled(given)
    alone = max(
        sum(t.evidence_named(j.name).first_wrong == firsts[t.id] for t in given) / len(given)  # type: ignore[union-attr]
        for j in JUDGES
    )
    assert exact(made, firsts) > alone + 0.03
    confidence = sum(t.labels.confidence or 0 for t in made if t.labels) / len(made)
    assert abs(confidence - exact(made, firsts)) < 0.06


def test_judges_that_repeat_others_or_guess_are_dropped() -> None:
    more = [
        *JUDGES,
        Simulated("echo", 0.12, 0.85, of="strict"),
        Simulated("coin", 0.3, 0.3),
        Simulated("mute", 0.0, 0.0),
    ]
    given, _ = traces(more, 600, seed=3)
    panel = panel_of(given, (), None)
    assert {"coin", "mute"} < set(panel.dropped)
    assert len(set(panel.dropped) & {"echo", "strict"}) == 1
    assert len(panel.members) == 4
    assert "calls a step wrong in 0%" in panel.dropped["mute"]


def test_clones_do_not_make_the_panel_surer() -> None:
    clones = [*JUDGES, *(Simulated(f"clone{i}", 0.05, 0.7, of="plain") for i in range(4))]
    given, firsts = traces(clones, 800, seed=4)
    made = labelled(given)
    confidence = sum(t.labels.confidence or 0 for t in made if t.labels) / len(made)
    assert confidence < exact(made, firsts) + 0.06


def test_audited_traces_correct_what_agreement_cannot_show() -> None:
    """Two judges that follow a third in its mistakes: alone, agreement follows them."""
    herd = [
        Simulated("leader", 0.15, 0.35),
        Simulated("second", 0.15, 0.4),
        Simulated("third", 0.2, 0.35),
        Simulated("loner", 0.02, 0.8),
    ]
    given, firsts = traces(herd, 600, seed=5)
    audit = {t.id for t in given[:100]}

    def known(trace: Trace) -> int | bool | None:
        return firsts[trace.id] if trace.id in audit else False

    helped = labelled(given, known)  # type: ignore[arg-type]
    rest = [t for t in helped if t.id not in audit]
    plain = [t for t in labelled(given) if t.id not in audit]
    assert exact(rest, firsts) >= exact(plain, firsts)


def test_two_judges_are_too_few_without_an_audit() -> None:
    given, firsts = traces(JUDGES[:2], 100, seed=6)
    with pytest.raises(InputError, match="needs 3 judges or more"):
        panel_of(given, (), None)
    assert panel_of(given, (), lambda trace: firsts[trace.id]).audited == 100


def test_too_few_traces_and_unknown_names_are_refused() -> None:
    given, _ = traces(JUDGES, 12, seed=7)
    with pytest.raises(InputError, match="12 traces"):
        panel_of(given, (), None)
    with pytest.raises(UsageError, match="no trace has verdicts of 'nobody'"):
        panel_of(given, ("nobody",), None)


def test_a_table_is_written_and_read_and_gives_the_same_labels(tmp_path: Path) -> None:
    given, _ = traces(JUDGES, 200, seed=8)
    path = str(tmp_path / "table.json")
    write_panel(panel_of(given, (), None), path)
    by_table = asyncio.run(Weaver(table=path).apply(given, None))  # type: ignore[arg-type]
    for one, other in zip(by_table, labelled(given), strict=True):
        assert one.labels is not None
        assert other.labels is not None
        assert one.labels.values == pytest.approx(other.labels.values)
        assert one.labels.first_error == other.labels.first_error
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(UsageError, match="fit TRACES --weaver"):
        read_panel(str(tmp_path / "bad.json"))


def test_truth_is_never_read() -> None:
    given, firsts = traces(JUDGES, 200, seed=9)
    lies = [
        replace(t, evidence=(*t.evidence, Evidence("gold", "truth", verdicts=("wrong",) * 6)))
        for t in given
    ]
    assert panel_of(lies, (), None) == panel_of(given, (), None)
    assert firsts


def test_a_judge_that_prefers_wrong_endings_loses_trust() -> None:
    def ends(number: int, correct: bool) -> Trace:
        oracle = ("right", "right") if correct else ("right", "wrong")
        negated = ("right", "wrong") if correct else ("right", "right")
        trace = Trace(f"t{number}", Problem("p", "q"), (Step("a"), Step("b")), correct=correct)
        trace = trace.with_evidence(Evidence("oracle", "verdicts", verdicts=oracle))  # type: ignore[arg-type]
        return trace.with_evidence(Evidence("negation", "verdicts", verdicts=negated))  # type: ignore[arg-type]

    group = [ends(0, True), ends(1, True), ends(2, False)]
    trust = trust_in(group, ["oracle", "negation"])
    assert trust["oracle"] == 1.0
    assert trust["negation"] == pytest.approx(math.exp(-1))
    assert trust_in(group[:2], ["negation"])["negation"] == 1.0


def test_values_are_cut_where_others_call_as_many_steps_wrong() -> None:
    given, firsts = traces(JUDGES, 300, seed=10)
    scored = [
        t.with_evidence(
            Evidence(
                "score",
                "scores",
                values=tuple(
                    0.9 if firsts[t.id] is None or s < (firsts[t.id] or 0) else 0.2
                    for s in range(6)
                ),
            )
        )
        for t in given
    ]
    panel = panel_of(scored, (), None)
    member = next(m for m in panel.members if m.name == "score")
    assert member.cut is not None
    assert member.at > 0.9
    assert member.before < 0.1

"""The search, over rollouts of a policy whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prmdata.errors import UsageError
from prmdata.labellers.belief.model import Belief, Known, Seen
from prmdata.labellers.belief.prior import World
from prmdata.labellers.contract import detections, steps_repeated
from prmdata.labellers.posterior import Posterior, already_paid, known_of
from prmdata.records import Evidence, Step, Trace
from prmdata.truth import truth_of
from tests.labellers.running import problems, run
from tests.policy import Policy


def truth(trace: Trace) -> int | None:
    found = truth_of(trace, "abacus")
    assert found is not None
    return found.first_wrong


def exact(traces: list[Trace]) -> float:
    wrong = [t for t in traces if t.correct is False and t.labels]
    return sum(t.labels.first_error == truth(t) for t in wrong if t.labels) / len(wrong)


def tokens(traces: list[Trace]) -> int:
    return sum(t.labels.cost.tokens for t in traces if t.labels)


def test_it_beats_bisection_for_a_fraction_of_its_tokens(
    traces: list[Trace], policy: Policy
) -> None:
    ours, theirs = run("posterior", traces, policy), run("bisect", traces, policy)
    assert exact(ours) > exact(theirs) + 0.3
    assert tokens(ours) < 0.6 * tokens(theirs)


def test_its_confidence_is_the_share_it_gets_right(traces: list[Trace], policy: Policy) -> None:
    """On 100 traces the share may be off by three deviations of .05."""
    wrong = [t for t in run("posterior", traces, policy) if t.correct is False and t.labels]
    said = sum(t.labels.confidence or 0 for t in wrong if t.labels) / len(wrong)
    assert exact(wrong) == pytest.approx(said, abs=0.15)


def test_values_fall_and_agree_with_the_decision(traces: list[Trace], policy: Policy) -> None:
    for trace in run("posterior", traces[:40], policy, examine="all"):
        labels = trace.labels
        assert labels is not None
        values = [v for v in labels.values if v is not None]
        assert len(values) == len(trace.steps)
        assert values == sorted(values, reverse=True)
        places = [a - b for a, b in zip([1.0, *values], [*values, 0.0], strict=True)]
        chosen = len(trace.steps) if labels.first_error is None else labels.first_error
        assert places[chosen] == pytest.approx(max(places), abs=1e-5)
        assert labels.confidence == pytest.approx(places[chosen], abs=1e-5)
        if not trace.correct:
            assert labels.first_error is not None


def test_a_dearer_token_buys_fewer(traces: list[Trace], policy: Policy) -> None:
    wrong = [t for t in traces if t.correct is False][:60]
    spent = [
        tokens(run("posterior", wrong, policy, bits_per_1000_tokens=price))
        for price in (0.1, 0.5, 2.0, 1000.0)
    ]
    assert spent == sorted(spent, reverse=True)
    assert spent[0] > 2 * spent[2] > 0
    assert spent[-1] == 0


def test_the_cap_holds_in_any_round_size(traces: list[Trace], policy: Policy) -> None:
    wrong = [t for t in traces if t.correct is False][:30]
    for size in (1, 3):
        made = run(
            "posterior", wrong, policy, most_rollouts=5, rollouts_per_round=size,
            bits_per_1000_tokens=0.001, sure_at=0.999999,
        )  # fmt: skip
        costs = [t.labels.cost for t in made if t.labels]
        assert max(cost.rollouts for cost in costs) == 5
        assert min(cost.rounds for cost in costs if cost.rollouts == 5) == -(-5 // size)
        assert all(cost.rounds >= -(-cost.rollouts // size) for cost in costs)


def test_a_round_asks_for_what_would_come_next_if_all_went_as_is_likeliest() -> None:
    """Told exactly that, one rollout at a time asks for the same prefixes."""
    how, cost, price = Posterior(), np.linspace(200, 60, 8), 1e-4
    for right in (1, 4, 7):
        belief = Belief(World(), Known(8, False, right=right, wrong=8 - right, same=1))
        belief.see(Seen(0, 2, True))
        before = belief.posterior()
        place, asked = how._next(belief, cost, price, 12)
        assert (belief.posterior() == before).all()
        assert (place == before).all()
        assert 1 < len(asked) <= 12
        assert len(set(asked)) > 1
        for start in asked:
            assert how._next(belief, cost, price, 1)[1] == [start]
            belief.see(belief.outlook().likeliest(start))
        if len(asked) < 12:  # it would end here
            assert how._next(belief, cost, price, 1)[1] == []


def test_rounds_are_few_and_cost_little(traces: list[Trace], policy: Policy) -> None:
    """As measured on the frozen bank: half the rounds, a twentieth more tokens."""
    wrong = [t for t in traces if t.correct is False]
    few = run("posterior", wrong, policy)
    many = run("posterior", wrong, policy, rollouts_per_round=1)
    assert sum(t.labels.cost.rounds for t in few if t.labels) < 0.6 * sum(
        t.labels.cost.rounds for t in many if t.labels
    )
    assert tokens(few) < 1.15 * tokens(many)
    assert exact(few) > exact(many) - 0.03


def test_traces_that_end_right_are_looked_into_when_asked(
    traces: list[Trace], policy: Policy
) -> None:
    right = [t for t in traces if t.correct]
    plain = run("posterior", right, policy)
    assert {t.labels.examined for t in plain if t.labels} == {False}
    assert tokens(plain) == 0
    looked = run("posterior", right, policy, examine="all")
    assert {t.labels.examined for t in looked if t.labels} == {True}
    none = [t.labels.first_error is None for t in looked if t.labels]
    assert sum(none) > 0.9 * len(none)


def test_a_verifier_s_verdict_saves_rollouts(traces: list[Trace], policy: Policy) -> None:
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 3]
    told = [
        t.with_evidence(
            Evidence(
                "sums",
                "verdicts",
                verdicts=tuple("wrong" if i == truth(t) else "right" for i in range(len(t.steps))),
            )
        )
        for t in wrong
    ]
    assert detections(told[0]) == [(truth(told[0]) or 0) + 1]
    with_verdicts, without = run("posterior", told, policy), run("posterior", wrong, policy)
    assert tokens(with_verdicts) < 0.7 * tokens(without)
    assert exact(with_verdicts) >= exact(without)


def test_siblings_are_rollouts_from_where_they_part(traces: list[Trace]) -> None:
    for group in problems(traces):
        for trace in group:
            free = already_paid(trace, group)
            others = [t for t in group if t.id != trace.id]
            assert len(free) == len(others)
            for seen, other in zip(free, others, strict=True):
                same = other.prefix(seen.kept) == trace.prefix(seen.kept)
                assert same
                assert seen.hit == other.correct
                if seen.kept < len(trace.steps):
                    assert other.prefix(seen.kept + 1) != trace.prefix(seen.kept + 1)
                assert seen.same == (not other.correct and other.answer == trace.answer)
            known = known_of(trace, free)
            assert (known.right, known.wrong, known.same) == (0, 0, 0)  # all stand in `free`
            alone = known_of(trace, [])
            assert trace.group is not None
            assert alone.right + alone.wrong == trace.group.n - 1


def test_a_branch_is_no_sibling_and_has_none(traces: list[Trace], policy: Policy) -> None:
    group = next(g for g in problems(traces) if len(run("next-step", g, policy)) > len(g))
    grown = run("next-step", group, policy)
    for trace in group:
        assert already_paid(trace, grown) == already_paid(trace, group)
    for branch in grown[len(group) :]:
        assert already_paid(branch, grown) == []
        known = known_of(branch, [])
        assert branch.group is not None
        assert known.right + known.wrong == branch.group.n  # it is none of them itself


def test_repetition_counts_whole_steps_only(traces: list[Trace]) -> None:
    steps = tuple(Step(text) for text in ("a = 1\n", "b = 2\n", "The answer is 3."))
    trace = replace(traces[0], steps=steps)
    for text, after, kept in [
        ("a = 1\nb = 2\nThe answer is 3.\n", 0, 3),
        ("a = 1\nb = 2\nThe answer is 30.", 0, 2),
        ("a = 1\nb = 22\n", 0, 1),
        ("b = 2\n", 1, 1),
        ("b = 2", 1, 0),
        ("", 0, 0),
    ]:
        assert steps_repeated(trace, after, text) == kept


def test_a_world_is_read_from_a_file_and_a_wrong_one_refused(
    traces: list[Trace], policy: Policy, tmp_path: Path
) -> None:
    wrong = [t for t in traces if t.correct is False][:4]
    place = tmp_path / "world.json"
    place.write_text(json.dumps({"recovery": [0, 0, 0, 0, 0, 0, 1], "fading": 0.0}))
    assert tokens(run("posterior", wrong, policy, world=str(place))) != tokens(
        run("posterior", wrong, policy)
    )
    for text in ("{", '{"recovery": 3}', '{"recovery": [1]}', '{"spreads": 1}'):
        place.write_text(text)
        with pytest.raises(UsageError, match="world"):
            run("posterior", wrong, policy, world=str(place))
    with pytest.raises(UsageError, match="No such file"):
        run("posterior", wrong, policy, world=str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="examine"):
        run("posterior", wrong, policy, examine="some")

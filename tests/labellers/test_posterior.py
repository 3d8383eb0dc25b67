"""The search, over rollouts of a policy whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from prmdata.errors import UsageError
from prmdata.labellers.belief.model import Belief
from prmdata.labellers.belief.observations import Observations, Rollout
from prmdata.labellers.belief.policy import Policy as Learned
from prmdata.labellers.belief.policy import PolicyPrior
from prmdata.labellers.contract import detections, steps_repeated
from prmdata.labellers.posterior import Posterior, already_seen, sources_of
from prmdata.records import Evidence, Step, Trace
from prmdata.truth import truth_of
from tests.labellers.running import problems, run, run_informed
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


@pytest.fixture(scope="module")
def ours(traces: list[Trace], policy: Policy) -> list[Trace]:
    return run_informed(traces, policy)


@pytest.mark.slow
def test_it_beats_bisection_for_a_fraction_of_its_tokens(
    ours: list[Trace], traces: list[Trace], policy: Policy
) -> None:
    theirs = run("bisect", traces, policy)
    assert exact(ours) > exact(theirs) + 0.3
    assert tokens(ours) < 0.6 * tokens(theirs)


@pytest.mark.slow
def test_its_confidence_is_the_share_it_gets_right(ours: list[Trace]) -> None:
    """It is modest about a policy whose first error always shows at once, as this one's does: by
    default a part of first errors is held to read wrong only later (`belief/reading.py`). On 100
    traces the share may be off by three deviations of .05."""
    wrong = [t for t in ours if t.correct is False and t.labels]
    said = sum(t.labels.confidence or 0 for t in wrong if t.labels) / len(wrong)
    assert exact(wrong) - 0.25 < said < exact(wrong) + 0.05


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


@pytest.mark.slow
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
    how, cost, price, none = Posterior(), np.linspace(200, 60, 8), 1e-4, np.zeros(8, int)
    for right in (1, 4, 7):
        seen = Observations(8)
        seen.add_tally(right, 1, 7 - right)
        seen.add(Rollout(0, 2, hit=True))
        belief = Belief([PolicyPrior()], seen)
        before = belief.first()
        place, asked = how._next(belief, cost, price, 12, none)
        assert (belief.first() == before).all()
        assert (place == before).all()
        assert 1 < len(asked) <= 12
        assert len(set(asked)) > 1
        for start in asked:
            assert how._next(belief, cost, price, 1, none)[1] == [start]
            belief.seen.add(belief.outlook().likeliest(start))
        if len(asked) < 12:  # it would end here
            assert how._next(belief, cost, price, 1, none)[1] == []


@pytest.mark.slow
def test_rounds_are_few_and_cost_little(
    ours: list[Trace], traces: list[Trace], policy: Policy
) -> None:
    """Half the rounds, for little more."""
    few = ours
    many = run_informed(traces, policy, rollouts_per_round=1)
    assert sum(t.labels.cost.rounds for t in few if t.labels) < 0.6 * sum(
        t.labels.cost.rounds for t in many if t.labels
    )
    assert tokens(few) < 1.25 * tokens(many)
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


@pytest.mark.slow
def test_a_verifier_s_verdict_saves_rollouts_and_makes_more_exact(
    traces: list[Trace], policy: Policy
) -> None:
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
    assert tokens(with_verdicts) < 0.9 * tokens(without)
    assert exact(with_verdicts) > exact(without)


def test_siblings_are_rollouts_from_where_they_part(traces: list[Trace]) -> None:
    for group in problems(traces):
        for trace in group:
            seen = already_seen(trace, group, "policy-1")
            siblings = [t for t in group if t.id != trace.id]
            parted = [0] * (len(trace.steps) + 1)
            for other in siblings:
                shared = next(
                    (
                        i
                        for i in range(len(trace.steps))
                        if other.prefix(i + 1) != trace.prefix(i + 1)
                    ),
                    len(trace.steps),
                )
                parted[shared] += 1
            counted = seen.hits + seen.sames + seen.others
            again = parted.pop()
            parted[-1] += again  # a whole trace again counts at its last prefix
            assert counted.tolist() == parted
            assert seen.passed[0] == len(siblings) * (len(trace.steps) > 1)
            hits = sum(t.correct is True for t in siblings)
            assert seen.hits.sum() <= hits
            alone = already_seen(trace, [trace], "policy-1")  # the others only in the tally
            assert alone.hits[0] == hits
            assert alone.hits.sum() + alone.sames.sum() + alone.others.sum() == len(siblings)


def test_traces_of_another_model_are_no_rollouts_of_this_one(traces: list[Trace]) -> None:
    group = problems(traces)[0]
    seen = already_seen(group[0], group, "another-2")
    assert not seen.own
    assert seen.hits.sum() + seen.sames.sum() + seen.others.sum() == 0


def test_a_branch_is_no_sibling_and_has_none(traces: list[Trace], policy: Policy) -> None:
    group = next(g for g in problems(traces) if len(run("next-step", g, policy)) > len(g))
    grown = run("next-step", group, policy)
    for trace in group:
        with_branches = already_seen(trace, grown, "policy-1")
        assert with_branches.hits.tolist() == already_seen(trace, group, "policy-1").hits.tolist()
    for branch in grown[len(group) :]:
        assert already_seen(branch, grown, "policy-1").hits.sum() == 0


def test_the_same_verdicts_under_two_names_count_once(traces: list[Trace]) -> None:
    trace = next(t for t in traces if len(t.steps) > 2)
    verdicts = tuple("wrong" if i == 1 else "right" for i in range(len(trace.steps)))
    once = trace.with_evidence(Evidence("a", "verdicts", verdicts=verdicts))
    twice = once.with_evidence(Evidence("b", "verdicts", verdicts=verdicts))
    assert sources_of(twice) == sources_of(once)
    other = once.with_evidence(Evidence("b", "verdicts", verdicts=("wrong", *verdicts[1:])))
    assert [source.name for source in sources_of(other)] == ["a", "b"]
    tool = replace(once.evidence[-1], checked_by="tool")
    assert [s.tool for s in sources_of(trace.with_evidence(tool))] == [True]
    assert [s.tool for s in sources_of(once)] == [False]


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


def test_a_policy_is_read_from_a_file_and_a_wrong_one_refused(
    traces: list[Trace], policy: Policy, tmp_path: Path
) -> None:
    wrong = [t for t in traces if t.correct is False][:4]
    place = tmp_path / "policy.json"
    lucky = Learned((PolicyPrior(entry=-0.5, entry_spread=0.5),))
    place.write_bytes(msgspec.json.encode(lucky))
    assert tokens(run("posterior", wrong, policy, policy=str(place))) != tokens(
        run("posterior", wrong, policy)
    )
    for text in ("{", '{"priors": 3}', '{"priors": []}', '{"priors": [{"entry": "x"}]}', "[1]"):
        place.write_text(text)
        with pytest.raises(UsageError, match="policy"):
            run("posterior", wrong, policy, policy=str(place))
    with pytest.raises(UsageError, match="No such file"):
        run("posterior", wrong, policy, policy=str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="examine"):
        run("posterior", wrong, policy, examine="some")


def test_the_record_holds_the_search_in_its_order(traces: list[Trace], policy: Policy) -> None:
    """Whoever adds up the rounds again believes what was believed then."""
    made = [t for t in run("posterior", traces[:40], policy) if t.labels and t.labels.examined]
    rounds = 0
    for trace in made:
        group = [t for t in traces[:40] if t.problem.id == trace.problem.id]
        belief = Belief(Learned().priors, already_seen(trace, group, policy.fingerprint))
        evidence = trace.evidence[-1]
        for entry in evidence.search:
            assert entry.belief == tuple(round(1000 * float(p)) for p in belief.first())
            for start, left, end in zip(entry.starts, entry.left, entry.ends, strict=True):
                belief.seen.add(Rollout(start, left - start, end == "h", end == "s"))
        rounds += len(evidence.search)
        assert trace.labels is not None
        assert max(belief.first()) == pytest.approx(trace.labels.confidence, abs=1e-5)
        assert sum(len(entry.starts) for entry in evidence.search) == trace.labels.cost.rollouts
        assert len(evidence.search) == trace.labels.cost.rounds
    assert rounds > 20

"""What holds for every method, and for each what its paper says."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from prmdata.errors import ItemError, UsageError
from prmdata.labellers import LABELLERS, method
from prmdata.labellers.contract import Need, Probe
from prmdata.records import Evidence, Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.label import Labelling, run_labelling
from tests.labellers.running import run
from tests.policy import Policy


def needing(need: Need, *, without: bool = False) -> list[str]:
    return [name for name, kind in LABELLERS.items() if (need in kind.needs) != without]


def with_values(traces: list[Trace], policy: Policy) -> list[Trace]:
    """Two kinds of evidence, for methods that decide from what is there."""
    return run("mc", run("outcome", traces, policy), policy)


@pytest.mark.parametrize("name", LABELLERS)
def test_the_contract_of_every_method(name: str, traces: list[Trace], policy: Policy) -> None:
    group = with_values(traces[:12], policy)
    everything = run(name, group, policy)
    assert run(name, group, policy) == everything
    made = everything[: len(group)]  # what a tree search grows comes after
    assert all(t.origin.parent for t in everything[len(group) :])
    assert [t.id for t in made] == [t.id for t in group]
    for trace, before in zip(made, group, strict=True):
        assert trace.steps == before.steps
        assert trace.problem == before.problem
        if LABELLERS[name].verb == "label":
            assert trace.labels is not None
            assert trace.labels.by == name
            assert len(trace.labels.values) == len(trace.steps)
            assert trace.labels.settings
            assert all(v is None or 0 <= v <= 1 for v in trace.labels.values)
            alone = "siblings" not in LABELLERS[name].needs  # siblings may settle it for nothing
            if trace.labels.examined and "sampler" in LABELLERS[name].needs and alone:
                assert (trace.labels.cost.rollouts > 0) == (len(trace.steps) > 1)
                assert (trace.labels.cost.tokens > 0) == (len(trace.steps) > 1)
        else:
            assert trace.labels is None
            evidence = trace.evidence_named(name)
            assert evidence is not None
            assert len(evidence.values) == len(trace.steps)
            assert all(v is None or 0 <= v <= 1 for v in evidence.values)
            problem = [t for t in everything if t.problem.id == trace.problem.id]
            asked = problem if "siblings" in LABELLERS[name].needs else [trace]  # one tree for all
            spent = sum(t.evidence_named(name).cost.rollouts for t in asked)  # type: ignore[union-attr]
            assert (spent > 0) == ("sampler" in LABELLERS[name].needs)


@pytest.mark.parametrize("name", needing("siblings", without=True))
def test_neighbours_do_not_change_a_label(name: str, traces: list[Trace], policy: Policy) -> None:
    group = with_values(traces[:8], policy)
    together = run(name, group, policy)
    random.Random(3).shuffle(group)
    alone = {made.id: made for t in group for made in run(name, [t], policy)}
    assert {t.id: t for t in together} == alone


@pytest.mark.parametrize("name", LABELLERS)
def test_truth_is_out_of_sight_and_kept(name: str, traces: list[Trace], policy: Policy) -> None:
    group = with_values(traces[:4], policy)
    lies = [
        t.with_evidence(Evidence("oracle", "truth", verdicts=("wrong",) * len(t.steps)))
        for t in group
    ]
    for made, plain in zip(run(name, lies, policy), run(name, group, policy), strict=True):
        assert made.labels == plain.labels
        assert made.evidence_named("oracle") is not None or made.origin.parent


def test_bisect_agrees_with_exhaustive_values_from_the_same_rollouts(
    traces: list[Trace], policy: Policy
) -> None:
    """Search, done by hand over the values of every step, decides as the method does."""
    exhaustive = {t.id: t for t in run("mc", traces, policy, rollouts_per_step=8)}
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 1]
    assert len(wrong) > 30
    for trace in run("bisect", traces, policy):
        if trace.correct:
            continue
        values = exhaustive[trace.id].evidence[0].values
        right, error = 0, len(trace.steps)
        while error - right > 1:
            middle = (right + error) // 2
            value = values[middle - 1]
            assert value is not None
            right, error = (middle, error) if value > 0 else (right, middle)
        assert trace.labels is not None
        assert trace.labels.first_error == error - 1


def test_the_first_hit_settles_a_probe_with_the_same_decisions_for_less(
    traces: list[Trace], policy: Policy
) -> None:
    whole = run("bisect", traces, policy)
    early = run("bisect", traces, policy, first_hit=True)
    for a, b in zip(whole, early, strict=True):
        assert a.labels is not None
        assert b.labels is not None
        assert a.labels.first_error == b.labels.first_error
        assert b.labels.cost.rollouts <= a.labels.cost.rollouts
    spent = [sum(t.labels.cost.tokens for t in made if t.labels) for made in (whole, early)]
    assert spent[1] < 0.8 * spent[0]
    assert {t.evidence[0].stopping for t in early if t.evidence} == {"first-hit"}


def test_the_last_step_is_graded_and_never_rolled_out(traces: list[Trace], policy: Policy) -> None:
    policy.calls.clear()
    for trace in run("mc", traces[:8], policy, rollouts_per_step=3):
        evidence = trace.evidence[0]
        assert evidence.values[-1] == float(trace.correct is True)
        assert evidence.rollouts[-1] == 1
        assert set(evidence.rollouts[:-1]) <= {3}
    asked = [prefix for prefix, _, _ in policy.calls]
    assert not any("The answer" in prefix for prefix in asked)


def test_a_share_of_the_pass_rate_asks_for_more_than_luck(traces: list[Trace]) -> None:
    """A policy that mends its slips makes "any hit" call wrong steps right."""
    lucky = Policy({0: 60}, slips=0.15, mends=0.25)
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 3]
    late = {
        share: sum(
            t.labels.first_error
            for t in run("bisect", wrong, lucky, pass_rate_share=share)
            if t.labels and t.labels.first_error is not None
        )
        for share in (0.0, 0.8)
    }
    assert late[0.8] < late[0.0]


def test_threshold_takes_the_first_value_that_is_not_above_it(traces: list[Trace]) -> None:
    trace = replace(traces[0], steps=traces[0].steps[:1] * 4)
    values = (0.9, None, 0.3, 0.0)
    evidenced = trace.with_evidence(Evidence("mc", "rollouts", values=values))
    verdicts = trace.with_evidence(
        Evidence("sums", "verdicts", verdicts=("right", "unknown", "right", "wrong"))
    )
    for given, threshold, first in ((evidenced, 0.0, 3), (evidenced, 0.3, 2), (verdicts, 0.0, 3)):
        (made,) = run("threshold", [given], Policy({}), threshold=threshold)
        assert made.labels is not None
        assert made.labels.first_error == first
        assert made.labels.examined
    silent = trace.with_evidence(Evidence("sums", "verdicts", verdicts=("unknown",) * 4))
    (made,) = run("threshold", [silent], Policy({}))
    assert made.labels is not None
    assert made.labels.undecided
    assert not made.labels.examined
    (failed,) = run("threshold", [trace], Policy({}))
    assert "has no evidence" in (failed.error or "")
    (cut,) = run("threshold", [replace(trace, correct=None)], Policy({}))
    assert cut.labels is cut.error is None
    assert "prmdata estimate" in (failed.error or "")


def test_one_trace_that_cannot_be_continued_fails_alone(traces: list[Trace]) -> None:
    class Short(Policy):
        async def complete(self, prefix: str, n: int, sampling: object, seed: int) -> list:  # type: ignore[override]
            if prefix.count("Step") == 1:
                raise ItemError("too long")
            return await super().complete(prefix, n, sampling, seed)  # type: ignore[arg-type]

    made = run("mc", traces[:4], Short({0: 60}))
    assert [t.error for t in made if len(t.steps) > 2] == ["too long"] * sum(
        len(t.steps) > 2 for t in made
    )


def test_methods_are_asked_for_by_name_and_settings() -> None:
    with pytest.raises(UsageError, match="did you mean 'bisect'"):
        method("bisekt", "label", {})
    with pytest.raises(UsageError, match="'mc' is a method of `prmdata estimate`"):
        method("mc", "label", {})
    with pytest.raises(UsageError, match="did you mean 'rollouts_per_probe'"):
        method("bisect", "label", {"rollouts_per_prob": "3"})
    with pytest.raises(UsageError, match="Expected `int`"):
        method("bisect", "label", {"rollouts_per_probe": "many"})
    configured = method("bisect", "label", {"rollouts_per_probe": "3", "first_hit": "yes"})
    assert configured == LABELLERS["bisect"](rollouts_per_probe=3, first_hit=True)  # type: ignore[call-arg]
    assert Probe() == Probe(0, 0, 0)


@pytest.mark.parametrize("name", needing("sampler"))
def test_the_same_at_any_concurrency(
    name: str, traces: list[Trace], policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy stands where a sampler is opened: it is no spec that a user could type."""

    async def opened(*_: object) -> Policy:
        return policy

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    how = method(name, LABELLERS[name].verb, {})
    asked = Labelling(how.verb, name, how)
    found = []
    for concurrency in (1, 7, 100):
        output = ListOutput()
        options = RunOptions(concurrency=concurrency, quiet=True, store=None)
        asyncio.run(run_labelling(asked, output, options, traces[:20]))
        found.append(output.traces)
    assert found[0] == found[1] == found[2]
    assert len(found[0]) >= 20


def test_bisect_may_believe_a_verifier(traces: list[Trace], policy: Policy) -> None:
    """It then looks only before the step that was called wrong, and pays less."""
    wrong = [t for t in traces if t.correct is False and len(t.steps) > 4]
    told = [
        t.with_evidence(
            Evidence(
                "sums", "verdicts", verdicts=(None, None, "wrong", *[None] * (len(t.steps) - 3))
            )
        )
        for t in wrong
    ]
    plain = run("bisect", told, policy)
    believed = run("bisect", told, policy, verdicts=True)
    assert max(t.labels.first_error for t in believed if t.labels) == 2  # type: ignore[type-var]
    assert max(t.labels.first_error for t in plain if t.labels) > 2  # type: ignore[type-var,operator]
    spent = [sum(t.labels.cost.rollouts for t in made if t.labels) for made in (plain, believed)]
    assert spent[1] < spent[0]

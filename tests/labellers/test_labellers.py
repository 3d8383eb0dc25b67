"""What holds for every method, and for each what its paper says."""

from __future__ import annotations

import asyncio
import random

import pytest

from prmdata.errors import UsageError
from prmdata.labellers import LABELLERS, method
from prmdata.labellers.contract import Need, Probe
from prmdata.records import Evidence, Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.stages.label import Labelling, run_labelling
from tests.labellers.running import run
from tests.policy import Policy, RewardModel


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
            assert len(evidence.values or evidence.rewards) == len(trace.steps)
            assert all(v is None or 0 <= v <= 1 for v in evidence.values)
            problem = [t for t in everything if t.problem.id == trace.problem.id]
            asked = problem if "siblings" in LABELLERS[name].needs else [trace]  # one tree for all
            costs = [t.evidence_named(name).cost for t in asked]  # type: ignore[union-attr]
            spent = sum(cost.rollouts + cost.scored for cost in costs)
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

    how = method(name, LABELLERS[name].verb, {})
    rates = "ratings" in how.needs

    async def opened(*_: object) -> Policy:
        return RewardModel({}) if rates else policy

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)
    reference = "policy" if "reference" in how.needs else None
    named = "policy" if rates else None
    asked = Labelling(how.verb, name, how, sampler=named, reference=reference)
    found = []
    for concurrency in (1, 7, 100):
        output = ListOutput()
        options = RunOptions(concurrency=concurrency, quiet=True, store=None)
        asyncio.run(run_labelling(asked, output, options, traces[:20]))
        found.append(output.traces)
    assert found[0] == found[1] == found[2]
    assert len(found[0]) >= 20

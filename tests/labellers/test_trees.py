"""`outcome`, `prefix-tree`, `rollout-tree`: values recomputed from the leaves."""

from __future__ import annotations

import itertools
from statistics import mean

import pytest

from prmdata.labellers.rollout_tree import spread
from prmdata.records import Evidence, Trace, Verdict
from prmdata.truth import truth_of
from tests.labellers.running import problems, run
from tests.policy import Policy


def test_outcome_is_the_trace_s_own(traces: list[Trace], policy: Policy) -> None:
    for trace in run("outcome", traces, policy):
        assert set(trace.evidence[0].values) == {float(trace.correct is True)}


def test_a_prefix_is_worth_the_mean_of_the_traces_below(
    traces: list[Trace], policy: Policy
) -> None:
    shared = 0
    policy.calls.clear()
    for group in problems(traces):
        for trace in run("prefix-tree", group, policy):
            for t, value in enumerate(trace.evidence[0].values, 1):
                below = [o.correct for o in group if o.text.startswith(trace.prefix(t))]
                shared += len(below) > 1
                assert value == pytest.approx(mean(map(float, below)))  # type: ignore[arg-type]
    assert policy.calls == []
    assert shared > 100


def test_a_branch_counts_for_no_prefix(traces: list[Trace], policy: Policy) -> None:
    """It has the steps before it by construction, and how it ended was why it was written."""
    grown = run("next-step", traces[:12], policy)
    assert len(grown) > 12
    plain = {t.id: t.evidence[-1].values for t in run("prefix-tree", traces[:12], policy)}
    among = {t.id: t.evidence[-1].values for t in run("prefix-tree", by_problem(grown), policy)}
    assert plain.items() <= among.items()


def by_problem(traces: list[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda trace: trace.problem.id)


def evidence(trace: Trace) -> Evidence:
    found = trace.evidence_named("rollout-tree")
    assert found is not None
    return found


@pytest.mark.parametrize("leaves", [1, 4, 7, 16, 40])
def test_a_tree_has_as_many_leaves_as_its_budget(
    leaves: int, traces: list[Trace], policy: Policy
) -> None:
    for group in problems(traces)[:10]:
        policy.calls.clear()
        made = run("rollout-tree", group, policy, leaves=leaves)
        sampled = sum(n for _, n, _ in policy.calls)
        assert sampled == max(leaves - len(group), 0)
        assert sum(evidence(trace).cost.rollouts for trace in made) == sampled
        below = {t.steps[0].text: evidence(t).rollouts[0] or 0 for t in made}
        assert sum(below.values()) <= max(leaves, len(group))


def test_a_node_is_the_leaf_weighted_mean_of_its_children_and_equal_prefixes_are_one_node(
    traces: list[Trace], policy: Policy
) -> None:
    """Over all leaves, which `grow` writes; each counts once in every node that it passes."""
    inner = shared = 0
    for group in problems(traces)[:10]:
        made = run("rollout-tree", group, policy, leaves=24, grow=True)
        assert len(made) == 24
        values: dict[str, tuple[float | None, int | None]] = {}
        children: dict[str, list[str]] = {}
        for trace in made:
            found = evidence(trace)
            for t in range(1, len(trace.steps) + 1):
                node = found.values[t - 1], found.rollouts[t - 1]
                shared += trace.prefix(t) in values
                assert values.setdefault(trace.prefix(t), node) == node
                children.setdefault(trace.prefix(t - 1), []).append(trace.prefix(t))
        for parent, below in children.items():
            if parent == "":
                continue
            nodes = [values[child] for child in set(below)]
            count = sum(n for _, n in nodes if n)
            value = sum(v * n for v, n in nodes if v is not None and n) / count
            assert values[parent][0] == pytest.approx(value)
            assert values[parent][1] == count
            inner += len(nodes) > 1
    assert inner > 20
    assert shared > 200


def test_the_advantage_is_the_value_of_a_node_less_its_parent_s(
    traces: list[Trace], policy: Policy
) -> None:
    for group in problems(traces)[:6]:
        made = run("rollout-tree", group, policy, leaves=24, grow=True)
        root = mean(float(trace.correct is True) for trace in made)
        for trace in made:
            found = evidence(trace)
            before = root
            for value, reward in zip(found.values, found.rewards, strict=True):
                assert value is not None
                assert reward == pytest.approx(value - before)
                before = value


def test_leaves_are_spread_over_depths(traces: list[Trace], policy: Policy) -> None:
    long = next(trace for trace in traces if len(trace.steps) > 5)
    policy.calls.clear()
    run("rollout-tree", [long], policy, leaves=1 + len(long.steps))
    depths = [prefix.count("Step") for prefix, _, _ in policy.calls]
    assert len(set(depths)) > len(long.steps) / 2
    assert all(place < 1 for place in itertools.islice(spread(), 100))
    assert list(itertools.islice(spread(), 5)) == [1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8]


def test_a_tree_is_no_dearer_for_its_values_than_rollouts_from_every_step(
    traces: list[Trace], policy: Policy
) -> None:
    """Of wrong steps found, at the hard reading; `mc` takes eight rollouts after every step."""
    found: dict[str, tuple[int, int]] = {}
    for name, settings in (("rollout-tree", {"leaves": 32}), ("mc", {})):
        valued = run(name, traces, policy, **settings)
        cost = sum(t.evidence[-1].cost.tokens for t in valued)
        exact = 0
        for trace in run("threshold", valued, policy):
            truth = truth_of(trace, "abacus")
            assert truth is not None
            assert trace.labels is not None
            exact += trace.labels.first_error == truth.first_wrong
        found[name] = exact, cost
    assert found["rollout-tree"][0] > 0.95 * found["mc"][0]
    assert found["rollout-tree"][1] < 0.5 * found["mc"][1]


def refuted(trace: Trace, wrong: int | None) -> Trace:
    """With a tool that calls the step at this index wrong, and is silent of the others."""
    verdicts: list[Verdict] = [
        "wrong" if i == wrong else "unknown" for i in range(len(trace.steps))
    ]
    return trace.with_evidence(Evidence("tool", "verdicts", verdicts=tuple(verdicts)))


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_tree_that_believes_verdicts_grows_nothing_past_a_refuted_step(
    wrong: int, traces: list[Trace], policy: Policy
) -> None:
    for trace in [trace for trace in traces if len(trace.steps) > 3][:10]:
        policy.calls.clear()
        (made,) = run("rollout-tree", [refuted(trace, wrong)], policy, leaves=12, verdicts=True)
        found = evidence(made)
        asked = {prefix.removeprefix("<bos>").partition("\n")[2] for prefix, _, _ in policy.calls}
        assert asked <= {trace.prefix(t) for t in range(wrong + 1)}
        assert found.cost.rollouts == 11
        assert found.values[-1] == 0  # the trace itself missed, however it ended


def test_verdicts_steer_a_tree_only_where_it_is_asked_to_believe_them(
    traces: list[Trace], policy: Policy
) -> None:
    some = traces[:20]
    plain = [trace.evidence[-1] for trace in run("rollout-tree", some, policy)]
    deaf = run("rollout-tree", [refuted(trace, 0) for trace in some], policy)
    assert [(e.values, e.cost) for e in plain] == [
        (trace.evidence[-1].values, trace.evidence[-1].cost) for trace in deaf
    ]
    silent = run("rollout-tree", [refuted(trace, None) for trace in some], policy, verdicts=True)
    assert [e.values for e in plain] == [trace.evidence[-1].values for trace in silent]


def test_a_branch_is_valued_and_is_no_leaf_that_is_paid_for(
    traces: list[Trace], policy: Policy
) -> None:
    group = problems(traces)[3]
    grown = run("rollout-tree", group, policy, leaves=12, grow=True)
    again = run("rollout-tree", grown, policy, leaves=12, grow=True)
    assert len({trace.id for trace in again}) == len(again)
    assert [evidence(t).values for t in again[:4]] == [evidence(t).values for t in grown[:4]]

"""Figures against ones worked out by hand, and the truth against the oracle."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.abacus import judge, story
from prmdata.errors import InputError, UsageError
from prmdata.records import Cost, Evidence, Labels, Problem, Step, Trace
from prmdata.report.score import lines, score, total
from prmdata.report.stats import stats
from prmdata.traces.generate import cut_steps
from prmdata.truth import truth_of, truths


def made(number: int, truth: int | None, said: int | None, cost: int = 0) -> Trace:
    verdicts = tuple("wrong" if i == truth else "right" for i in range(4))
    return Trace(
        id=f"p/{number}",
        problem=Problem("p", "?"),
        steps=(Step("x"),) * 4,
        correct=truth is None,
        evidence=(Evidence("oracle", "truth", verdicts=verdicts, notes=("slip",) * 4),),
        labels=Labels("x", said, cost=Cost(cost, 2, 1)),
    )


def test_figures_by_hand() -> None:
    pairs = [(1, 1), (1, 2), (2, None), (3, 3), (None, None), (None, 0)]
    figures = score(
        [made(i, truth, said, 10) for i, (truth, said) in enumerate(pairs)],
        lambda trace: truth_of(trace, "evidence"),
    )
    assert figures["exact"] == 0.5  # 1, 4 and 5
    assert figures["exact_on_erroneous"] == 0.5
    assert figures["exact_on_correct"] == 0.5
    assert figures["f1"] == 0.5
    wrong_steps = 0 + 1 + 2 + 0 + 0 + 4
    assert figures["step_accuracy"] == round((24 - wrong_steps) / 24, 6)
    assert (figures["tokens"], figures["rollouts"], figures["rounds"]) == (60, 12, 6)
    assert figures["tokens_per_trace"] == 10
    assert figures["first_error_kinds"] == {"slip": 4}


def test_the_oracle_judges_steps_however_they_were_cut(traces: list[Trace]) -> None:
    for trace in traces:
        meta = trace.problem.meta
        lines = [line for line in trace.text.split("\n") if line]
        judged = judge(story(meta["seed"], meta["index"], meta["level"]), lines)
        truth = truth_of(trace, "abacus")
        assert truth is not None
        assert truth.first_wrong == judged.first_error  # a step is a line
        pairs = tuple(
            Step("".join(s.text for s in trace.steps[i : i + 2]))
            for i in range(0, len(trace.steps), 2)
        )
        joined = truth_of(replace(trace, steps=pairs), "abacus")
        assert joined is not None
        assert joined.first_wrong == (
            None if judged.first_error is None else judged.first_error // 2
        )


def test_the_oracle_judges_the_step_that_a_line_ends_in(traces: list[Trace]) -> None:
    for trace in traces[:40]:
        cut = replace(trace, steps=cut_steps(trace.text.rstrip(), r"regex:\."))
        by_lines, by_points = (truth_of(t, "abacus") for t in (trace, cut))
        assert by_lines is not None
        assert by_points is not None
        assert by_points.verdicts == by_lines.verdicts


def test_truth_of_another_generator_is_refused(traces: list[Trace]) -> None:
    old = replace(
        traces[0], problem=replace(traces[0].problem, meta={"source": "abacus", "generator": "0"})
    )
    with pytest.raises(InputError, match="made by generator 0"):
        truth_of(old, "abacus")
    changed = replace(traces[0], problem=replace(traces[0].problem, question="1 + 1?"))
    with pytest.raises(InputError, match="not the one"):
        truth_of(changed, "abacus")
    with pytest.raises(InputError, match="its truth is not known"):
        score([replace(traces[0], problem=Problem("p", "?"))], lambda t: truth_of(t, "abacus"))


def test_stats_count(traces: list[Trace]) -> None:
    counted = stats([*traces, traces[0].failed("x")])
    assert counted["traces"] == len(traces) + 1
    assert counted["failed"] == 1
    assert counted["problems"] == len({t.problem.id for t in traces})
    assert counted["steps"] == sum(len(t.steps) for t in traces) + len(traces[0].steps)


def sure(number: int, truth: int | None, said: int | None, confidence: float) -> Trace:
    trace = made(number, truth, said)
    values = tuple(1.0 if said is None or i < said else 0.2 for i in range(4))
    labels = Labels("x", said, values=values, confidence=confidence)
    return replace(trace, labels=labels)


def test_confidence_and_values_by_hand() -> None:
    cases = [(1, 1, 0.95), (2, 2, 0.95), (3, 1, 0.91), (None, None, 0.5), (0, 2, 0.55)]
    figures = score(
        [sure(i, *case) for i, case in enumerate(cases)], lambda t: truth_of(t, "evidence")
    )
    # two bins: .9–1 holds three (mean .9367, two exact), .5–.6 two (mean .525, one exact)
    off = 3 * abs((0.95 + 0.95 + 0.91) / 3 - 2 / 3) + 2 * abs(0.525 - 0.5)
    assert figures["ece"] == pytest.approx(off / 5, abs=1e-6)
    assert figures["exact_at_most_confident_50"] == 1.0  # 2 of 5
    assert figures["exact_at_most_confident_70"] == 0.5  # 4 of 5
    assert figures["with_confidence"] == 5
    beliefs = [
        (1.0 if said is None or i < said else 0.2, truth is None or i < truth)
        for truth, said, _ in cases
        for i in range(4)
    ]
    pairs = [(a, b) for a, right in beliefs if right for b, wrong in beliefs if not wrong]
    wins = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)
    assert figures["step_auc"] == pytest.approx(wins, abs=1e-6)
    brier = sum((v - t) ** 2 for v, t in beliefs) / len(beliefs)
    assert figures["step_brier"] == pytest.approx(brier, abs=1e-6)


def test_what_cannot_be_told_is_none() -> None:
    figures = score([made(0, None, None)], lambda t: truth_of(t, "evidence"))
    for name in ("f1", "ece", "step_auc", "step_brier", "exact_at_most_confident_50"):
        assert figures[name] is None


def test_what_is_undecided_claims_nothing_and_what_is_ungraded_is_not_wrong() -> None:
    silent = replace(made(0, None, None, 10), correct=None)
    silent = replace(silent, labels=replace(silent.labels, values=(None,) * 4))
    flawed = replace(silent, evidence=made(0, 2, None).evidence)
    figures = score([silent, flawed, made(1, 2, 2, 10)], lambda t: truth_of(t, "evidence"))
    assert (figures["labelled"], figures["undecided"]) == (1, 2)
    assert figures["exact"] == pytest.approx(1 / 3, abs=1e-6)  # as a benchmark counts
    assert figures["exact_decided"] == 1.0
    assert figures["step_accuracy"] == 1.0
    assert (figures["tokens"], figures["tokens_per_trace"]) == (30, 10)
    assert figures["wrong_answer_without_a_wrong_step"] == 0


def test_the_truth_of_another_file_counts(tmp_path: Path) -> None:
    from prmdata.files import write_traces

    told = [made(0, 2, None), made(1, None, None)]
    told = [replace(t, problem=Problem("p", f"{i}?")) for i, t in enumerate(told)]
    write_traces(str(tmp_path / "truth.jsonl"), told)
    bare = [replace(t, id=f"other-{i}", evidence=()) for i, t in enumerate(told)]
    figures = score(bare, truths(str(tmp_path / "truth.jsonl")))
    assert figures["exact"] == 0.5
    stranger = replace(bare[0], steps=(Step("y"),))
    with pytest.raises(InputError, match="--truth FILE"):
        score([stranger], truths(str(tmp_path / "truth.jsonl")))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_reliability_diagram_is_drawn(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from prmdata.report.plot import check_plot, plot_reliability

    cases = [(1, 1, 0.95), (2, 1, 0.6), (None, None, 0.99)]
    summed = total(
        [sure(i, *case) for i, case in enumerate(cases)], lambda t: truth_of(t, "evidence")
    )
    path = tmp_path / f"r.{kind}"
    check_plot(str(path))
    plot_reliability(summed, str(path))
    head = path.read_bytes()[:400]
    assert head.startswith(b"\x89PNG") if kind == "png" else b"<svg" in path.read_bytes()
    with pytest.raises(UsageError, match="ends in"):
        check_plot("r.jpeg")


def test_processbench_is_read_as_truth() -> None:
    row = {"id": "1", "generator": "m", "problem": "p?", "steps": ["a", "b"], "label": 1}
    Path("bench.jsonl").write_text(json.dumps({**row, "final_answer_correct": False}) + "\n")
    steps = (Step("a\n"), Step("b"))
    said = Trace("x", Problem("x", "p?"), steps, labels=Labels("m", 1, values=(1.0, 0.0)))
    assert score([said], truths("bench.jsonl"))["exact_on_erroneous"] == 1.0


def figures_of(*traces: Trace) -> dict[str, object]:
    return score(traces, lambda trace: truth_of(trace, "evidence"))


def said_of(number: int, truth: tuple[str | None, ...], labels: Labels | None) -> Trace:
    trace = made(number, None, None)
    evidence = replace(trace.evidence[0], verdicts=truth, notes=())
    return replace(trace, evidence=(evidence,), labels=labels)


SILENT = Labels("x", values=(None,) * 4)


def test_f1_is_the_benchmarks_and_what_is_decided_stands_beside_it() -> None:
    """ProcessBench's own: the harmonic mean of two accuracies, over all its rows."""
    hits = [made(i, 1, 1) for i in range(3)] + [made(i, None, None) for i in range(3, 5)]
    misses = [made(5, 2, 1), made(6, None, 0)]
    silent = [replace(made(7, 1, None), labels=SILENT), replace(made(8, None, None), labels=None)]
    found = figures_of(*hits, *misses, *silent)
    on_wrong, on_right = 3 / 5, 2 / 4
    f1 = 2 * on_wrong * on_right / (on_wrong + on_right)
    assert found["exact_on_erroneous"] == pytest.approx(on_wrong)
    assert found["exact_on_correct"] == pytest.approx(on_right)
    assert found["f1"] == pytest.approx(f1, abs=1e-6)
    assert found["f1_decided"] == pytest.approx(2 * 3 / 4 * 2 / 3 / (3 / 4 + 2 / 3), abs=1e-6)
    assert (found["labelled"], found["undecided"], found["unlabelled"]) == (7, 1, 1)


def test_steps_that_the_truth_says_nothing_of_count_nowhere() -> None:
    values = Labels("x", 1, values=(0.9, 0.2, 0.8, 0.7))
    judged = figures_of(said_of(0, ("right", "wrong", "wrong", "right"), values))
    silent = figures_of(said_of(0, ("right", "wrong", None, "unknown"), values))
    assert silent["step_auc"] == silent["step_accuracy"] == 1.0
    assert silent["step_brier"] == pytest.approx((0.1**2 + 0.2**2) / 2)
    assert judged["step_accuracy"] == 1.0
    assert judged["step_brier"] != silent["step_brier"]


def test_a_first_error_that_the_truth_leaves_open_is_not_judged() -> None:
    label = Labels("x", 3, values=(1.0, 1.0, 1.0, 0.0))
    for truth in (("right", "right", None, None), ("right", None, "wrong", None)):
        found = figures_of(said_of(0, truth, label), made(1, 2, 2))
        assert (found["truth_incomplete"], found["exact"]) == (1, 1.0)
        assert found["step_accuracy"] is not None
    whole = figures_of(said_of(0, ("right",) * 4, label), made(1, 2, 2))
    assert (whole["truth_incomplete"], whole["exact"]) == (0, 0.5)


def test_intervals_are_those_of_resampled_problems() -> None:
    """Against a bootstrap that draws the traces themselves."""
    chance = random.Random(3)
    problems = []
    for number in range(30):
        skill = chance.random()
        group = []
        for k in range(4):
            truth = chance.choice([None, 0, 1, 2, 3])
            said = truth if chance.random() < skill else chance.choice([None, 0, 1, 2, 3])
            trace = sure(k, truth, said, round(skill, 1))
            group.append(replace(trace, problem=Problem(str(number), "?")))
        problems.append(group)
    found = figures_of(*(trace for group in problems for trace in group))
    drawn: dict[str, list[float]] = {}
    for _ in range(200):
        again = [
            replace(trace, problem=Problem(f"{place}", "?"))
            for place, group in enumerate(chance.choices(problems, k=30))
            for trace in group
        ]
        summed = total(again, lambda trace: truth_of(trace, "evidence")).figures(intervals=False)
        for name in found["intervals"]:  # type: ignore[attr-defined]
            drawn.setdefault(name, []).append(summed[name])
    assert {"f1", "step_auc", "ece", "exact_at_most_confident_50"} < drawn.keys()
    for name, (low, high) in found["intervals"].items():  # type: ignore[attr-defined]
        if name != "ece_if_calibrated":
            values = sorted(drawn[name])
            width = values[195] - values[4]
            assert low == pytest.approx(values[4], abs=0.35 * width), name
            assert high == pytest.approx(values[195], abs=0.35 * width), name
    assert found == figures_of(*(trace for group in problems for trace in group))


def test_few_problems_that_are_all_hits_do_not_make_a_sure_thing() -> None:
    traces = [replace(made(i, 1, 1), problem=Problem(str(i), "?")) for i in range(5)]
    low, high = figures_of(*traces)["intervals"]["exact"]  # type: ignore[index]
    assert (low, high) == (pytest.approx(0.566, abs=0.001), 1.0)  # Wilson's for 5 of 5
    right = [replace(made(i, None, None), problem=Problem(str(i), "?")) for i in range(5, 25)]
    both = figures_of(*traces, *right)["intervals"]
    assert both["exact_on_erroneous"] == [low, high]  # type: ignore[index]
    assert both["f1_decided"] == [low, high]  # type: ignore[index]
    assert both["exact_on_correct"][0] > low  # type: ignore[index]
    assert figures_of(made(0, 1, 1))["intervals"] == {}


def test_the_order_of_the_file_does_not_matter() -> None:
    cases = [(1, 1, 0.5), (2, 1, 0.5), (3, 1, 0.5), (None, None, 0.5), (0, 0, 0.9), (1, 2, 0.5)]
    traces = [sure(i, *case) for i, case in enumerate(cases)]
    found = figures_of(*traces)
    assert found["exact_at_most_confident_50"] == pytest.approx((1 + 2 * 2 / 5) / 3, abs=1e-6)
    for seed in range(5):
        shuffled = random.Random(seed).sample(traces, len(traces))
        assert figures_of(*shuffled) == found


def test_the_calibration_error_stands_beside_what_chance_makes_of_it() -> None:
    chance = random.Random(5)
    traces = []
    for number in range(300):
        confidence = chance.random()
        said = 1 if chance.random() < confidence else 2
        trace = sure(number, 1, said, confidence)
        traces.append(replace(trace, problem=Problem(str(number), "?")))
    found = figures_of(*traces)
    low, high = found["intervals"]["ece_if_calibrated"]  # type: ignore[index]
    assert low < found["ece"] < high  # type: ignore[operator]
    assert low < found["ece_if_calibrated"] < high  # type: ignore[operator]
    bold = figures_of(*(replace(t, labels=replace(t.labels, confidence=0.99)) for t in traces))  # type: ignore[type-var]
    assert bold["ece"] > bold["intervals"]["ece_if_calibrated"][1]  # type: ignore[index,operator]


def test_intervals_stand_beside_their_figures() -> None:
    shown = lines({"exact": 0.5, "steps": 3, "f1": None, "intervals": {"exact": [0.25, 0.75]}})
    assert shown[0].split() == ["exact", "0.500", "(95", "%:", "0.250", "to", "0.750)"]
    assert [line.split()[0] for line in shown] == ["exact", "steps", "f1"]

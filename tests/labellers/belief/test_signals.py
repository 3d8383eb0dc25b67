"""What numbers of steps are worth: fitted to beliefs, monotone, shrunk, held out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from prmdata.labellers.belief.model import Belief
from prmdata.labellers.belief.observations import Observations
from prmdata.labellers.belief.policy import Policy, PolicyPrior
from prmdata.labellers.belief.signals import (
    MOST,
    Curve,
    Signal,
    fit_curve,
    fit_curves,
    signals_of,
    told,
)
from prmdata.records import Cost, Evidence, Problem, Step, Trace

STEPS = 6


def simulated(traces: int, worth: float, seed: int) -> list[tuple[Signal, np.ndarray]]:
    """Numbers that are lower by `worth` at the first wrong step, and beliefs that are half sure."""
    chance = np.random.default_rng(seed)
    rows = []
    for _ in range(traces):
        first = int(chance.integers(STEPS))
        numbers = chance.normal(size=STEPS)
        numbers[first] -= worth
        belief = np.full(STEPS + 1, 0.5 / (STEPS + 1))
        belief[first] += 0.5
        rows.append((Signal("s", tuple(float(x) for x in numbers)), belief))
    return rows


def test_a_curve_falls_where_low_numbers_are_errors_and_is_bounded() -> None:
    curve = fit_curve("s", simulated(300, 2.0, 1))
    assert curve is not None
    assert list(curve.error) == sorted(curve.error, reverse=True)
    assert curve.error[0] > 0.5 > 0 > curve.error[-1]
    assert max(map(abs, curve.error)) <= MOST
    assert max(map(abs, curve.after)) < 0.5
    assert curve.ratios(Signal("s", (None,) * STEPS)).tolist() == [[0.0] * STEPS] * 2
    again = msgspec.json.decode(msgspec.json.encode(Policy(curves=(curve,))), type=Policy)
    assert again.curves == (curve,)


def test_few_traces_say_little() -> None:
    few, many = fit_curve("s", simulated(4, 2.0, 2)), fit_curve("s", simulated(400, 2.0, 2))
    assert few is not None
    assert many is not None
    assert max(few.error) < max(many.error)
    assert fit_curve("s", simulated(1, 2.0, 3)[:0]) is None


def test_noise_is_dropped_and_a_signal_is_kept() -> None:
    for worth, kept in ((2.5, ["s"]), (0.0, [])):
        rows = simulated(120, worth, 5)
        said: list[str] = []
        curves = fit_curves([[((signal,), belief)] for signal, belief in rows], said.append)
        assert [curve.name for curve in curves] == kept
        assert len(said) == 1


def test_belief_moves_to_the_step_that_a_signal_points_at() -> None:
    curve = Curve("s", (-1.0, 1.0), (2.0, -2.0), (0.0, 0.0))
    signal = Signal("s", (1.0, 1.0, -1.0, 1.0))
    seen = Observations(4, signals=(signal,))
    plain = Belief((PolicyPrior(),), seen).first()
    moved = Belief((PolicyPrior(),), seen, (1.0,), (curve,)).first()
    assert moved[2] > 0.7 > plain[2]
    assert Belief(
        (PolicyPrior(),), seen, (1.0,), (Curve("t", (0.0,), (9.0,), (9.0,)),)
    ).first() == (pytest.approx(plain))
    sure = np.array([0, 0, 1.0, 0, 0])
    assert told(curve, signal, sure) > 1 > 0 > told(curve, signal, np.array([1.0, 0, 0, 0, 0]))


def test_signals_are_read_from_the_evidence_that_has_them() -> None:
    trace = Trace("t", Problem("p", "?"), (Step("a"), Step("b")), evidence=(
        Evidence("certainty", "scores", rewards=(-1.0, -2.0), settings={"measure": "nll"}),
        Evidence("anytime", "rollouts", values=(0.5, 0.0), cost=Cost(9)),
        Evidence("first-error", "scores", values=(0.8, 0.4)),
        Evidence("gain", "scores", values=(None, None)),
        Evidence("mc", "rollouts", values=(1.0, 0.0)),
    ))  # fmt: skip
    found = {signal.name: signal.numbers for signal, _ in signals_of(trace)}
    assert found == {
        "certainty nll": (-1.0, -2.0),
        "anytime": (0.5, None),
        "first-error": (0.8, 0.5),
    }

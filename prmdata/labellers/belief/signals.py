"""What a continuous signal of the steps says of the first error: ratios that are fitted.

A signal gives each step a number, such as how sure the model was of it. A curve holds, place by
place, how much likelier such a number is at the first wrong step than at a right one, and after
it. Curves are fitted to traces whose first wrong step is known. Fitted to what rollouts believe
they would count the same thing twice: a step that the policy found unlikely is also one that its
rollouts seldom write again. They are monotone, shrunk towards saying nothing, and dropped where
they do not hold on problems that they were not fitted on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from prmdata.labellers.belief.numbers import Array, Counts
from prmdata.records import Evidence, Trace

PLACES = 12
"""Of a curve, at most."""
WORTH = 6.0
"""Steps that saying nothing is worth, spread over the places."""
MOST = 4.0
"""The largest log-ratio of one step."""
BY_REWARD = frozenset({"certainty", "implicit", "contrast", "faithfulness", "clusters"})
BY_VALUE = frozenset({"anytime", "gain", "potential"})


@dataclass(frozen=True, slots=True)
class Signal:
    """A number for each step; `None` where there is none."""

    name: str
    """Of the evidence, and of what in its settings makes it another signal."""
    numbers: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Log-ratios of a signal, at rising numbers; between them it is straight."""

    name: str
    at: tuple[float, ...]
    error: tuple[float, ...]
    """Of the first wrong step, to a right one."""
    after: tuple[float, ...]
    """Of the steps after it."""

    def ratios(self, signal: Signal) -> Array:
        """For each step, if it were the first wrong one, and if it came later."""
        found = np.zeros((2, len(signal.numbers)))
        known = [i for i, number in enumerate(signal.numbers) if number is not None]
        numbers = np.array([signal.numbers[i] for i in known], dtype=float)
        found[0, known] = np.interp(numbers, self.at, self.error)
        found[1, known] = np.interp(numbers, self.at, self.after)
        return found


Known = tuple[tuple[Signal, ...], Array]
"""The signals of a trace, and P(f) for each step, and last for none."""


def signals_of(trace: Trace) -> tuple[tuple[Signal, Evidence], ...]:
    """The signals that a trace carries, each with the evidence that it was read from."""
    read = ((_signal(evidence, len(trace.steps)), evidence) for evidence in trace.evidence)
    return tuple((signal, evidence) for signal, evidence in read if signal is not None)


def _signal(evidence: Evidence, steps: int) -> Signal | None:
    if evidence.name == "first-error" and len(evidence.values) == steps:
        before = (1.0, *evidence.values)
        shares = ((b or 0) / max(a or 0, 1e-9) for a, b in itertools.pairwise(before))
        return Signal("first-error", tuple(float(share) for share in shares))
    numbers: tuple[float | None, ...] = ()
    if evidence.name in BY_REWARD:
        numbers = evidence.rewards
    elif evidence.name in BY_VALUE:
        numbers = evidence.values
    if len(numbers) != steps or all(number is None for number in numbers):
        return None
    if evidence.name == "anytime":  # its last value is how the trace ended, which is known
        numbers = (*numbers[:-1], None)
    measure = evidence.settings.get("measure") or evidence.settings.get("target")
    return Signal(f"{evidence.name} {measure}" if measure else evidence.name, numbers)


def fit_curve(name: str, rows: Sequence[tuple[Signal, Array]]) -> Curve | None:
    """The curve of a signal, from traces of which P(f) is known."""
    numbers, error, right, later = _weighted(rows)
    if len(numbers) < 2 or error.sum() < 1 or right.sum() < 1:
        return None
    edges = _edges(numbers, error / error.sum() + right / right.sum())
    place = np.searchsorted(edges, numbers, side="right")
    count = len(edges) + 1
    e, r, a = (_sums(place, weights, count) for weights in (error, right, later))
    pooled = (e / error.sum() + r / right.sum()) / 2
    at = np.array([numbers[place == i].mean() for i in range(count)])
    return Curve(
        name,
        tuple(float(number) for number in at),
        _monotone(_ratio(e, r, pooled), e + r),
        _monotone(_ratio(a, r, pooled), a + r) if a.sum() >= 1 else (0.0,) * count,
    )


def fit_curves(
    problems: Sequence[Sequence[Known]], report: Callable[[str], None] = lambda line: None
) -> tuple[Curve, ...]:
    """The curves of all signals that hold on problems they were not fitted on."""
    names = sorted({s.name for problem in problems for signals, _ in problem for s in signals})
    curves = []
    for name in names:
        curve = fit_curve(name, _rows(name, problems))
        gain, traces = _held_out(name, problems)
        report(f"{name}: {gain / max(traces, 1):+.3f} nats a trace on {traces:,} held out")
        if curve is not None and gain > 0:
            curves.append(curve)
    return tuple(curves)


def _held_out(name: str, problems: Sequence[Sequence[Known]]) -> tuple[float, int]:
    """How far a curve moves belief towards the first wrong steps, half by half."""
    gain, traces = 0.0, 0
    for half in range(2):
        curve = fit_curve(name, _rows(name, problems[half::2]))
        if curve is None:
            return 0.0, 0
        for signal, first_f in _rows(name, problems[1 - half :: 2]):
            gain += told(curve, signal, first_f)
            traces += 1
    return gain, traces


def told(curve: Curve, signal: Signal, first_f: Array) -> float:
    """Nats by which the signal moves an open mind towards the first error as it is."""
    error, after = curve.ratios(signal)
    since = np.append(after[::-1].cumsum()[::-1], 0.0)
    log = np.append(error + since[1:], 0.0)
    prior = np.full(len(first_f), 1 / len(first_f))
    moved = log - np.log((prior * np.exp(log)).sum())
    return float((first_f * moved).sum())


def _rows(name: str, problems: Sequence[Sequence[Known]]) -> list[tuple[Signal, Array]]:
    return [
        (signal, first_f)
        for problem in problems
        for signals, first_f in problem
        for signal in signals
        if signal.name == name
    ]


def _weighted(rows: Sequence[tuple[Signal, Array]]) -> tuple[Array, Array, Array, Array]:
    """Every number, with how surely its step is the first wrong one, right, or a later one."""
    numbers, error, right, later = [], [], [], []
    for signal, first_f in rows:
        through = first_f[:-1].cumsum()
        for step, number in enumerate(signal.numbers):
            if number is not None:
                numbers.append(number)
                error.append(first_f[step])
                right.append(max(1 - through[step], 0.0))
                later.append(max(through[step] - first_f[step], 0.0))
    return np.array(numbers), np.array(error), np.array(right), np.array(later)


def _sums(place: Counts, weights: Array, count: int) -> Array:
    found: Array = np.bincount(place, weights, count).astype(np.float64)
    return found


def _edges(numbers: Array, weights: Array) -> Array:
    """Between the places: each holds as much of the errors and right steps together."""
    order = np.argsort(numbers)
    share = weights[order].cumsum() / weights.sum()
    wanted = np.arange(1, PLACES) / PLACES
    cuts = numbers[order][np.searchsorted(share, wanted).clip(0, len(numbers) - 1)]
    return np.unique(cuts[(cuts > numbers.min())])


def _ratio(wrong: Array, right: Array, pooled: Array) -> Array:
    """Each place is also seen in both as often as in the two together, WORTH steps in all."""
    shared = WORTH * pooled / pooled.sum()
    found: Array = np.log((wrong + shared) / (wrong.sum() + WORTH)) - np.log(
        (right + shared) / (right.sum() + WORTH)
    )
    return np.clip(found, -MOST, MOST)


def _monotone(ratios: Array, weights: Array) -> tuple[float, ...]:
    """The nearest row that only rises, or only falls."""
    rising = _rising(ratios, weights)
    falling = -_rising(-ratios, weights)
    errors = [float((weights * (ratios - row) ** 2).sum()) for row in (rising, falling)]
    return tuple(float(x) for x in (rising if errors[0] < errors[1] else falling))


def _rising(ratios: Array, weights: Array) -> Array:
    """Neighbours in the wrong order take their mean, until none are (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for ratio, weight in zip(ratios.tolist(), weights.tolist(), strict=True):
        mean, mass, size = ratio, max(weight, 1e-9), 1
        while blocks and blocks[-1][0] > mean:
            before, before_mass, before_size = blocks.pop()
            mean = (mean * mass + before * before_mass) / (mass + before_mass)
            mass, size = mass + before_mass, size + before_size
        blocks.append((mean, mass, size))
    return np.concatenate([np.full(size, mean) for mean, _, size in blocks])

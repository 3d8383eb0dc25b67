"""Votes → what the judges of a panel are like, without knowing a single error (EM, after Dawid and
Skene), with the first wrong step of each trace as what is hidden.

Judges that say nothing, that are no better than chance, or that repeat another are dropped, and the
others fitted once more. How many independent judges the panel is worth is read from how their
agreement with the panel goes together, trace by trace. Of errors that the panel misses nothing
can be seen; as many are assumed as its members miss of those that it finds, in proportion to how
much they say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prmdata.errors import InputError
from prmdata.labellers.fusion.panel import (
    FINAL_WEIGHT,
    Belief,
    Member,
    Panel,
    finals_evidence,
    normalised,
    prior,
    seen_by,
    steps_evidence,
    unseen_in,
)
from prmdata.labellers.fusion.votes import Array, Votes

ROUNDS = 30
USUAL = np.array([0.07, 0.40, 0.30])
"""Where the fit begins: a judge's rate of calling a step wrong before, at and after the first
error."""
USUAL_FINALS = np.array([0.10, 0.58])
USUAL_NO_ERROR = np.array([0.4, 0.9, 0.05])
"""Shares of traces without a wrong step, by ending: unknown, right, wrong."""
POOLED, OWN, SHARES = 30.0, 10.0, 10.0
"""Steps that the usual rates count in the panel's mean, that this mean counts in a judge's own
rates, and traces that the usual shares count."""
LEAST_SPOKEN = 0.05
ALARMS = (0.02, 0.98)
"""Of traces: a judge that calls a step wrong more seldom, or more often, tells nothing."""
LEAST_ACCURACY = 0.55
"""Half of: its detections at the first error and the calm before it."""
MOST_ALIKE = 0.9
"""Correlation from which of two judges one is enough."""
LEAST_JUDGES = 3


@dataclass(frozen=True, slots=True)
class Rates:
    steps: Array
    finals: Array
    no_error: Array


def learned(
    votes: Votes, names: Sequence[str], cuts: Sequence[float | None], known: Belief | None = None
) -> Panel:
    """The panel; `known` clamps traces whose first error people named (NaN: not named)."""
    dropped = _silent(votes, names)
    kept = [at for at, name in enumerate(names) if name not in dropped]
    _check(kept, names, dropped, known)
    rates, belief = _fitted(votes.of(kept), known)
    for at, why in _useless(votes.of(kept), [names[k] for k in kept], rates, belief).items():
        dropped[names[kept[at]]] = why
    kept = [at for at, name in enumerate(names) if name not in dropped]
    _check(kept, names, dropped, known)
    votes = votes.of(kept)
    rates, belief = _fitted(votes, known)
    panel = _panel(votes, [names[k] for k in kept], rates, belief, dropped)
    members = tuple(replace(m, cut=cuts[k]) for m, k in zip(panel.members, kept, strict=True))
    return replace(panel, members=members)


def _check(
    kept: Sequence[int], names: Sequence[str], dropped: dict[str, str], known: Belief | None
) -> None:
    least = LEAST_JUDGES if known is None else LEAST_JUDGES - 1
    if len(kept) >= least:
        return
    why = "".join(f"; {name}: {reason}" for name, reason in dropped.items())
    raise InputError(
        f"weaver needs {least} judges or more that tell errors from right steps, to learn from "
        f"where they agree; of {len(names)} it can use {len(kept)}{why}. Add judges (`prmdata "
        "judge`, `prmdata verify`), or have some traces judged by people: --set audited=FILE"
    )


def _silent(votes: Votes, names: Sequence[str]) -> dict[str, str]:
    spoken = (votes.wrong + votes.right).mean(axis=0)
    said = (votes.final_wrong + votes.final_right).mean(axis=0)
    alarmed = 1 - votes.silent.mean(axis=0)
    dropped = {}
    for at, name in enumerate(names):
        if spoken[at] < LEAST_SPOKEN and said[at] < LEAST_SPOKEN:
            dropped[name] = f"speaks of {spoken[at]:.0%} of the steps"
        elif not ALARMS[0] <= alarmed[at] <= ALARMS[1]:
            dropped[name] = f"calls a step wrong in {alarmed[at]:.0%} of the traces"
    return dropped


def _fitted(votes: Votes, known: Belief | None) -> tuple[Rates, Belief]:
    judges = votes.wrong.shape[1]
    rates = Rates(np.tile(USUAL, (judges, 1)), np.tile(USUAL_FINALS, (judges, 1)), USUAL_NO_ERROR)
    belief = _clamped(_expected(votes, rates), known)
    for _ in range(ROUNDS):
        rates = _likeliest(votes, belief)
        belief = _clamped(_expected(votes, rates), known)
    return rates, belief


def _expected(votes: Votes, rates: Rates) -> Belief:
    per_trace = FINAL_WEIGHT * finals_evidence(votes, rates.finals) + prior(votes, rates.no_error)
    return normalised(votes, steps_evidence(votes, rates.steps) + per_trace[votes.owners])


def _clamped(belief: Belief, known: Belief | None) -> Belief:
    if known is None:
        return belief
    steps, none = (np.where(np.isnan(k), b, k) for b, k in zip(belief, known, strict=True))
    return steps, none


def _likeliest(votes: Votes, belief: Belief) -> Rates:
    steps, none = belief
    passed = votes.before(steps) + steps
    places = np.clip(np.stack([1 - passed, steps, passed - steps], axis=1), 0, None)
    ended = np.stack([none, 1 - none], axis=1)
    shares = [
        (none[votes.endings == ending].sum() + SHARES * usual)
        / ((votes.endings == ending).sum() + SHARES)
        for ending, usual in enumerate(USUAL_NO_ERROR)
    ]
    return Rates(
        _shrunk(votes.wrong.T @ places, votes.right.T @ places, USUAL),
        _shrunk(votes.final_wrong.T @ ended, votes.final_right.T @ ended, USUAL_FINALS),
        np.array(shares),
    )


def _shrunk(wrong: Array, right: Array, usual: Array) -> Array:
    """Rates of each judge, drawn to the panel's mean, and that to what is usual."""
    mean = (wrong.sum(axis=0) + POOLED * usual) / ((wrong + right).sum(axis=0) + POOLED)
    return (wrong + OWN * mean) / (wrong + right + OWN)


def _useless(votes: Votes, names: Sequence[str], rates: Rates, belief: Belief) -> dict[int, str]:
    """Judges that are no better than chance, and those that repeat one who agrees more."""
    found: dict[int, str] = {}
    accuracy = (1 + rates.steps[:, 1] - rates.steps[:, 0]) / 2
    for at, share in enumerate(accuracy):
        if share < LEAST_ACCURACY:
            found[at] = f"hardly tells the first error from a right step (accuracy {share:.2f})"
    agreeing = _agreement(votes, belief)
    alike = _correlations(agreeing)
    order = np.argsort(-agreeing.mean(axis=0), kind="stable")
    for place, at in enumerate(order):
        for better in order[:place]:
            if better not in found and at not in found and alike[at, better] > MOST_ALIKE:
                found[int(at)] = f"says what {names[better]} says"
    return found


def _agreement(votes: Votes, belief: Belief) -> Array:
    """Traces x judges: the belief in what the judge names as the first wrong step."""
    steps, none = belief
    return votes.summed(votes.firsts * steps[:, None]) + votes.silent * none[:, None]


def _correlations(columns: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.nan_to_num(np.corrcoef(columns.T))
    found = np.atleast_2d(found)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, 0, None)


def _panel(
    votes: Votes, names: Sequence[str], rates: Rates, belief: Belief, dropped: dict[str, str]
) -> Panel:
    agreeing = _agreement(votes, belief)
    alike = _correlations(agreeing)
    worth = len(names) ** 2 / alike.sum()
    agreement = agreeing.mean(axis=0)
    weights = np.clip(agreement - agreement.min(), 0, None) + 0.05
    weights /= weights.sum()
    spoken = (votes.wrong + votes.right).mean(axis=0)
    members = tuple(
        Member(
            name,
            before=float(rates.steps[at, 0]),
            at=float(rates.steps[at, 1]),
            after=float(rates.steps[at, 2]),
            final_right=float(rates.finals[at, 0]),
            final_wrong=float(rates.finals[at, 1]),
            coverage=float(spoken[at]),
            agreement=float(agreement[at]),
            weight=float(weights[at]),
        )
        for at, name in enumerate(names)
    )
    shares = tuple(float(share) for share in rates.no_error)
    panel = Panel(members, dropped, shares, float(worth), 0.0, traces=votes.traces)  # type: ignore[arg-type]
    return replace(panel, unseen=_unseen(votes, panel))


def _unseen(votes: Votes, panel: Panel) -> float:
    """The chance of an unseen error in a step that makes as many as the members miss of those
    seen."""
    _, none = seen_by(panel, votes, 1.0)
    found = (1 - none).sum()
    missed = float(
        (votes.silent * (1 - none)[:, None]).sum(axis=0) @ panel.weights / max(found, 1e-9)
    )
    missed *= 1 - panel.scale
    wanted = min(found * missed / max(1 - missed, 0.05), 0.9 * none.sum())
    low, high = 0.0, 0.999
    for _ in range(50):
        middle = (low + high) / 2
        few = (none * unseen_in(middle, votes.lengths)).sum() < wanted
        low, high = (middle, high) if few else (low, middle)
    return low

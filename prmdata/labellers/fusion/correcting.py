"""Audited traces → a correction of the panel's belief: a conditional logit over the steps of a
trace and "none", drawn to leave the belief as it is."""

from __future__ import annotations

import numpy as np

from prmdata.labellers.fusion.panel import (
    Belief,
    Panel,
    believed,
    finals_evidence,
    normalised,
    steps_evidence,
)
from prmdata.labellers.fusion.votes import Array, Votes

STIFFNESS = 3.0
"""How hard the weights are drawn to those that change nothing."""
ROUNDS = 50
TINY = 1e-9


def features(panel: Panel, votes: Votes, trust: Array | None = None) -> Array:
    """Steps x features, each against its value for "no step is wrong"; the first is the belief."""
    steps, none = believed(panel, votes, trust)
    owners = votes.owners
    evidence = panel.scale * steps_evidence(votes, panel.rates(), trust)
    finals = panel.scale * finals_evidence(votes, panel.final_rates())
    share, silent = votes.firsts @ panel.weights, votes.silent @ panel.weights
    return np.stack(
        [
            np.log(steps + TINY) - np.log(none + TINY)[owners],
            evidence,
            finals[owners],
            np.ones(len(owners)),
            np.log(votes.lengths)[owners],
            3 * (share - silent[owners]),
            3 * (np.sqrt(share) - np.sqrt(silent)[owners]),
        ],
        axis=1,
    )


def corrected(panel: Panel, votes: Votes, trust: Array | None = None) -> Belief:
    if not panel.correction:
        return believed(panel, votes, trust)
    return normalised(votes, features(panel, votes, trust) @ np.array(panel.correction))


def correction(panel: Panel, votes: Votes, known: Belief) -> tuple[float, ...]:
    """The weights that make what people named likeliest, by Newton's method."""
    table = features(panel, votes)
    unchanged = np.eye(table.shape[1])[0]
    weights = unchanged.copy()
    for _ in range(ROUNDS):
        steps, _ = normalised(votes, table @ weights)
        means = votes.summed(table * steps[:, None])
        slope = table.T @ (known[0] - steps) - STIFFNESS * (weights - unchanged)
        curve = (table * steps[:, None]).T @ table - means.T @ means
        move = np.linalg.solve(curve + STIFFNESS * np.eye(len(weights)), slope)
        move *= min(1.0, 1.0 / max(np.abs(move).max(), TINY))
        weights = weights + move
        if np.abs(move).max() < 1e-6:
            break
    return tuple(float(weight) for weight in weights)

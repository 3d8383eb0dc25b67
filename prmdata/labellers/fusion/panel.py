"""What was learned of a panel of judges, and what it believes of a trace.

The first wrong step of a trace is hidden; each judge calls steps wrong at one rate before it, at
another at it, and at a third after it. The judges' log-likelihoods add up, but judges err
together: a panel of 20 may be worth two. So their sum is scaled by the number that they are worth
(`Panel.scale`), and each step may hold an error that the panel as a whole does not see
(`Panel.unseen`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prmdata.labellers.fusion.votes import Array, Votes

FINAL_WEIGHT = 0.5
"""What a judge says of the answer follows from what it says of the steps: half of it is news."""


@dataclass(frozen=True, slots=True)
class Member:
    """One judge. Rates are of calling a step wrong, among the steps that it speaks of."""

    name: str
    before: float
    """At a step before the first error: its false alarms."""
    at: float
    """At the first error."""
    after: float
    final_right: float
    """Calls the answer wrong although no step is."""
    final_wrong: float
    """Calls the answer wrong where a step is."""
    coverage: float
    """The share of steps that it speaks of."""
    agreement: float
    """How often, as expected, it names the step that the panel believes in."""
    weight: float = 0.0
    """Its share in the panel's plain vote."""
    cut: float | None = None
    """For a judge with values: up to which one a step is wrong."""


@dataclass(frozen=True, slots=True)
class Panel:
    members: tuple[Member, ...]
    dropped: dict[str, str]
    """Judges that have no vote, and why."""
    no_error: tuple[float, float, float]
    """Share of traces without a wrong step: where the ending is unknown, right, wrong."""
    worth: float
    """How many independent judges the panel is worth."""
    unseen: float
    """The chance that a step holds an error that the panel does not see."""
    correction: tuple[float, ...] = ()
    """What audited traces teach: weights of the features of `correcting.py`; empty without them."""
    traces: int = 0
    audited: int = 0

    @property
    def names(self) -> list[str]:
        return [member.name for member in self.members]

    @property
    def scale(self) -> float:
        return self.worth / len(self.members)

    @property
    def weights(self) -> Array:
        return np.array([member.weight for member in self.members])

    def rates(self) -> Array:
        """Judges x (before, at, after)."""
        return np.array([(m.before, m.at, m.after) for m in self.members])

    def final_rates(self) -> Array:
        """Judges x (no step is wrong, some step is)."""
        return np.array([(m.final_right, m.final_wrong) for m in self.members])


Belief = tuple[Array, Array]
"""For each step the belief that it is the first wrong one; for each trace, that none is."""


def steps_evidence(votes: Votes, rates: Array, trust: Array | None = None) -> Array:
    """For each step, the log-odds of being the first wrong one against there being none."""
    trusted = np.ones(rates.shape[0]) if trust is None else trust
    wrong, right = votes.wrong * trusted, votes.right * trusted
    seen = wrong @ np.log(rates) + right @ np.log1p(-rates)
    at, after = seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0]
    later = votes.summed(after)[votes.owners] - votes.before(after) - after
    return at + later


def finals_evidence(votes: Votes, rates: Array) -> Array:
    """For each trace, the log-odds that some step is wrong, from what is said of its answer."""
    seen = votes.final_wrong @ np.log(rates) + votes.final_right @ np.log1p(-rates)
    return seen[:, 1] - seen[:, 0]


def prior(votes: Votes, no_error: Array) -> Array:
    """For each trace, the log-odds of one of its steps being the first wrong one, against none."""
    share = np.asarray(no_error)[votes.endings]
    return np.log1p(-share) - np.log(share) - np.log(votes.lengths)


def normalised(votes: Votes, scores: Array) -> Belief:
    """From log-odds against "no step is wrong"."""
    top = np.maximum(np.maximum.reduceat(scores, votes.starts), 0)
    steps, none = np.exp(scores - top[votes.owners]), np.exp(-top)
    total = none + votes.summed(steps)
    return steps / total[votes.owners], none / total


def seen_by(panel: Panel, votes: Votes, scale: float, trust: Array | None = None) -> Belief:
    """What the votes say, before errors that nobody sees are thought of."""
    scores = scale * steps_evidence(votes, panel.rates(), trust)
    per_trace = FINAL_WEIGHT * scale * finals_evidence(votes, panel.final_rates())
    per_trace = per_trace + prior(votes, panel.no_error)
    return normalised(votes, scores + per_trace[votes.owners])


def believed(panel: Panel, votes: Votes, trust: Array | None = None) -> Belief:
    """The panel's belief, as far as it can be known without an audit."""
    steps, none = seen_by(panel, votes, panel.scale, trust)
    hidden = none * unseen_in(panel.unseen, votes.lengths)
    return steps + (hidden / votes.lengths)[votes.owners], none - hidden


def unseen_in(chance: float, lengths: Array) -> Array:
    """The chance that a trace of so many steps holds an error that the panel does not see."""
    return -np.expm1(lengths * np.log1p(-chance))

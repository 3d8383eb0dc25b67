"""What a pilot says of a policy, on pilots that were drawn from a known one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from prmdata.labellers.belief.fitting import Pool, fit, learn
from prmdata.labellers.belief.model import Belief
from prmdata.labellers.belief.observations import Observations, Rollout, Source
from prmdata.labellers.belief.policy import Policy, PolicyPrior


def pilot(count: int, seed: int, *, luck: float, before: float = 0.6) -> list[list[Observations]]:
    """Traces of five to eight steps: rollouts hit at `before`, after the error at `luck`."""
    chance = random.Random(seed)
    problems = []
    for _ in range(count):
        steps = chance.randrange(5, 9)
        error = chance.randrange(1, steps)
        seen = Observations(steps)
        seen.add_tally(4, 1, 2)
        for start in range(1, steps):
            for _ in range(4):
                hit = chance.random() < (before if start < error else luck)
                same = not hit and chance.random() < (0.2 if start < error else 0.7)
                seen.add(Rollout(start, 0, hit, same))
        problems.append([seen])
    return problems


@pytest.mark.slow
def test_rates_after_the_error_are_learned_without_the_place_of_any() -> None:
    for luck in (0.01, 0.3):
        prior = fit(Pool(seen for problem in pilot(40, 1, luck=luck) for seen in problem))
        assert (prior.entry < -4) if luck < 0.1 else (-1.8 < prior.entry < 0)


@pytest.mark.slow
def test_a_fit_makes_fresh_traces_likelier_than_the_default_does() -> None:
    policy = learn(pilot(40, 2, luck=0.3))
    fresh = Pool(seen for problem in pilot(40, 3, luck=0.3) for seen in problem)
    assert policy != Policy()
    assert fresh.log_evidence(policy.priors[0]) > fresh.log_evidence(PolicyPrior()) + 20


def test_the_pool_weighs_like_the_single_beliefs() -> None:
    prior = replace(PolicyPrior(), repeat_wrong=0.3)
    first, second = (seen for problem in pilot(2, 4, luck=0.1) for seen in problem)
    pool = Pool([first, second])
    moved = replace(prior, entry=-1.0, second=0.2)
    for seen in (first, second):
        alone = Pool([seen])
        assert alone.traces == 1
    difference = pool.log_evidence(moved) - pool.log_evidence(prior)
    singly = sum(
        Pool([s]).log_evidence(moved) - Pool([s]).log_evidence(prior) for s in (first, second)
    )
    assert difference == pytest.approx(singly)
    both = Belief([prior, moved], first, (0.5, 0.5))
    passes, _ = both._run(both._nodes())
    weights, _ = both._weights(passes)
    gap = Pool([first]).log_evidence(moved) - Pool([first]).log_evidence(prior)
    repeats = 0.0  # `again` differs only where repetition does: it does not here
    assert weights[1] / weights[0] == pytest.approx(2.718281828 ** (gap - repeats), rel=1e-6)


def test_nothing_is_learned_from_too_little_or_from_noise() -> None:
    assert learn([]) == Policy()
    assert learn(pilot(1, 5, luck=0.1)) == Policy()


@pytest.mark.slow
def test_a_source_s_reliability_is_learned_with_the_rates() -> None:
    chance = random.Random(6)
    seen = []
    for problem in pilot(60, 6, luck=0.01, before=0.9):
        one = problem[0]
        hits = [int(one.hits[t]) for t in range(1, one.steps)]
        error = next((t for t, h in enumerate(hits, 1) if h == 0), one.steps - 1)
        verdicts = ["unknown" if chance.random() < 0.5 else "right"] * one.steps
        verdicts[error - 1] = "wrong" if chance.random() < 0.9 else "right"
        one.sources = (Source("sharp", tuple(verdicts)),)
        seen.append(one)
    table = fit(Pool(seen)).reliability_of("sharp", tool=True)
    called_wrong = [wrong / (right + wrong) for right, wrong, _ in table]
    assert called_wrong[1] > 0.6 > 0.1 > called_wrong[0]

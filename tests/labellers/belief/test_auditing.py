"""What judged traces say of the step that reads wrong beside the one where the policy is lost."""

from __future__ import annotations

import random

import numpy as np

from prmdata.labellers.belief.auditing import Judged, heeding
from prmdata.labellers.belief.model import Belief
from prmdata.labellers.belief.observations import Observations, Rollout
from prmdata.labellers.belief.policy import Policy


def judged(count: int, seed: int, *, behind: float) -> list[Judged]:
    """Traces of eight steps whose chance is lost at one step; people name the next one with the
    share `behind`, else that one."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        lost = chance.randrange(1, 7)
        seen = Observations(8)
        seen.add_tally(4, 1, 3)
        for start in range(1, 8):
            for _ in range(8):
                hit = chance.random() < (0.4 if start <= lost else 0.0)
                seen.add(Rollout(start, 0, hit, not hit and chance.random() < 0.4))
        found.append(Judged(seen, lost + (chance.random() < behind)))
    return found


def test_turns_are_learned_from_what_people_say() -> None:
    often = heeding(Policy(), judged(40, 1, behind=0.5)).priors[0]
    never = heeding(Policy(), judged(40, 1, behind=0.0)).priors[0]
    assert never.turn <= 0.1
    assert often.turn >= 0.5


def test_confidence_follows_what_people_say() -> None:
    policies = {behind: heeding(Policy(), judged(30, 2, behind=behind)) for behind in (0.0, 0.4)}
    sure = {}
    for behind, policy in policies.items():
        fresh = judged(60, 3, behind=behind)
        log_told = {}
        for other, believed in policies.items():
            firsts = [Belief(believed.priors, t.seen, believed.weights).first() for t in fresh]
            pairs = list(zip(firsts, fresh, strict=True))
            log_told[other] = sum(np.log(first[t.first_error]) for first, t in pairs)
            if believed is policy:
                sure[behind] = np.mean([first.max() for first in firsts])
                exact = np.mean([first.argmax() == t.first_error for first, t in pairs])
                assert sure[behind] < exact + 0.1  # 60 traces: some two standard errors
        assert max(log_told, key=log_told.__getitem__) == behind
    assert sure[0.0] > sure[0.4] + 0.1


def test_traces_without_a_wrong_step_make_doubts_of_the_reference_likelier() -> None:
    traces = judged(10, 4, behind=0.2)
    none = [Judged(trace.seen, None) for trace in traces]
    assert heeding(Policy(), traces + none).priors[0].gold_wrong > 0.1
    assert heeding(Policy(), []) == Policy()

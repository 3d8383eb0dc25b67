"""The step that reads wrong, from the step where the policy is lost."""

from __future__ import annotations

import numpy as np
import pytest

from prmdata.labellers.belief.observations import Observations, Source
from prmdata.labellers.belief.policy import RATES, PolicyPrior
from prmdata.labellers.belief.reading import Reading, moves

T = 9


def lost_at(step: int, level: int) -> np.ndarray:
    lost = np.zeros((1, T, len(RATES)))
    lost[0, step, level] = 1.0
    return lost


def test_where_the_policy_was_strong_it_is_lost_where_it_reads_wrong() -> None:
    reading = Reading([PolicyPrior(turn=0.4, slow=0.02)], Observations(T))
    strong = reading.read(lost_at(3, 8)).first_f
    weak = reading.read(lost_at(3, 0)).first_f
    assert strong[3] == pytest.approx(1 - 0.4 * 0.05 - 0.02)
    assert weak[3] == pytest.approx(1 - 0.4 * 0.996 - 0.02)
    assert weak[4:].sum() == pytest.approx(0.4 * 0.996)
    assert weak[4] > 1.9 * weak[5] > 0


@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_no_step_outside_the_trace_and_no_weight_lost(steps: int) -> None:
    assert moves(steps).sum(2) == pytest.approx(np.ones((steps, 3)))
    reading = Reading([PolicyPrior()], Observations(steps))
    lost = np.random.default_rng(steps).random((1, steps, len(RATES)))
    read = reading.read(lost / lost.sum())
    assert read.first_f.sum() == pytest.approx(1.0)


def test_verdicts_say_which_of_the_two_is_meant() -> None:
    verdicts = ("right",) * 4 + ("wrong",) + (None,) * 4
    reading = Reading([PolicyPrior(turn=0.4)], Observations(T, sources=(Source("sums", verdicts),)))
    first_f = reading.read(lost_at(3, 3)).first_f
    assert first_f[4] > 4 * first_f[3]
    assert not reading.error_bfl.any()
    assert not reading.after_bf.any()


def test_a_reader_s_verdict_far_away_says_little_against_the_rollouts() -> None:
    verdicts = (None,) * 7 + ("wrong", None)
    source = Source("judge", verdicts, tool=False)
    reading = Reading([PolicyPrior(turn=0.1)], Observations(T, sources=(source,)))
    assert reading.read(lost_at(1, 8)).first_f.argmax() == 1


def test_of_a_trace_that_ends_right_verdicts_are_heard_step_by_step() -> None:
    verdicts = ("right",) * 4 + ("wrong",) + (None,) * 4
    seen = Observations(T, ends_right=True, sources=(Source("sums", verdicts),))
    reading = Reading([PolicyPrior(turn=0.4)], seen)
    assert reading.error_bfl[0, :, 0].argmax() == 4
    assert reading.read(lost_at(3, 3)).first_f[3] == 1.0


def test_verdicts_on_f_weigh_where_the_policy_is_lost() -> None:
    lost = np.zeros((1, T, len(RATES)))
    lost[0, [2, 6], 3] = 0.5
    prior = PolicyPrior(turn=0.1, slow=0.01)
    silent = Reading([prior], Observations(T)).read(lost)
    assert silent.past_t()[1:] == pytest.approx(np.where(np.arange(1, T + 1) > 2, 1.0, 0.0))
    assert silent.ahead_t()[:7] == pytest.approx(1.0)
    told = (None,) * 6 + ("wrong", None, None)
    read = Reading([prior], Observations(T, sources=(Source("sums", told),))).read(lost)
    assert read.lost_g[6] > 5 * read.lost_g[2]
    assert read.past_t()[4] < read.ahead_t()[4]
    assert 0.5 * read.past_t()[4] + 0.5 * read.ahead_t()[4] == pytest.approx(read.lost_g.sum())

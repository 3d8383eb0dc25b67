from __future__ import annotations

import pytest

from tests.credit.cases import credit, form, paid


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_it_is_the_discounted_sum_of_what_follows(gamma: float) -> None:
    rewards = [1.0, -2.5, 0.25, 4.0]
    (made,) = credit(form("sum", gamma=gamma), paid(*rewards))
    expected = [
        sum(gamma ** (k - t) * rewards[k] for k in range(t, len(rewards)))
        for t in range(len(rewards))
    ]
    assert list(made) == pytest.approx(expected)

"""`kill -9` in the middle of generating and labelling: nothing is lost, nothing paid for twice."""

from __future__ import annotations

import pytest

from tests.bench.kill import compare


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_one_that_was_not() -> None:
    figures = compare(kills=6)
    assert figures["outputs that are the same"] == figures["outputs"] == 6
    assert figures["kills"] >= 3
    assert figures["acknowledged calls paid again"] == 0
    assert figures["rows stored twice"] == 0

"""The reward functions as TRL, verl and verifiers call them, with a hostile answer in the batch."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator

import pytest

import prmdata
from prmdata import reward
from prmdata.reward import Reward

HANGS = r"so \boxed{\binom{10^9}{5\cdot 10^8}}"
TEXTS = ["The answer is 4.", r"\boxed{2x}", HANGS, "So she has **5** eggs.", "no idea"]
GOLDS = ["4", "x*2", "3", "6", "7"]
REWARDS = [1.0, 1.0, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module", autouse=True)
def ended() -> Iterator[None]:
    yield
    reward.shared().close()
    reward._of_process.cache_clear()


@pytest.mark.slow
def test_trl_gets_a_reward_for_each_completion() -> None:
    started = time.monotonic()
    assert reward.accuracy(TEXTS, answer=GOLDS, prompts=["?"] * 5, completion_ids=[]) == REWARDS
    messages = [[{"role": "assistant", "content": text}] for text in TEXTS]
    solutions = [f"so \\boxed{{{gold}}}" for gold in GOLDS]
    assert reward.accuracy(messages, solution=solutions, trainer_state=None) == REWARDS
    assert time.monotonic() - started < 120
    with pytest.raises(ValueError, match="neither a column 'answer' nor"):
        reward.accuracy(TEXTS, prompts=["?"] * 5)


@pytest.mark.slow
def test_verl_gets_one_score_or_many() -> None:
    assert reward.compute_score("gsm8k", "#### 4", "4", extra_info={"index": 1}) == 1.0
    assert reward.compute_score("gsm8k", HANGS, "4") == 0.0
    assert reward.compute_score("gsm8k", "#### 4", {"target": ["3", "4"]}) == 1.0
    assert reward.compute_score("hotpot", "a tour of Paris", "Paris", {"kind": "qa"}) == 0.5
    assert reward.compute_scores(["x"] * 5, TEXTS, GOLDS, [None] * 5) == REWARDS


@pytest.mark.slow
def test_verifiers_awaits_a_score_while_its_loop_goes_on() -> None:
    async def scored() -> tuple[list[float], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        pairs = zip(TEXTS, GOLDS, strict=True)
        found = await asyncio.gather(
            *(reward.correct_answer(completion=t, answer=g, prompt="?", state={}) for t, g in pairs)
        )
        ticking.cancel()
        return list(found), ticks

    found, ticks = asyncio.run(scored())
    assert found == REWARDS
    assert ticks > 5


def test_a_rewards_rule_and_grader_can_be_chosen() -> None:
    strict = Reward(answers="boxed")
    assert strict.scores(["The answer is 4.", r"\boxed{4}"], ["4", "4"]) == [0.0, 1.0]
    assert [verdict.grade for verdict in strict.verdicts(["4"], ["4"])] == ["unparsed"]
    strict.close()
    strict.close()


def test_it_works_in_a_fork_of_a_process_that_used_it() -> None:
    assert reward.accuracy(["4"], answer=["4"]) == [1.0]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(reward.compute_score, ("gsm8k", r"\boxed{2x}", "x*2")) == 1.0


def test_the_package_names_it() -> None:
    assert prmdata.reward is reward

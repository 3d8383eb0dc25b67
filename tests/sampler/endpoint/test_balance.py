"""How many requests a server is given, and which server the next one: by its answers alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from prmdata.abacus import story
from prmdata.sampler import Sampling, open_sampler
from prmdata.sampler.endpoint.balance import Balance, Windowed
from prmdata.sampler.endpoint.patience import Busy, Patient, Waits
from prmdata.sampler.endpoint.window import Window
from tests.policy import TEMPLATE
from tests.sampler.endpoint.test_sampler import tell
from tests.sampler.test_contract import served

FULL, LOST = Busy("full", full=True), Busy("lost", lost=True)
WAITS = Waits(pause_s=1.0, longest_pause_s=5.0)


@dataclass(eq=False)
class Place(Windowed):
    window: Window = field(default_factory=lambda: Window(most=4))


def test_a_limit_grows_by_one_a_round_and_halves_once_for_all_that_was_under_way() -> None:
    window = Window(most=1000, limit=64.0, outstanding=64)
    for _ in range(30):
        window.failed(FULL, 0, WAITS, 0.0)
    assert window.limit == 32
    window.outstanding = 32
    for _ in range(33):
        window.answered(1)
    assert 32.9 < window.limit < 33.1
    window.outstanding = 5
    window.answered(1)  # an unused limit proves nothing
    assert window.limit < 33.1


def test_until_the_first_refusal_it_doubles_up_to_the_most() -> None:
    window = Window(most=100, limit=8.0)
    for expected in (16, 32, 64, 100, 100):
        for _ in range(int(window.limit)):
            window.outstanding = int(window.limit)
            window.answered(0)
        assert window.limit == expected


def test_a_lost_server_is_tried_by_one_at_a_time_after_longer_and_longer_rests() -> None:
    window = Window(most=8, outstanding=8)
    rests = [window.failed(LOST, 0, WAITS, 0.0) for _ in range(8)]
    assert rests == [1.0] + [0.0] * 7  # one death, however many it takes with it
    window.outstanding = 0
    assert not window.room(0.9)
    assert window.room(1.0)
    window.outstanding = 1
    assert not window.room(1.0)
    assert [window.failed(LOST, n, WAITS, 1.0) for n in (1, 2, 3, 4)] == [2.0, 4.0, 5.0, 5.0]
    window.answered(0)  # it was on its way when the server went
    assert window.losses
    window.answered(window.faults)
    assert window.room(6.0)
    assert window.limit == 8


def test_a_server_is_left_in_peace_for_as_long_as_it_says() -> None:
    window = Window(most=8, outstanding=2)
    assert window.failed(Busy("full", 7.0, full=True), 0, WAITS, 0.0) == 7.0
    window.outstanding = 0
    assert (window.room(6.9), window.room(7.0)) == (False, True)


def test_the_least_busy_one_is_taken_and_who_waits_is_served_in_turn() -> None:
    async def play() -> None:
        one, two = Place(), Place()
        balance = Balance([one, two])
        taken = [await balance.take() for _ in range(8)]
        assert taken.count(one) == taken.count(two) == 4
        waiting = [asyncio.create_task(balance.take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        balance.give(two)
        assert await waiting[1] is two
        assert not waiting[2].done()
        waiting[2].cancel()
        balance.give(one)  # handed to nobody, or given back by the one that is cancelled
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (one.window.outstanding, two.window.outstanding) == (3, 4)
        assert await balance.take() is one

    asyncio.run(play())


def test_a_server_that_refuses_above_so_many_is_kept_just_busy() -> None:
    room, rounds = 10, 400

    async def ask(url: str) -> None:
        sampler = await open_sampler(url)
        assert isinstance(sampler, Patient)
        sampler.wait_as(Waits(pause_s=0.001, longest_pause_s=0.01), print)
        prompts = [TEMPLATE.open_turn([{"content": story(0, i, 1).question}]) for i in range(20)]

        async def many(first: int) -> None:
            calls = (sampler.complete(prompts[i % 20], 1, Sampling(), i) for i in range(rounds))
            done = await asyncio.gather(*calls)
            assert all(one.text for (one,) in done)

        tell(url, "/room", {"room": room})
        await many(0)  # it finds out
        tell(url, "/room", {"room": room})
        await many(1)
        await sampler.close()

    with served("policy-slow") as url:
        asyncio.run(ask(url))
        counts = tell(url, "/calls")
    assert counts["most_under_way"] == room
    assert 0 < counts["refused"] < 0.2 * rounds

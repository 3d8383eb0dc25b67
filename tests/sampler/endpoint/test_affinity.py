"""Requests of one trace stay with one server; windows follow what servers say of themselves."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from prmdata.abacus import story
from prmdata.sampler import Sampling, open_sampler
from prmdata.sampler.endpoint import balance as balancing
from prmdata.sampler.endpoint import pool
from prmdata.sampler.endpoint.balance import Balance, Windowed
from prmdata.sampler.endpoint.gauges import Gauges, read_gauges
from prmdata.sampler.endpoint.patience import Busy, Waits
from prmdata.sampler.endpoint.window import Window
from prmdata.sampler.sessions import Session, current, session
from tests.policy import TEMPLATE
from tests.sampler.endpoint.test_sampler import tell
from tests.sampler.test_contract import served


@dataclass(eq=False)
class Place(Windowed):
    window: Window = field(default_factory=lambda: Window(most=8))


def places(count: int, most: int = 8) -> list[Place]:
    return [Place(Window(most=most)) for _ in range(count)]


async def play(servers: list[Place], sessions: list[Session], seed: int = 0) -> list[list[Place]]:
    """Many traces at once, each with ten calls of random length one after another."""
    balance, draw = Balance(servers), random.Random(seed)

    async def one(asked: Session) -> list[Place]:
        went = []
        for _ in range(10):
            server = await balance.take(session=asked)
            went.append(server)
            for _ in range(draw.randint(1, 4)):
                await asyncio.sleep(0)
            balance.give(server)
        return went

    return await asyncio.gather(*map(one, sessions))


def test_calls_of_a_trace_go_to_one_server_also_where_all_are_full() -> None:
    traces = [Session(f"p{i // 4}", f"t{i}") for i in range(240)]
    went = asyncio.run(play(places(3), traces))
    repeated = sum(len(calls) - len(set(calls)) for calls in went)
    assert repeated > 0.95 * 9 * len(traces)  # of nine calls that follow a first one
    homes = [Counter(calls).most_common(1)[0][0] for calls in went]
    assert all(50 < count < 110 for count in Counter(map(id, homes)).values())
    together = sum(len({id(home) for home in homes[i : i + 4]}) == 1 for i in range(0, 240, 4))
    assert together > 40  # of sixty problems


def test_a_server_with_little_to_do_takes_over_the_problem_that_waits_last() -> None:
    async def spill() -> None:
        one, two = servers = places(2)
        balance = Balance(servers)
        first, last = Session("p", "t"), Session("q", "u")
        assert balance.homes is not None
        balance.homes.move([first, last], one)
        taken = [await balance.take(session=first) for _ in range(8)]
        assert taken == [one] * 8
        two.window.outstanding = 4
        waiting = [asyncio.create_task(balance.take(session=s)) for s in (first, last, first, last)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)  # half full: rather wait
        balance.give(two)
        assert [await waiting[1], await waiting[3]] == [two, two]
        assert not waiting[0].done()
        assert await balance.take(session=Session("q", "v")) is two
        balance.give(one)
        assert await waiting[0] is one
        waiting[2].cancel()

    asyncio.run(spill())


def test_a_call_does_not_wait_for_a_server_that_rests() -> None:
    async def rest() -> None:
        servers = places(2, most=2)
        balance = Balance(servers)
        asked = Session("p", "t")
        home = await balance.take(session=asked)
        balance.give(home)
        home.window.failed(Busy("lost", lost=True), 0, Waits(pause_s=60.0), time.monotonic())
        others = [await balance.take(session=asked) for _ in range(2)]
        assert home not in others

    asyncio.run(rest())


def test_a_server_that_refused_is_passed_over_although_the_session_is_its() -> None:
    async def refused() -> None:
        one, two = servers = places(2)
        balance = Balance(servers)
        home = await balance.take(session=Session("p", "t"))
        other = await balance.take([home], Session("p", "t"))
        assert {home, other} == {one, two}

    asyncio.run(refused())


def test_old_sessions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancing, "MOST_SESSIONS", 20)
    homes = balancing.Homes(places(2))
    for i in range(500):
        homes.of(Session(f"p{i}", "t"), 0.0)
    assert len(homes._homes) <= 21
    assert sum(homes._counts.values()) == len(homes._homes)


def test_a_session_is_what_the_calls_inside_see_and_says_nothing_of_the_trace() -> None:
    async def look() -> Session | None:
        return current()

    async def both() -> list[Session | None]:
        with session("p", "t"):
            task = asyncio.create_task(look())
        return [await task, current()]

    assert asyncio.run(both()) == [Session("p", "t"), None]
    assert Session("p", "t").name == Session("p", "t").name != Session("p", "u").name
    assert "person@place" not in Session("person@place", "\udc80").name


VLLM = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a{b} 7"} 12.0
vllm:num_requests_running{engine="1",model_name="a"} 4.0
vllm:num_requests_waiting{engine="0",model_name="a"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="a"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="a"} 0.5
vllm:num_preemptions_total{engine="0",model_name="a"} 2e1
vllm:num_preemptions_created{engine="0",model_name="a"} 1.7e+09
"""


def test_gauges_are_read_over_all_engines() -> None:
    assert read_gauges(VLLM) == Gauges(16.0, 3.0, 0.5, 20.0)
    sglang = "sglang:num_running_reqs 5\nsglang:num_queue_reqs 0\nsglang:token_usage 0.1\n"
    assert read_gauges(sglang) == Gauges(5.0, 0.0, 0.1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "vllm:num_requests_running 1..e",
        VLLM.replace("waiting", "x"),
        "a" * 1_000_000,
        "vllm:num_requests_running{" * 40_000,
    ],
    ids=["nothing", "html", "no number", "one is missing", "long name", "long labels"],
)
def test_other_texts_are_no_gauges(text: str) -> None:
    """However long: a server may answer with anything."""
    started = time.process_time()
    assert read_gauges(text) is None
    assert time.process_time() - started < 0.5


def test_a_window_follows_the_gauges() -> None:
    window = Window(most=1000, limit=100.0, outstanding=100)
    window.told(Gauges(running=100, cache=0.5), 0)
    assert window.limit == 150
    window.answered(0)
    assert window.limit == 150  # its gauges tell, and its answers need not
    window.told(Gauges(running=90, waiting=10, cache=0.5), 0)
    assert window.limit == 150  # a short queue is what is wanted; not all of it is used
    window.outstanding = 150
    window.told(Gauges(running=50, waiting=100, cache=0.9), 0)
    assert 55 < window.limit < 60
    window.outstanding, window.limit = 57, 57.0
    window.told(Gauges(running=57, cache=0.97), 0)
    assert window.limit == 57  # no room in its cache
    window.told(Gauges(running=57, cache=0.97), 3)
    assert 51 < window.limit < 52
    window.told(None, 0)
    window.outstanding = 51
    window.answered(0)
    assert window.limit > 52


def test_a_window_counts_the_sequences_of_a_request_together() -> None:
    window = Window(most=1000, limit=100.0, outstanding=100)  # of eight samples each
    window.told(Gauges(running=400, waiting=400, cache=0.5), 0)
    assert 50 < window.limit < 60


def test_a_server_is_told_the_session_and_asked_how_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "EVERY_S", 0.02)
    prompt = TEMPLATE.open_turn([{"content": story(0, 1, 1).question}])

    async def ask(url: str) -> float:
        sampler = await open_sampler(url)

        async def one(number: int) -> None:
            with session("p", f"t{number % 2}"):
                await sampler.complete(prompt, 1, Sampling(), number)

        for _ in range(4):
            await asyncio.gather(*(one(i) for i in range(20)))
        limit = sampler.pool.servers[0].window.limit  # type: ignore[attr-defined]
        await sampler.close()
        return float(limit)

    with served("policy-slow") as url:
        tell(
            url,
            "/metrics/are",
            {"text": "vllm:num_requests_running 2\nvllm:num_requests_waiting 100\n"},
        )
        assert asyncio.run(ask(url)) < 20
        counts = tell(url, "/calls")
    assert counts["metrics_read"] > 1
    asked = [name for name in counts["sessions"] if name is not None]
    assert Counter(asked) == {Session("p", "t0").name: 40, Session("p", "t1").name: 40}

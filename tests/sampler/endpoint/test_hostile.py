"""Servers that mean harm, one of two or alone: the healthy one does the work, and all ends in time."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator

import pytest

from prmdata.errors import PrmdataError, SamplerError
from prmdata.sampler import Sampling, open_sampler
from prmdata.sampler.endpoint.patience import Patient, Waits
from tests.sampler.endpoint.test_sampler import PROMPT, tell
from tests.sampler.test_contract import served

REQUESTS = 24
EXPIRED = "Retry-After: 1000000000"
ANSWERED = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 429, "header": EXPIRED},
    {"kind": "status", "status": 503, "header": "Retry-After: " + "9" * 400},
    {"kind": "status", "status": 400},
    {"kind": "status", "status": 422},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 402},
    {"kind": "status", "status": 404},
    {"kind": "status", "status": 302, "header": "Location: http://127.0.0.1:1/"},
    {"kind": "html"},
    {"kind": "truncated"},
    {"kind": "torn"},
    {"kind": "empty"},
    {"kind": "long", "size": 1 << 14},
    {"kind": "long", "size": 1 << 24},
    {"kind": "rubbish", "answer": {"choices": [{"text": "x", "finish_reason": "content_filter"}]}},
    {"kind": "rubbish", "answer": {"choices": [{"text": "x", "finish_reason": "stop"}], "usage": {"completion_tokens": 1 << 62}}},
    {"kind": "noise"},
    {"kind": "bomb"},
    {"kind": "endless"},
    {"kind": "headers"},
]  # fmt: skip
SLOW = [{"kind": "dripping"}, {"kind": "early"}, {"kind": "silent"}]


def name(fault: dict) -> str:
    return "-".join(str(value)[:24] for value in fault.values())


async def under_attack(urls: str, hostile: str, fault: dict, waits: Waits, **options: str) -> float:
    """Many requests, a few at a time, as a run makes them; how long they took."""
    sampler = await open_sampler(urls, options)
    assert isinstance(sampler, Patient)
    sampler.wait_as(waits, lambda line: None)
    tell(hostile, "/faults", {"faults": [{**fault, "always": True}]})
    few = asyncio.Semaphore(4)

    async def one(seed: int) -> None:
        async with few:
            (done,) = await sampler.complete(PROMPT, 1, Sampling(max_tokens=50), seed << 16)
            assert done.tokens <= 50

    started = time.monotonic()
    try:
        async with asyncio.TaskGroup() as tasks:
            for seed in range(REQUESTS):
                tasks.create_task(one(seed))
    except* PrmdataError as group:
        raise group.exceptions[0] from None
    finally:
        await sampler.close()
    return time.monotonic() - started


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    with served("policy") as one, served("policy") as other:
        yield one, other


@pytest.fixture
def pair(servers: tuple[str, str]) -> tuple[str, str]:
    """Two servers that have forgotten the test before."""
    for url in servers:
        tell(url, "/reset")
    return servers


@pytest.mark.parametrize("fault", [*ANSWERED, *SLOW], ids=name)
def test_a_healthy_server_does_the_work_of_a_hostile_one(
    fault: dict, pair: tuple[str, str]
) -> None:
    """Within the patience of two seconds, which ends only where no server is left."""
    hostile, healthy = pair
    for urls in (f"{hostile},{healthy}", f"{healthy},{hostile}"):
        for url in pair:
            tell(url, "/reset")
        slow = {"timeout_s": "1"} if fault in SLOW else {}
        took = asyncio.run(under_attack(urls, hostile, fault, Waits(give_up_s=2.0), **slow))
        calls = [call for call in tell(healthy, "/calls")["calls"] if call[0] == PROMPT]
        assert len(calls) == REQUESTS
        assert took < 5


@pytest.mark.parametrize("fault", [*ANSWERED, *SLOW], ids=name)
def test_a_run_with_hostile_servers_only_ends_in_time(fault: dict, pair: tuple[str, str]) -> None:
    hostile, _ = pair
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = under_attack(hostile, hostile, fault, Waits(give_up_s=0.5), timeout_s="1")
    started = time.monotonic()
    with pytest.raises(SamplerError):
        asyncio.run(run)
    assert time.monotonic() - started < 6
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 << 10  # kilobytes


@pytest.mark.slow
@pytest.mark.parametrize("fault", [ANSWERED[0], {"kind": "html"}, {"kind": "bomb"}], ids=name)
def test_a_server_that_is_hostile_from_the_start_is_left_out(
    fault: dict, pair: tuple[str, str]
) -> None:
    async def ask(urls: str) -> list[str]:
        sampler = await open_sampler(urls)
        lines: list[str] = []
        assert isinstance(sampler, Patient)
        sampler.wait_as(Waits(give_up_s=2.0), lines.append)
        await sampler.complete(PROMPT, 4, Sampling(max_tokens=50), 0)
        await sampler.close()
        return lines

    hostile, healthy = pair
    tell(hostile, "/faults", {"faults": [{**fault, "always": True}]})
    lines = asyncio.run(ask(f"{hostile},{healthy}"))
    assert "the other servers go on" in lines[0]


@pytest.mark.slow
def test_a_server_that_recovers_is_used_again(pair: tuple[str, str]) -> None:
    async def ask(urls: str, sick: str) -> None:
        sampler = await open_sampler(urls)
        assert isinstance(sampler, Patient)
        sampler.wait_as(Waits(pause_s=0.01, longest_pause_s=0.05), lambda line: None)
        tell(sick, "/faults", {"faults": [{"kind": "status", "status": 500}] * 6})
        for seed in range(60):
            await sampler.complete(PROMPT, 1, Sampling(max_tokens=50), seed << 16)
            await asyncio.sleep(0.005)
        await sampler.close()

    sick, healthy = pair
    asyncio.run(ask(f"{sick},{healthy}", sick))
    made = [tell(url, "/calls")["calls"] for url in pair]
    shares = [sum(call[0] == PROMPT for call in calls) for calls in made]
    assert sum(shares) == 60
    assert min(shares) > 5

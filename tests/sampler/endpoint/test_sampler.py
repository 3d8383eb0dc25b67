"""A real server that misbehaves: nothing is lost, nothing is doubled, no key is told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from prmdata.abacus import story
from prmdata.errors import ItemError, SamplerError
from prmdata.sampler import Sampler, Sampling, open_sampler
from prmdata.sampler.endpoint.patience import Patient, Waits
from prmdata.sampler.protocol import Scored
from tests.policy import TEMPLATE, Policy
from tests.sampler.test_contract import ROOT, served

SAMPLING = Sampling(max_tokens=100)
PROMPT = TEMPLATE.open_turn([{"role": "user", "content": story(0, 0, 1).question}])


@pytest.fixture
def url() -> Iterator[str]:
    with served("policy") as address:
        yield address


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PRMDATA_API_KEY", "sk-very-secret")
    return "sk-very-secret"


def tell(url: str, path: str, body: object | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url.removesuffix("/v1") + path, data=data) as answer:
        return json.load(answer)


def asked(
    url: str, faults: list[dict], n: int = 4, waits: Waits | None = None, **options: str
) -> list:
    async def ask() -> list:
        sampler: Sampler = await open_sampler(url, options)
        assert isinstance(sampler, Patient)
        sampler.wait_as(waits or Waits(), print)
        tell(url, "/faults", {"faults": faults})
        try:
            return await sampler.complete(PROMPT, n, SAMPLING, 0)
        finally:
            await sampler.close()

    return asyncio.run(ask())


RIGHT = asyncio.run(Policy({0: 60}).complete(PROMPT, 4, SAMPLING, 0))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "header": "Retry-After: 0.1"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "truncated"},
        {"kind": "torn"},
        {"kind": "empty"},
        {"kind": "rubbish", "answer": [1]},
        {"kind": "rubbish", "answer": {"choices": [{}]}},
        {"kind": "rubbish", "answer": {"choices": ["x"]}},
        {"kind": "rubbish", "answer": {"choices": [{"text": None}]}},
        {"kind": "rubbish", "answer": {"choices": [{"text": "x", "index": None}]}},
        {"kind": "rubbish", "answer": {"choices": [{"text": "x"}], "usage": "x"}},
        {
            "kind": "rubbish",
            "answer": {"choices": [{"text": "x"}], "usage": {"completion_tokens": -5}},
        },
        {"kind": "rubbish", "answer": {"choices": [{"text": "x", "finish_reason": "abort"}]}},
        {"kind": "rubbish", "answer": {"choices": [{"text": "x", "finish_reason": None}]}},
        {"kind": "rubbish", "answer": {"error": {"message": "later", "code": 429}}},
        {"kind": "status", "status": 520},
        {"kind": "status", "status": 404},
        {"kind": "slow", "seconds": 0.5},
    ],
    ids=lambda fault: "-".join(str(v) for v in fault.values()),
)
def test_a_fault_is_outlived(url: str, fault: dict) -> None:
    done = asked(url, [fault] * 3)
    assert [c.text for c in done] == [c.text for c in RIGHT]
    made = [tuple(call) for call in tell(url, "/calls")["calls"] if call[0] == PROMPT]
    assert sorted(made) == [(PROMPT, seed) for seed in range(4)]  # once each


def test_where_seeds_do_not_count_up_samples_are_asked_for_one_by_one(url: str) -> None:
    assert [c.text for c in asked(url, [])] == [c.text for c in RIGHT]


def test_a_sample_that_fails_ends_the_others(url: str) -> None:
    async def ask() -> set:
        sampler = await open_sampler(url)
        await sampler.complete(PROMPT, 1, SAMPLING, 0)  # from here on it follows the gauges
        faults = [{"kind": "status", "status": 400}, *[{"kind": "slow", "seconds": 0.5}] * 3]
        tell(url, "/faults", {"faults": faults})
        before = asyncio.all_tasks()
        with pytest.raises(ItemError):
            await sampler.complete(PROMPT, 4, SAMPLING, 0)
        left = asyncio.all_tasks() - before
        await sampler.close()
        return left

    assert asyncio.run(ask()) == set()


def test_where_they_do_one_request_brings_them_all() -> None:
    with served("policy-counting") as url:
        assert [c.text for c in asked(url, [])] == [c.text for c in RIGHT]
        made = [seed for prompt, seed in tell(url, "/calls")["calls"] if prompt == PROMPT]
        assert sorted(made) == [0, 1, 2, 3]
        assert len(tell(url, "/calls")["authorized"]) == 5  # four to find out, and one


def test_retry_after_is_kept_to(url: str) -> None:
    started = time.monotonic()
    asked(url, [{"kind": "status", "status": 429, "header": "Retry-After: 1.5"}], n=1)
    assert time.monotonic() - started >= 1.5


def test_a_server_that_stays_away_is_given_up(url: str) -> None:
    faults = [{"kind": "status", "status": 500}] * 1000
    with pytest.raises(SamplerError, match=r"answered 500: busy; gave up after \d+ s"):
        asked(url, faults, n=1, waits=Waits(give_up_s=0.2, pause_s=0.01))


def test_a_server_that_dies_and_comes_back_loses_nothing() -> None:
    words = [sys.executable, "-m", "tests.sampler.server", "policy"]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert first.stdout is not None
    dying = first.stdout.readline().strip()
    with served("policy") as living, first:

        async def ask() -> list:
            sampler = await open_sampler(f"{dying},{living}")
            tell(dying, "/faults", {"faults": [{"kind": "slow", "seconds": 30}] * 50})
            tasks = [
                asyncio.create_task(sampler.complete(PROMPT, 1, SAMPLING, seed))
                for seed in range(4)
            ]
            await asyncio.sleep(0.3)
            first.kill()
            done = await asyncio.gather(*tasks)
            await sampler.close()
            return [one for each in done for one in each]

        assert [c.text for c in asyncio.run(ask())] == [c.text for c in RIGHT]


def test_the_key_is_sent_and_told_to_nobody(url: str, key: str) -> None:
    asked(url, [])
    assert set(tell(url, "/calls")["authorized"]) == {f"bearer {key}"}

    async def look() -> str:
        sampler = await open_sampler(url)
        await sampler.close()
        return f"{sampler.spec} {sampler.fingerprint}"

    assert key not in asyncio.run(look())
    with pytest.raises(SamplerError) as refusal:
        asked(url, [{"kind": "status", "status": 401}], n=1)
    assert key not in str(refusal.value)
    assert "PRMDATA_API_KEY" in str(refusal.value)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 400}, r"refuses the request: busy \(400\)"),
        (
            {"kind": "rubbish", "answer": {"error": {"message": "too long"}}},
            r"refuses the request: too long \(400\)",
        ),
        (
            {
                "kind": "rubbish",
                "answer": {"choices": [{"text": "", "finish_reason": "content_filter"}]},
            },
            "content filter",
        ),
    ],
)
def test_a_refused_request_fails_alone(url: str, fault: dict, reason: str) -> None:
    with pytest.raises(ItemError, match=reason):
        asked(url, [fault], n=1)


def test_no_money_ends_the_run_and_says_so(url: str) -> None:
    fault = {"kind": "rubbish", "answer": {"error": {"message": "no credits", "code": 402}}}
    with pytest.raises(SamplerError, match="answered 402: no credits"):
        asked(url, [fault], n=1)


def test_a_request_that_takes_too_long_twice_fails_alone(url: str) -> None:
    slow = {"kind": "slow", "seconds": 30}
    assert [c.text for c in asked(url, [slow], n=1, timeout_s="1")] == [RIGHT[0].text]
    with pytest.raises(
        ItemError, match=r"longer than the 1 s that --engine-arg timeout_s allows.*, 2 times"
    ):
        asked(url, [slow] * 2, n=1, timeout_s="1")


def test_scores_without_places_are_not_believed(url: str) -> None:
    async def ask(offsets: list[int]) -> Scored:
        sampler = await open_sampler(url)
        sampler.tokenizer = None  # type: ignore[attr-defined]  # the server's word is all there is
        logprobs = {"text_offset": offsets, "token_logprobs": [None, -2.0, -3.0]}
        choice = {"text": "ab", "finish_reason": "length", "logprobs": logprobs}
        tell(url, "/faults", {"faults": [{"kind": "rubbish", "answer": {"choices": [choice]}}]})
        try:
            return await sampler.score("a", "b")
        finally:
            await sampler.close()

    assert asyncio.run(ask([0, 1, 2])) == Scored((-2.0,), (0,), 2)
    for offsets in ([-1, -1, -1], [0, 2, 1], [0, 0, 0], []):
        with pytest.raises(SamplerError, match="does not score given text"):
            asyncio.run(ask(offsets))

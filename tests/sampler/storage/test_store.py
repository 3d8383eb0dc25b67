from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from prmdata.errors import BudgetReached, ItemError, SamplerError, StoreError
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.replay import Replay, open_replay
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import Spending, StoredSampler
from tests.policy import Policy

ASKED = Sampling(max_tokens=50)


def key(number: int) -> str:
    return random.Random(number).randbytes(16).hex()


def question(policy: Policy) -> str:
    return policy.template.open_turn([{"role": "user", "content": next(iter(policy._stories))}])


def test_what_was_put_is_found_again_also_by_another_process(tmp_path: Path) -> None:
    rows = {key(i): Completion(f"text {i} ü\n", i, "stop", (-0.5,)) for i in range(100)}
    store = Store(tmp_path)
    store.put(list(rows.items()))
    other = Store(tmp_path)
    for found in (store, other):
        assert {k: found.get(k) for k in rows} == rows
        assert found.get(key(1000)) is None
    other.put([(key(1000), Completion("x" * 10_000, 1, "length"))])
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    again = Store(tmp_path)
    assert again.get(key(1000)) == Completion("x" * 10_000, 1, "length")
    assert len(again) == 101


def test_the_index_merges_without_losing_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prmdata.sampler.storage.store.MERGE_ROWS", 7)
    store = Store(tmp_path)
    for i in range(100):
        store.put([(key(i), Completion(str(i), 1, "stop"))])
    for found in (store, Store(tmp_path)):
        assert [found.get(key(i)) for i in range(100)] == [
            Completion(str(i), 1, "stop") for i in range(100)
        ]


def test_a_torn_tail_is_passed_over_and_damage_before_it_reported(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put([(key(i), Completion(str(i), 1, "stop")) for i in range(10)])
    store.close()
    (segment,) = tmp_path.glob("*.jsonl")
    whole = segment.read_bytes()
    for cut in range(1, len(whole) // 10):
        segment.write_bytes(whole[:-cut])
        torn = Store(tmp_path)
        assert len(torn) == 9
        torn.close()
    segment.write_bytes(whole[:100] + b"\x00garbage\n" + whole[100:])
    with pytest.raises(StoreError, match=rf"{segment.name}:\d+: the rollout store is damaged"):
        Store(tmp_path)


def test_nothing_is_paid_for_twice(tmp_path: Path, policy: Policy) -> None:
    prefix = question(policy)
    policy.calls.clear()
    first = StoredSampler(policy, Store(tmp_path))
    alone = asyncio.run(first.complete(prefix, 4, ASKED, 0))
    more = asyncio.run(first.complete(prefix, 8, ASKED, 0))
    assert more[:4] == alone
    assert [(n, seed) for _, n, seed in policy.calls] == [(4, 0), (4, 4)]
    later = StoredSampler(policy, Store(tmp_path))
    assert asyncio.run(later.complete(prefix, 8, ASKED, 0)) == more
    assert len(policy.calls) == 2
    assert later.spending == Spending(served=8)
    assert asyncio.run(later.complete(prefix, 1, Sampling(max_tokens=51), 0))
    assert len(policy.calls) == 3  # other sampling is another request


def test_searches_that_ask_the_same_at_once_share_one_call(tmp_path: Path) -> None:
    policy = Policy({0: 1})
    policy.delay_s = 0.02
    prefix = question(policy)
    stored = StoredSampler(policy, Store(tmp_path))

    async def many() -> list[list[Completion]]:
        cancelled = asyncio.create_task(stored.complete(prefix, 3, ASKED, 0))
        await asyncio.sleep(0.005)
        waiting = [asyncio.create_task(stored.complete(prefix, n, ASKED, 0)) for n in (3, 5, 2)]
        await asyncio.sleep(0.005)
        cancelled.cancel()
        return await asyncio.gather(*waiting)

    three, five, two = asyncio.run(many())
    assert five[:3] == three
    assert five[:2] == two
    drawn = [seed + i for _, n, seed in policy.calls[1:] for i in range(n)]
    assert sorted(drawn) == [0, 1, 2, 3, 4]


def test_a_budget_ends_the_run_before_the_next_call(policy: Policy) -> None:
    stored = StoredSampler(policy, None, Spending(limit=1))
    asyncio.run(stored.complete(question(policy), 1, ASKED, 0))
    with pytest.raises(BudgetReached):
        asyncio.run(stored.complete(question(policy), 1, ASKED, 1))


def test_replay_serves_what_was_recorded_and_nothing_else(tmp_path: Path, policy: Policy) -> None:
    prefix = question(policy)
    recorded = StoredSampler(policy, Store(tmp_path))
    made = asyncio.run(recorded.complete(prefix, 3, ASKED, 0))
    replay = asyncio.run(open_replay(str(tmp_path), {}, spec=f"replay:{tmp_path}"))
    assert isinstance(replay, Replay)
    assert replay.fingerprint == policy.fingerprint
    assert replay.template == policy.template
    assert asyncio.run(replay.complete(prefix, 3, ASKED, 0)) == made
    with pytest.raises(ItemError, match="1 of 4 samples"):
        asyncio.run(replay.complete(prefix, 4, ASKED, 0))


def test_rows_reach_the_system_before_they_are_acknowledged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put([(key(1), Completion("kept", 1, "stop"))])
    (segment,) = tmp_path.glob("*.jsonl")
    assert segment.stat().st_size > 0
    assert Store(tmp_path).get(key(1)) == Completion("kept", 1, "stop")


def test_scores_are_recorded_and_replayed_too(tmp_path: Path) -> None:
    policy = Policy({0: 2})
    asked = (question(policy), "Step 1: 1 + 1 = 2.")

    async def twice() -> list[list[float]]:
        first = await StoredSampler(policy, Store(tmp_path)).score(*asked)
        policy.score = None  # type: ignore[assignment,method-assign]  # nobody may ask it again
        return [
            first,
            await StoredSampler(policy, Store(tmp_path)).score(*asked),
            await (await open_replay(str(tmp_path), {}, spec="r")).score(*asked),
        ]

    first, *again = asyncio.run(twice())
    assert len(first) == 7
    assert again == [first, first]
    replay = asyncio.run(open_replay(str(tmp_path), {}, spec="r"))
    with pytest.raises(SamplerError, match="no score of this text"):
        asyncio.run(replay.score(asked[0] + "S", asked[1][1:]))

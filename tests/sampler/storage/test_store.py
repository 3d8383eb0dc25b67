from __future__ import annotations

import asyncio
import fcntl
import os
import random
import re
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from prmdata.errors import BudgetReached, ItemError, SamplerError, StoreError
from prmdata.files import sealed
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.sampler.replay import Replay, open_replay
from prmdata.sampler.storage.store import Entry, Store
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
    monkeypatch.setattr("prmdata.sampler.storage.memory.MERGE_ROWS", 7)
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
    with pytest.raises(
        StoreError, match=rf"{segment.name}: the rollout store is damaged at byte 0"
    ):
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
    policy.delay_s = 0.3  # far more than the pauses below, on a busy machine too
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

    async def twice() -> list[Scored]:
        first = await StoredSampler(policy, Store(tmp_path)).score(*asked)
        policy.score = None  # type: ignore[assignment,method-assign]  # nobody may ask it again
        return [
            first,
            await StoredSampler(policy, Store(tmp_path)).score(*asked),
            await (await open_replay(str(tmp_path), {}, spec="r")).score(*asked),
        ]

    first, *again = asyncio.run(twice())
    assert len(first.logprobs) == 7
    assert again == [first, first]
    replay = asyncio.run(open_replay(str(tmp_path), {}, spec="r"))
    with pytest.raises(SamplerError, match="no score of this text"):
        asyncio.run(replay.score(asked[0] + "S", asked[1][1:]))


def filled(folder: Path, rows: int = 40) -> dict[str, Completion]:
    """A store in a folder, closed, and what it holds."""
    random.seed(0)
    words = ["so", "12 + 3 = 15", "ü", "\\n", '"', "*J", "\n"]
    made = {
        key(i): Completion(" ".join(random.choices(words, k=i)), i, "stop", (-0.25,) * (i % 3))
        for i in range(rows)
    }
    store = Store(folder)
    for item in made.items():
        store.put([item])
    store.close()
    return made


def test_no_flipped_bit_is_served_as_a_completion(tmp_path: Path) -> None:
    """Each of 600 flips is an error or leaves every row that is served as it was."""
    rows = filled(tmp_path)
    (segment,) = tmp_path.glob("*.jsonl")
    whole = segment.read_bytes()
    last_line = whole.rindex(b"\n", 0, -1)
    silent = lost = noticed = 0
    for bit in random.Random(7).sample(range(8 * len(whole)), 600):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        segment.write_bytes(flipped)
        try:
            store = Store(tmp_path)
            found = {k: store.get(k) for k in rows}
            store.close()
        except StoreError:
            noticed += 1
            continue
        silent += any(done is not None and done != rows[k] for k, done in found.items())
        lost += None in found.values() and bit // 8 < last_line
    assert (silent, lost) == (0, 0)
    assert noticed > 590


def test_a_bit_that_flips_while_a_store_is_open_is_noticed_too(tmp_path: Path) -> None:
    rows = filled(tmp_path)
    store = Store(tmp_path)
    (segment,) = tmp_path.glob("*.jsonl")
    whole = bytearray(segment.read_bytes())
    whole[len(whole) // 2] ^= 4
    segment.write_bytes(whole)

    def served() -> int:
        return sum(store.get(k) == done for k, done in rows.items())

    with pytest.raises(StoreError, match="damaged"):
        served()


def test_a_store_from_before_there_were_checksums_is_read(tmp_path: Path) -> None:
    rows = filled(tmp_path)
    (segment,) = tmp_path.glob("*.jsonl")
    old = [re.sub(rb',"crc":\d+}$', b"}", line) for line in segment.read_bytes().splitlines()]
    segment.write_bytes(b"\n".join(old) + b"\n")
    store = Store(tmp_path)
    assert {k: store.get(k) for k in rows} == rows
    store.put([(key(99), Completion("new", 1, "stop"))])
    assert Store(tmp_path).get(key(99)) == Completion("new", 1, "stop")


@pytest.mark.parametrize(
    "row",
    [
        b'{"k":"short","c":{"text":"x","tokens":1,"finish":"stop"}}',
        b'{"k":"' + b"z" * 32 + b'","c":{"text":"x","tokens":1,"finish":"stop"}}',
        b'{"k":"' + b"0" * 32 + b'"}',
        b'{"k":"' + b"0" * 32 + b'","c":{"text":"\xff","tokens":1,"finish":"stop"}}',
        b"[" * 5000,
        b"null",
        b"{}",
        b"",
        b'{"prompt":"of another program"}',
    ],
)
def test_foreign_rows_are_one_message(tmp_path: Path, row: bytes) -> None:
    (tmp_path / "0.jsonl").write_bytes(row + b"\n")
    with pytest.raises(StoreError, match="is damaged at byte 0"):
        Store(tmp_path)


def test_a_card_that_is_damaged_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "f.sampler.json").write_bytes(b'{"spec": "\xff"')
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path).card()


def test_rows_of_running_neighbours_are_seen(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    for i in range(50):
        one, other = (first, second) if i % 2 else (second, first)
        one.put([(key(i), Completion(str(i), 1, "stop"))])
        assert other.get(key(i)) == Completion(str(i), 1, "stop")
    first.close()
    second.put([(key(50), Completion("50", 1, "stop"))])
    late = Store(tmp_path)
    second.put([(key(51), Completion("51", 1, "stop"))])
    assert late.get(key(51)) == Completion("51", 1, "stop")
    second.close()
    third = Store(tmp_path)
    third.put([(key(52), Completion("52", 1, "stop"))])
    assert late.get(key(52)) == Completion("52", 1, "stop")


def test_half_a_row_of_a_neighbour_is_waited_for(tmp_path: Path) -> None:
    rows = filled(tmp_path, 3)
    (segment,) = tmp_path.glob("*.jsonl")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-10])
    with segment.open("ab") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        store = Store(tmp_path)
        assert store.get(key(2)) is None
        writing.write(whole[-10:])
        writing.flush()
        assert store.get(key(2)) == rows[key(2)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_thousands_of_segments_take_few_files(tmp_path: Path) -> None:
    rows = {}
    for i in range(1500):
        rows[key(i)] = Completion(str(i), 1, "stop")
        (tmp_path / f"{i:06d}.jsonl").write_bytes(
            sealed.seal(msgspec.json.encode(Entry(key(i), rows[key(i)])))
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 80, hard))
    try:
        store = Store(tmp_path)
        store.put([(key(9999), Completion("own", 1, "stop"))])
        assert {k: store.get(k) for k in rows} == rows
        assert store.get(key(9999)) == Completion("own", 1, "stop")
        store.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_disk_that_fills_up_tears_nothing(tmp_path: Path) -> None:
    """Each limit ends a write at another byte; what is written afterwards is read again."""
    large = [(key(i), Completion("x" * 300, 1, "stop")) for i in range(3)]
    row = len(sealed.seal(msgspec.json.encode(dict(zip("kc", large[0], strict=True)))))
    for room in range(0, 3 * row, 211):
        folder = tmp_path / str(room)
        words = [sys.executable, "-c", FILLING, str(folder), str(room)]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        done = subprocess.run(words, capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr
        store = Store(folder)
        assert store.get(key(100)) == Completion("before", 1, "stop")
        assert store.get(key(101)) == Completion("after", 1, "stop")
        assert sum(store.get(k) == done for k, done in large) == room // row


FILLING = """
import os, resource, signal, sys
from pathlib import Path
from prmdata.errors import OutputError
from prmdata.sampler.protocol import Completion
from prmdata.sampler.storage.store import Store
from tests.sampler.storage.test_store import key

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1])
store.put([(key(100), Completion("before", 1, "stop"))])
(segment,) = Path(sys.argv[1]).glob("*.jsonl")
resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + int(sys.argv[2]), -1))
try:
    store.put([(key(i), Completion("x" * 300, 1, "stop")) for i in range(3)])
    sys.exit("it was written")
except OutputError:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
store.put([(key(101), Completion("after", 1, "stop"))])
"""

"""A store of many rows: how fast it takes and gives them, how long it opens, what it holds.

python -m tests.bench.bench_store 1000000
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from prmdata.sampler.protocol import Completion
from prmdata.sampler.storage.store import Store

BATCH = 1000
ASKED = 20_000
TEXT = "Step 1: 48 + 24 = 72.\nStep 2: 72 / 2 = 36.\nThe answer is 36."


def key(number: int) -> str:
    return hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).hexdigest()


def resident() -> int:
    """Bytes of this process that are its own (a mapped file is not)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def main(rows: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="bench-store-", dir=os.environ.get("BENCH_FOLDER")))
    try:
        before, start = resident(), time.process_time()
        store = Store(folder)
        for first in range(0, rows, BATCH):
            numbers = range(first, min(first + BATCH, rows))
            store.put([(key(i), Completion(f"{i} {TEXT}", 30, "stop")) for i in numbers], "model")
        seconds = time.process_time() - start
        print(f"{rows:,} rows put: {rows / seconds:,.0f} a second of processor time, made included")
        print(f"memory of the writer: {(resident() - before) / rows:.1f} bytes a row")
        begun = time.perf_counter()
        store.close()
        print(f"close: {time.perf_counter() - begun:.2f} s")
        size = sum(path.stat().st_size for path in folder.iterdir())
        index = sum(path.stat().st_size for path in folder.glob("*.index"))
        segments = len(list(folder.glob("*.jsonl")))
        print(
            f"on disk: {size / rows:.0f} bytes a row, {index / rows:.2f} of them index; {segments=}"
        )
        del store
        before, start = resident(), time.perf_counter()
        store = Store(folder)
        print(
            f"open: {time.perf_counter() - start:.3f} s, {(resident() - before) / rows:.2f} bytes a row"
        )
        drawn = [key(number) for number in random.Random(0).choices(range(rows), k=ASKED)]
        start = time.process_time()
        assert all(store.get(k) is not None for k in drawn)
        print(f"found: {(time.process_time() - start) / ASKED * 1e6:.0f} µs of processor time each")
        drawn = [key(rows + i) for i in range(ASKED)]
        start = time.process_time()
        assert not any(store.get(k) for k in drawn)
        print(
            f"not there: {(time.process_time() - start) / ASKED * 1e6:.0f} µs of processor time each"
        )
        store.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]))

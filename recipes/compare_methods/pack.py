"""Traces and the store that holds their rollouts → one bank file.

python pack.py traces.jsonl store bank.parquet --rollouts 64
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

import prmdata
from prmdata.errors import ItemError
from prmdata.records import Trace
from prmdata.sampler.bank import write_bank
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.sampler.replay import Replay
from prmdata.sampler.seeds import request_seed
from prmdata.sampler.storage.store import SamplerCard, Store


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces")
    options.add_argument("store", type=Path)
    options.add_argument("bank", type=Path)
    options.add_argument("--rollouts", type=int, default=64)
    asked = options.parse_args()
    replay = Replay(f"replay:{asked.store}", Store(asked.store))
    traces = list(prmdata.read(asked.traces))
    card = SamplerCard("abacus", replay.fingerprint, replay.template, replay.context)
    rows = list(found(replay, traces, asked.rollouts))
    held = write_bank(asked.bank, card, sampling(traces[0]), rows)
    size = asked.bank.stat().st_size / 1e6
    print(f"{held:,} prefixes of {len(traces):,} traces, {asked.rollouts} each: {size:.1f} MB")


def found(
    replay: Replay, traces: list[Trace], rollouts: int
) -> Iterator[tuple[str, list[Completion]]]:
    """The recorded rollouts of every prefix that has them all; each prefix once."""
    seen = set()
    for trace in traces:
        lead = replay.template.open_turn(trace.origin.messages, trace.origin.template)
        for kept in range(len(trace.steps)):
            prompt = lead + trace.prefix(kept)
            if prompt in seen:
                continue
            seen.add(prompt)
            how = sampling(trace)
            seed = request_seed(0, replay.fingerprint, prompt, how)
            try:
                yield prompt, asyncio.run(replay.complete(prompt, rollouts, how, seed))
            except ItemError:
                continue


def sampling(trace: Trace) -> Sampling:
    origin = trace.origin
    return Sampling(
        origin.temperature or 0.0,
        origin.top_p or 1.0,
        origin.top_k or 0,
        origin.max_tokens or 1024,
        origin.stop,
    )


if __name__ == "__main__":
    main()

"""A sampler that makes nothing: it serves the rollouts of one frozen file, whatever the seed.

A bank holds, for each prefix, the same number of completions. The seed only says where among
them a request begins, so that methods, and runs of one method, are compared on exactly the same
rollouts in seconds. `recipes/compare_methods` makes banks.
"""

# ruff: noqa: TID253  imported when a bank is opened
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prmdata.errors import ItemError, SamplerError, UsageError
from prmdata.sampler.protocol import SEED_SPACING, Completion, Sampling, Scored
from prmdata.sampler.storage.store import SamplerCard

CARD = b"prmdata.sampler"
SAMPLING = b"prmdata.sampling"

ROWS = pa.schema(
    [
        pa.field("prefix", pa.string(), nullable=False),
        pa.field("texts", pa.list_(pa.string()), nullable=False),
        pa.field("tokens", pa.list_(pa.int32()), nullable=False),
        pa.field("cut", pa.list_(pa.bool_()), nullable=False),
    ]
)


def write_bank(
    path: Path,
    card: SamplerCard,
    sampling: Sampling,
    rollouts: Iterable[tuple[str, list[Completion]]],
) -> int:
    """Freeze completions of prefixes; how many prefixes there were."""
    rows = [
        {
            "prefix": prefix,
            "texts": [c.text for c in found],
            "tokens": [c.tokens for c in found],
            "cut": [c.finish == "length" for c in found],
        }
        for prefix, found in rollouts
    ]
    table = pa.Table.from_pylist(rows, schema=ROWS).replace_schema_metadata(
        {CARD: msgspec.json.encode(card), SAMPLING: msgspec.json.encode(sampling)}
    )
    pq.write_table(table, path, compression="zstd", compression_level=19)
    return len(rows)


class Bank:
    def __init__(self, path: Path, spec: str) -> None:
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise SamplerError(f"{spec}: cannot be read ({error})") from None
        metadata = table.schema.metadata or {}
        if CARD not in metadata or SAMPLING not in metadata:
            raise SamplerError(f"{spec}: is Parquet, but no bank of rollouts")
        card = msgspec.json.decode(metadata[CARD], type=SamplerCard)
        self.spec = spec
        self._no_scores = f"{spec} holds completions only; scoring text needs a model"
        self.fingerprint = card.fingerprint
        self.template = card.template
        self.context = card.context
        self.sampling = msgspec.json.decode(metadata[SAMPLING], type=Sampling)
        prefixes = table.column("prefix").to_pylist()
        self.rows = {prefix: row for row, prefix in enumerate(prefixes)}
        self._texts = table.column("texts").combine_chunks()
        self._tokens = table.column("tokens").combine_chunks()
        self._cut = table.column("cut").combine_chunks()

    @property
    def depth(self) -> int:
        """The completions that every prefix has at least."""
        return min((len(texts) for texts in self._tokens), default=0)

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if sampling != self.sampling:
            raise SamplerError(
                f"{self.spec} holds rollouts sampled with {self.sampling}, not with {sampling}"
            )
        row = self.rows.get(prefix)
        if row is None:
            raise ItemError(f"{self.spec} holds no rollouts of the prefix …{prefix[-60:]!r}")
        texts, tokens, cut = self._texts[row], self._tokens[row], self._cut[row]
        base, first = divmod(seed, SEED_SPACING)
        if first + n > len(texts):
            raise ItemError(
                f"{self.spec} holds {len(texts)} rollouts of each prefix; {first + n} were asked "
                f"of …{prefix[-60:]!r}"
            )
        start = first + _rotation(base)
        return [
            Completion(
                text=texts[i].as_py(),
                tokens=tokens[i].as_py(),
                finish="length" if cut[i].as_py() else "stop",
            )
            for i in (np.arange(start, start + n) % len(texts)).tolist()
        ]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise SamplerError(self._no_scores)

    async def check_scoring(self) -> None:
        raise SamplerError(self._no_scores)

    async def close(self) -> None:
        pass


def _rotation(base: int) -> int:
    return int.from_bytes(hashlib.blake2b(base.to_bytes(8, "big"), digest_size=4).digest(), "big")


async def open_bank(path: str, options: Mapping[str, str], *, spec: str) -> Bank:
    if options:
        raise UsageError(f"bank takes no options, got {', '.join(sorted(options))}")
    if not Path(path).is_file():
        raise SamplerError(f"{spec}: there is no file {path}")
    return Bank(Path(path), spec)

"""The README.md beside a dataset's shards: what the hub's viewer and a reader need to know.

It names no `configs`: readers find `data/train-*` by themselves, and with `configs` that point at
patterns `datasets` 5 takes two local datasets of one name for the same and serves a stale cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def card(name: str, form: str, files: Sequence[str], counts: Mapping[str, int], by: Any) -> str:
    rows = "\n".join(f"| {what} | {number:,} |" for what, number in counts.items())
    return f"""---
tags:
- process-supervision
---
# {name}

Step-level labels on reasoning traces in the `{form}` format, written by prmdata
({len(files)} shard{"s" if len(files) != 1 else ""}; labels by {by or "nobody yet"}).

| | count |
|---|---:|
{rows}
"""

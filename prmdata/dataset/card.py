"""What stands beside a dataset's shards: a README.md for people and the hub's viewer, and a
manifest with checksums for programs.

The card names no `configs`: readers find `data/train-*` by themselves, and with `configs` that
point at patterns `datasets` 5 takes two local datasets of one name for the same and serves a stale
cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prmdata.dataset.provenance import Provenance

MANIFEST = "manifest.json"


def card(
    name: str, form: str, files: Sequence[str], counts: Mapping[str, int], schema: Any,
    provenance: Provenance,
) -> str:  # fmt: skip
    rows = "\n".join(f"| {what} | {number:,} |" for what, number in counts.items())
    columns = "\n".join(f"| `{column.name}` | {_type(column.type)} |" for column in schema)
    by = ", ".join(provenance.labelled_by) or "nobody yet"
    splits = sorted({file.split("/")[-1].split("-")[0] for file in files})
    return f"""---
tags:
- process-supervision
---
# {name}

Step-level labels on reasoning traces in the `{form}` format, written by prmdata
({len(files)} shard{"s" if len(files) != 1 else ""}; labels by {by}).

    datasets.load_dataset("{name}", split="{splits[-1] if splits else "train"}")

| | count |
|---|---:|
{rows}

| column | type |
|---|---|
{columns}

## Where it comes from

{chr(10).join(provenance.lines())}

`{MANIFEST}` holds the checksums of all files, the settings and these figures.
"""


def manifest(
    folder: Path, files: Sequence[str], settings: Mapping[str, Any], counts: Mapping[str, int],
    version: str, provenance: Provenance,
) -> dict[str, Any]:  # fmt: skip
    return {
        "prmdata": version,
        "settings": dict(settings),
        "counts": dict(counts),
        "provenance": provenance.facts(),
        "files": {name: _file(folder / name) for name in files},
    }


def _file(path: Path) -> dict[str, Any]:
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _type(arrow: Any) -> str:
    return str(arrow).replace("element: ", "").replace("item: ", "")

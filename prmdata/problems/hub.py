"""Sets of the Hugging Face `datasets` library: on the hub, or saved to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable
from prmdata.records import Problem

Rows = Iterable[tuple[dict[str, Any] | Unreadable, str]]


def read(
    rest: str, from_rows: Callable[[Rows], Iterator[Problem | Unreadable]]
) -> Iterator[Problem | Unreadable]:
    name, _, query = rest.partition("?")
    settings = dict(parse_qsl(query))
    unknown = set(settings) - {"split", "config"}
    if unknown:
        raise UsageError(f"hub:{name}: unknown {', '.join(unknown)}; it takes split and config")
    return from_rows(_rows(name, settings.get("config"), settings.get("split", "train")))


def _rows(name: str, config: str | None, split: str) -> Rows:
    try:
        import datasets
    except ImportError:
        raise UsageError(
            "reading hub sets needs the datasets library: pip install 'prmdata[hub]'"
        ) from None
    try:
        if Path(name, "dataset_info.json").exists() or Path(name, "dataset_dict.json").exists():
            found = datasets.load_from_disk(name)
            found = found[split] if isinstance(found, dict) else found
        else:
            found = datasets.load_dataset(name, config, split=split, streaming=True)
        for number, row in enumerate(found, 1):
            yield row, f"hub:{name} row {number}"
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"hub:{name}: {error}") from None

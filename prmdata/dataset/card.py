"""What stands beside a dataset's shards: a README.md for people and the hub's viewer, and a
manifest with checksums for programs.

The card names no `configs`: readers find `data/train-*` by themselves, and with `configs` that
point at patterns `datasets` 5 takes two local datasets of one name for the same and serves a stale
cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prmdata.dataset.columns import meaning
from prmdata.dataset.language import languages
from prmdata.dataset.markdown import escaped
from prmdata.dataset.provenance import Provenance

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
LONGEST = 300
"""Characters of a text in the example."""
MOST = 12
"""Parts of a list in the example."""


LICENCES = {
    "afl-3.0", "apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "cc", "cc-by-2.0", "cc-by-3.0",
    "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0",
    "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0",
    "cdla-permissive-2.0", "gfdl", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "llama2", "llama3",
    "llama3.1", "llama3.2", "llama3.3", "mit", "mpl-2.0", "odbl", "odc-by", "openrail", "pddl",
    "unlicense", "unknown",
}  # fmt: skip
"""The hub's names of licences; it refuses a card with any other."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a card and a manifest say beside the rows' own counts."""

    provenance: Provenance
    licence: str | None = None
    """Of the dataset, as its maker says; else that of its problems, where all say the same."""
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    """Figures of `prmdata score`."""
    selection: Sequence[str] = ()
    removed: Sequence[Mapping[str, Any]] = ()
    example: Mapping[str, Any] | None = None
    """One of the rows."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Of columns that are the format's own."""
    layout: str = ""
    """Which of the format's layouts it is, where it has several."""
    task: str = ""
    """What the hub calls the task that it is for."""
    about: str = ""
    """The format's own words on its layout and its readers."""
    snippet: str = ""
    """Lines that train on it or read it, with FOLDER for its name."""

    @property
    def licences(self) -> list[str]:
        return [self.licence] if self.licence else self.provenance.licence_of_all


def card(
    name: str,
    form: str,
    files: Sequence[str],
    counts: Mapping[str, int],
    schema: pa.Schema,
    told: Told,
) -> str:
    rows = "\n".join(f"| {escaped(what)} | {number:,} |" for what, number in counts.items())
    columns = "\n".join(
        f"| `{column.name}` | {_type(column.type)} | "
        f"{told.meanings.get(column.name) or meaning(form, told.layout, column.name)} |"
        for column in schema
    )
    by = ", ".join(map(escaped, told.provenance.labelled_by)) or "nobody yet"
    splits = sorted({file.split("/")[-1].split("-")[0] for file in files})
    tags = ["tags:", "- process-supervision", "- prmdata"]
    spoken = languages(told.provenance.languages)
    header = "\n".join(
        [
            *_licence(told.licences),
            *(["language:", *(f"- {name}" for name in spoken)] if spoken else []),
            *(["task_categories:", f"- {told.task}"] if told.task else []),
            *tags,
            *_size(counts),
        ]
    )
    lines = [*told.provenance.lines(), *(f"- {line}" for line in told.selection)]
    return f"""---
{header}
---
# {name}

Step-level labels on reasoning traces in the `{form}` format, written by prmdata
({len(files)} shard{"s" if len(files) != 1 else ""}; labels by {by}).

    dataset = datasets.load_dataset("{name}", split="{splits[-1] if splits else "train"}")
{_indented(told.snippet.replace("FOLDER", name))}
| | count |
|---|---:|
{rows}

{told.about}

| column | type | holds |
|---|---|---|
{columns}
{_example(told.example)}
## Where it comes from

{chr(10).join(lines)}

## How good the labels are

{_accuracy(told.accuracy)}

`{MANIFEST}` holds the checksums of all files, the settings and these figures.
"""


def _size(counts: Mapping[str, int]) -> list[str]:
    """The hub's class of sizes."""
    rows = counts.get("rows written", 0)
    if not rows:
        return []
    edges = (("n<1K", 1_000), ("1K<n<10K", 10_000), ("10K<n<100K", 100_000))
    name = next((name for name, edge in edges if rows < edge), "100K<n<1M")
    return ["size_categories:", f"- {name if rows < 1_000_000 else 'n>1M'}"]


def _example(row: Mapping[str, object] | None) -> str:
    """A row as JSON, in a block in which nothing that a model wrote is markup."""
    if row is None:
        return ""
    text = json.dumps(_shortened(row), ensure_ascii=True, indent=2, default=str)
    return "\nA row:\n\n" + _indented(text.replace("<", "\\u003c"))


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _shortened(value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, Mapping):
        return {key: _shortened(part) for key, part in value.items()}
    if isinstance(value, Sequence):
        short = [_shortened(part) for part in value[:MOST]]
        return [*short, "…"] if len(value) > MOST else short
    return value


def _licence(names: Sequence[str]) -> list[str]:
    """Front matter that the hub takes."""
    known = [name.lower() for name in names]
    if not known:
        return []
    if any(name not in LICENCES for name in known):
        return ["license: other", f"license_name: {json.dumps(', '.join(names))}"]
    return [f"license: {known[0]}"] if len(known) == 1 else ["license:", *(f"- {n}" for n in known)]


def _accuracy(figures: Mapping[str, object]) -> str:
    """In words: what was measured, on how many traces."""
    if not figures.get("labelled"):
        return (
            "Not measured here. Judge a fair sample of the labelled traces by hand, then measure:"
            "\n\n"
            "    prmdata audit labelled.jsonl -n 50\n"
            "    prmdata score labelled.jsonl --truth labelled.truth.jsonl --json > score.json\n\n"
            "`prmdata export --score score.json` writes the figures here."
        )
    shown = (
        ("first error exact", "exact"),
        ("on traces with a wrong step", "exact_on_erroneous"),
        ("on traces without", "exact_on_correct"),
        ("F1 of the two", "f1"),
        ("steps on the right side", "step_accuracy"),
        ("calibration error of the confidence", "ece"),
    )
    rows = "\n".join(
        f"| {what} | {figures[key]:.3f} |" for what, key in shown if figures.get(key) is not None
    )
    return (
        f"Against the truth, on {figures['labelled']:,} traces where it is known:\n\n"
        f"| | |\n|---|---:|\n{rows}"
    )


def manifest(
    folder: Path, files: Sequence[str], settings: Mapping[str, object], counts: Mapping[str, int],
    version: str, told: Told,
) -> dict[str, object]:  # fmt: skip
    return {
        "prmdata": version,
        "settings": dict(settings),
        "counts": dict(counts),
        "provenance": told.provenance.facts(),
        **({"licences": told.licences} if told.licences else {}),
        **({"accuracy": dict(told.accuracy)} if told.accuracy else {}),
        **({"removed": list(told.removed)} if told.removed else {}),
        "files": {name: _file(folder / name) for name in files},
    }


def _file(path: Path) -> dict[str, object]:
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _type(arrow: object) -> str:
    return str(arrow).replace("element: ", "").replace("item: ", "")

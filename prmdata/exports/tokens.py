"""Token classification, tokenized: a label at the last token of each step, -100 elsewhere.

Any trainer of token classifiers reads `input_ids` and `labels`. The text is the question, a
newline and the trace as it was sampled, tokenized in one piece, as it is where a model reads it.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut, Row, each
from prmdata.exports.shapes import training
from prmdata.exports.shapes.chat import origin, origin_fields
from prmdata.exports.shapes.verdicts import MASKED, AfterError, Unexamined, decided, step_labels
from prmdata.records import Trace
from prmdata.sampler import SAMPLERS, parse_spec
from prmdata.settings import Count

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Tokens:
    hub_task: ClassVar[str] = "token-classification"
    labelled: ClassVar[bool] = True
    grouped: ClassVar[bool] = False
    snippet: ClassVar[str] = training.TOKENS

    tokenizer: str = ""
    """A folder with a tokenizer.json, or a hub id: the one of the model that will be trained.
    Empty: that of the model which wrote the trace, where it is known."""
    max_tokens: Count | None = None
    """Longer traces are left out: cut ones would lose the labels at their end."""
    after_error: AfterError = "mask"
    """What the steps after the first wrong one are labelled."""
    unexamined: Unexamined = "keep"
    """Keep or drop right answers that were taken at their word, their steps not examined."""

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        whole = pa.list_(pa.int64())
        return pa.schema([("input_ids", whole), ("labels", whole), *origin_fields()])

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        return each(group, self.row)

    def row(self, trace: Trace) -> Row:
        marks = step_labels(trace, decided(trace, self.unexamined), self.after_error)
        head = trace.problem.question.rstrip() + "\n"
        encoding = load(self.tokenizer or writer(trace)).encode(head + trace.text)
        if self.max_tokens is not None and len(encoding.ids) > self.max_tokens:
            raise LeftOut(f"longer than {self.max_tokens} tokens")
        ends = accumulate((len(step.text) for step in trace.steps), initial=len(head))
        places = last_tokens(encoding, ends)
        if len(set(places)) < len(places):
            raise LeftOut("two steps end in one token")
        labels = [MASKED] * len(encoding.ids)
        for place, mark in zip(places[1:], marks, strict=True):
            labels[place] = mark
        return {"input_ids": encoding.ids, "labels": labels, **origin(trace)}

    def positive(self, row: Row) -> bool:
        return 0 not in row["labels"]

    def tally(self, row: Row, counts: Counter[str]) -> None:
        counts["tokens"] += len(row["input_ids"])
        counts["steps right"] += row["labels"].count(1)
        counts["steps wrong"] += row["labels"].count(0)


def writer(trace: Trace) -> str:
    """The folder or hub id of the model that wrote a trace."""
    kind, place = parse_spec(trace.origin.sampler) if trace.origin.sampler else ("", "")
    if kind not in SAMPLERS or not SAMPLERS[kind].names_model:
        raise UsageError(
            "tokens: which tokenizer is not known from these traces; name it with --set "
            "tokenizer=FOLDER, or a hub id: that of the model which will be trained"
        )
    return place


def last_tokens(encoding: Any, ends: Iterable[int]) -> list[int]:
    """For each end, a character's number, the last token that begins before it."""
    special = encoding.special_tokens_mask
    own = [i for i in range(len(special)) if not special[i]]
    starts = [encoding.offsets[i][0] for i in own]
    return [own[max(bisect_left(starts, end) - 1, 0)] for end in ends]


@functools.lru_cache(maxsize=4)
def load(name: str) -> Any:
    from tokenizers import Tokenizer

    path = Path(name)
    try:
        if path.is_dir():
            tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        else:
            tokenizer = Tokenizer.from_pretrained(name)
    except Exception as error:  # noqa: BLE001  the library raises nothing narrower
        raise UsageError(
            f"tokenizer={name}: {error}; name a folder with a tokenizer.json, or a hub id"
        ) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer

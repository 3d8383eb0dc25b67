"""verifiers traces with labels: the graph that was imported, with credit for every sampled token.

The reward of a turn, from `prmdata credit` or any evidence with rewards, stands in its node's
`advantages` on each token that the model sampled; a turn that stands in several branches has their
mean. Labels (1, 0, -1 by node), the first wrong node and its confidence stand in `info.prmdata`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar

from prmdata.exports.atif import said_of, turn_of
from prmdata.exports.contract import LeftOut, Row
from prmdata.records import Trace
from prmdata.turns import is_turn, path_to

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Verifiers:
    """A trace a line. Only what came from verifiers can be written."""

    acts: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    grouped: ClassVar[bool] = True

    evidence: str | None = None
    """Whose rewards become advantages; none: the last that has any."""

    def schema(self) -> pa.Schema | None:
        return None

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        graphs: dict[str, list[Trace]] = defaultdict(list)
        for trace in group:
            if "leaf" not in trace.origin.source:
                raise LeftOut("not from a verifiers trace")
            graphs[str(trace.origin.source["trace"].get("id"))].append(trace)
        return (self._row(branches) for branches in graphs.values())

    def _row(self, branches: Sequence[Trace]) -> Row:
        graph = branches[0].origin.source["trace"]
        nodes = list(graph["nodes"])
        rewards: dict[int, list[float]] = defaultdict(list)
        told = {}
        for trace in branches:
            turns = turns_of(trace)
            for place, own in zip(turns, said_of(trace, self.evidence), strict=True):
                if "reward" in own:
                    rewards[place].append(own["reward"])
            told[str(trace.origin.source["leaf"])] = _labels(trace, turns)
        for place, found in rewards.items():
            if sampled := _sampled(nodes[place]):
                nodes[place] = {**nodes[place], "advantages": [fmean(found)] * sampled}
        info = {**(graph.get("info") or {}), "prmdata": told}
        return {**graph, "nodes": nodes, "info": info}

    def tally(self, row: Row, counts: Counter[str]) -> None:
        turns = [node for node in row["nodes"] if is_turn(node)]
        counts["turns"] += len(turns)
        counts["turns with advantages"] += sum(bool(node.get("advantages")) for node in turns)
        counts["turns without tokens"] += sum(not _sampled(node) for node in turns)


def turns_of(trace: Trace) -> list[int]:
    """The nodes that are turns of the assistant, in the order of the trace's."""
    source = trace.origin.source
    nodes = source["trace"]["nodes"]
    path = path_to(nodes, source["leaf"])
    first = next(i for i, place in enumerate(path) if is_turn(nodes[place]))
    return [place for place in path[first:] if nodes[place]["message"]["role"] == "assistant"]


def _sampled(node: Mapping[str, Any]) -> int:
    """How many tokens of a node the model sampled."""
    mask = node.get("mask")
    return sum(mask) if isinstance(mask, list) and mask else len(node.get("logprobs") or [])


def _labels(trace: Trace, turns: Sequence[int]) -> dict[str, object]:
    labels = trace.labels
    told = said_of(trace, None)
    found: dict[str, object] = {
        "step_labels": {
            str(place): own["label"]
            for place, own in zip(turns, told, strict=True)
            if "label" in own
        }
    }
    if labels is not None:
        first = labels.first_error
        found |= {
            "by": labels.by,
            "first_error": None if first is None else turns[turn_of(trace, first)],
            "confidence": labels.confidence,
            "examined": labels.examined,
        }
    return found

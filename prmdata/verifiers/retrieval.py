"""What each search of a trace brought: gold documents, the answer, or anything new (R3-RAG,
Search-R2).

Verdicts are not given: a search that finds nothing may still have been right to make. The rewards
are: `gold`, the share of the gold documents (`gold_documents` in the context: ids, titles or texts)
that this step is the first to bring; `answer`, 1 for the first step whose passages hold a gold
answer; `novelty`, the share of its passages that no earlier step had brought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prmdata.grading.words import normalised
from prmdata.records import Step, Trace
from prmdata.turns import documents_of
from prmdata.verifiers.contract import Finding


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Take it for agents that search."""

    rewards: Literal["gold", "answer", "novelty"] = "gold"

    async def verify(self, trace: Trace) -> list[Finding]:
        seen: set[str] = set()
        findings = []
        wanted = self._wanted(trace)
        total = len(wanted)
        for step in trace.steps:
            brought = list(passages(step))
            findings.append(
                self._finding(brought, seen, wanted, total) if brought else Finding("unknown")
            )
            seen |= {name for name, _ in brought}
            wanted = [one for one in wanted if not any(holds(text, one) for _, text in brought)]
        return findings

    def _wanted(self, trace: Trace) -> list[str]:
        """What is still to be found, normalised."""
        gold = trace.problem.context.get("gold_documents")
        documents = list(map(str, gold)) if isinstance(gold, list) else []
        found = documents if self.rewards == "gold" else list(trace.problem.golds)
        return [text for one in found if (text := normalised(one))]

    def _finding(
        self, brought: list[tuple[str, str]], seen: set[str], wanted: list[str], total: int
    ) -> Finding:
        fresh = [name for name, _ in brought if name not in seen]
        note = None if fresh else "it brought nothing that was not there before"
        if self.rewards == "novelty":
            return Finding("unknown", note, len(fresh) / len(brought))
        found = [one for one in wanted if any(holds(text, one) for _, text in brought)]
        if self.rewards == "answer":
            return Finding("unknown", note, float(bool(found)))
        return Finding("unknown", note, len(found) / total if total else None)


def holds(passage: str, wanted: str) -> bool:
    return f" {wanted} " in f" {passage} "


def passages(step: Step) -> Iterator[tuple[str, str]]:
    """Of each passage in what tools returned: a name, and its id and text, normalised."""
    for own, text in documents_of(step):
        whole = normalised(f"{own or ''} {text}")
        yield own or whole, whole

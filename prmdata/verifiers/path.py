"""How much of a path through a knowledge graph each step covers.

The path stands in the problem's context: `path`, a list of (head, relation, tail). A step covers a
link where it names both of its ends (or their `aliases`); its reward is the share of the path that
it is the first to cover. A step that covers something new is right; one that gives a `functional`
relation of the `graph` another tail is wrong; off the path nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from prmdata.records import Trace
from prmdata.verifiers.contract import Finding

Link = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Path:
    """Take it for questions that were made from a knowledge graph."""

    observed: bool = False
    """Count what tools returned as named too, and not only what the model wrote."""

    async def verify(self, trace: Trace) -> list[Finding]:
        path = links(trace.problem.context.get("path"))
        known = Known(trace.problem.context)
        covered: set[Link] = set()
        findings = []
        for step in trace.steps:
            text = step.text + (
                f"\n{step.observation}" if self.observed and step.observation else ""
            )
            plain = normal(text)
            new = {link for link in path if known.names(plain, link)} - covered
            covered |= new
            reward = len(new) / len(set(path)) if path else None
            if (against := known.contradicted(plain)) is not None:
                findings.append(Finding("wrong", against, reward))
            else:
                findings.append(Finding("right" if new else "unknown", None, reward))
        return findings


class Known:
    """What the context knows of entities and relations."""

    def __init__(self, context: Mapping[str, object]) -> None:
        aliases = context.get("aliases")
        self._aliases = aliases if isinstance(aliases, Mapping) else {}
        wanted = context.get("functional")
        functional = set(wanted) if isinstance(wanted, list) else set()
        self._single = [link for link in links(context.get("graph")) if link[1] in functional]
        self._tails = {(r, t) for _, r, t in self._single}

    def names(self, plain: str, link: Link) -> bool:
        return self._says(plain, link[0]) and self._says(plain, link[2])

    def contradicted(self, plain: str) -> str | None:
        """A functional relation that is named with its head and another tail than it has."""
        for head, relation, tail in self._single:
            if not (self._says(plain, head) and self._says(plain, relation)):
                continue
            others = [t for r, t in self._tails if r == relation and t != tail]
            if not self._says(plain, tail) and (
                other := next((t for t in others if self._says(plain, t)), None)
            ):
                return f"{head} – {relation} – {other}: is {tail}"
        return None

    def _says(self, plain: str, entity: str) -> bool:
        further = self._aliases.get(entity)
        names = [entity, *(further if isinstance(further, list) else [])]
        return any((name := normal(str(one))) and f" {name} " in f" {plain} " for one in names)


def links(value: object) -> list[Link]:
    found = value if isinstance(value, list) else []
    return [
        (str(link[0]), str(link[1]), str(link[2]))
        for link in found
        if isinstance(link, list | tuple) and len(link) == 3
    ]


def normal(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())

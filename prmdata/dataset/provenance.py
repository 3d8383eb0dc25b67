"""Where a dataset's traces come from and what they cost, gathered trace by trace."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from prmdata.dataset.language import language
from prmdata.dataset.markdown import code, escaped
from prmdata.records import Cost, Trace
from prmdata.traces.pseudo_gold import is_pseudo

MOST_NAMED = 8
"""Of each kind: a dataset of many sources names its largest."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name with what belongs to it: a model and its sampler, a method and its settings."""

    text: str
    detail: str | None = None
    brackets: bool = False

    def __str__(self) -> str:
        return self._with(self.text, f"`{self.detail}`")

    def markdown(self) -> str:
        return self._with(escaped(self.text), code(self.detail or ""))

    def _with(self, text: str, detail: str) -> str:
        if self.detail is None:
            return text
        return f"{text} ({detail})" if self.brackets else f"{text} {detail}"


@dataclass(slots=True)
class Provenance:
    sources: Counter[Name] = field(default_factory=Counter)
    models: Counter[Name] = field(default_factory=Counter)
    sampling: Counter[Name] = field(default_factory=Counter)
    prompts: Counter[Name] = field(default_factory=Counter)
    methods: Counter[Name] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    """Of the questions."""
    sampled_tokens: int = 0
    """Generated for the traces themselves, where that is known."""
    labelling: Cost = Cost()
    pseudo_gold: int = 0
    """Traces that were graded against the majority's answer."""

    def note(self, trace: Trace) -> None:
        origin, meta = trace.origin, trace.problem.meta
        self.pseudo_gold += is_pseudo(trace.problem)
        self.sources[Name(str(meta.get("source") or "not said"))] += 1
        if licence := meta.get("license") or meta.get("licence"):
            self.licences[str(licence)] += 1
        self.languages[language(trace.problem.question) or "unknown"] += 1
        model = origin.model or "not said"
        sampler = _public(origin.sampler) if origin.sampler else None
        self.models[Name(model, sampler, brackets=True)] += 1
        if origin.temperature is not None:
            how = _sampling(origin.temperature, origin.top_p, origin.max_tokens, origin.seed)
            self.sampling[Name(how)] += 1
        prompt = f"template {origin.template}"
        for name, value in origin.template_args.items():
            prompt += f", {name}={value}"
        system = [m["content"] for m in origin.messages if m.get("role") == "system"][:1]
        prompt = f"{prompt}, system: {system[0]}" if system else prompt
        self.prompts[Name(prompt)] += 1
        self.sampled_tokens += origin.tokens or 0
        if trace.labels is not None:
            settings = {k: v for k, v in trace.labels.settings.items() if v is not None}
            how = msgspec.json.encode(settings).decode()
            self.methods[Name(trace.labels.by, how)] += 1
            self.labelling += trace.labels.cost

    @property
    def licence_of_all(self) -> list[str]:
        """The problems' licences, where every problem says one."""
        said = self.licences.total()
        return sorted(self.licences) if said and said == self.sources.total() else []

    @property
    def labelled_by(self) -> list[str]:
        return list(dict.fromkeys(name.text for name in self.methods))

    def facts(self) -> dict[str, object]:
        """For the manifest."""
        named = ("sources", "licences", "models", "sampling", "prompts", "methods")
        return {
            **{name: _largest(getattr(self, name)) for name in named},
            "tokens_sampled": self.sampled_tokens,
            "tokens_labelling": self.labelling.tokens,
            "rollouts_labelling": self.labelling.rollouts,
            "tokens_read_labelling": self.labelling.scored,
            "pseudo_gold": self.pseudo_gold,
        }

    def lines(self) -> list[str]:
        """For the card."""
        told = (
            ("Problems", self.sources),
            ("Licence of the problems", Counter({Name(n): c for n, c in self.licences.items()})),
            ("Models", self.models),
            ("Sampling", self.sampling),
            ("Prompts", self.prompts),
            ("Labels", self.methods),
        )
        found = [
            f"- {what}: "
            + "; ".join(f"{name.markdown()} ({n:,})" for name, n in counts.most_common(MOST_NAMED))
            for what, counts in told
            if counts
        ]
        if self.pseudo_gold:
            found.append(
                f"- Pseudo-gold: {self.pseudo_gold:,} traces are graded against the answer that "
                "most traces of their problem give, which is not always right"
            )
        return [
            *found,
            f"- Tokens generated: {self.sampled_tokens:,} for the traces, "
            f"{self.labelling.tokens:,} in {self.labelling.rollouts:,} rollouts for their labels",
        ]


def _largest(counts: Counter[object]) -> dict[str, int]:
    return {str(name): n for name, n in counts.most_common(MOST_NAMED)}


@functools.lru_cache
def _public(sampler: str) -> str:
    """A sampler's spec without the folders and hosts of the machine it ran on."""
    kind, _, place = sampler.partition(":")
    if kind in ("http", "https"):
        return kind
    is_path = place.startswith(("/", "~", ".")) or place.count("/") > 1
    return f"{kind}:{place.rstrip('/').rsplit('/', 1)[-1]}" if is_path else sampler


@functools.lru_cache
def _sampling(temperature: float, top_p: float | None, most: int | None, seed: int | None) -> str:
    return f"temperature {temperature:g}, top-p {top_p or 1:g}, at most {most} tokens, seed {seed}"

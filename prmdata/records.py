"""The one record that flows: a `Trace` with its problem, its steps, and what is known of them.

Every stage reads traces and writes traces; `None` is always "unknown", never zero.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["right", "wrong", "unknown"]
AnswerRule = Literal["boxed", "marked", "last"]
GradeName = Literal["right", "wrong", "unparsed", "timeout"]
Message = dict[str, Any]
"""A chat message: `role`, `content`, and in a trace that acts whatever else its format has:
`tool_calls`, `tool_call_id`, `name`, `reasoning_content`."""


def content_of(message: Message) -> str:
    """A message's text; of a list of parts, the text parts."""
    content = message.get("content")
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


@dataclass(frozen=True, slots=True)
class Problem:
    id: str
    question: str
    answer: str | None = None
    """The gold answer; `None` where there is none."""
    kind: str = "math"
    """How answers are compared: math, choice, text (or qa); `code` by the tests in the context."""
    images: tuple[str, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)
    """What a solver or a tool may need: documents, tests, a reference solution."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Where it comes from: source, level, subject."""
    answers: tuple[str, ...] = ()
    """Further gold answers: one that equals any of them is right too."""

    @property
    def golds(self) -> tuple[str, ...]:
        """Every gold answer, the first one first."""
        first = () if self.answer is None else (self.answer,)
        return (*first, *(gold for gold in self.answers if gold != self.answer))


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    """Exactly as sampled: the steps of a trace join to its text, byte for byte."""
    kind: Literal["thought", "code", "tool_call", "observation", "answer"] = "thought"
    tool: dict[str, Any] | None = None
    """The call of a tool, where it stands in the text alone."""
    result: str | None = None
    """What the tool returned, where no message holds it."""
    messages: tuple[Message, ...] = ()
    """Of a step that acts: the assistant's turn that it ends, and what answered that turn (results
    of tools, words of the user), exactly as the model saw or the source had them."""
    state: str | None = None
    """The state of the environment after it, where that can tell: equal texts, equal states."""

    @property
    def calls(self) -> tuple[dict[str, Any], ...]:
        """The calls of tools that it makes: `id`, `name`, `arguments` (text, or an object)."""
        found = self.messages[0].get("tool_calls") if self.messages else None
        if not isinstance(found, list):
            return () if self.tool is None else (self.tool,)
        calls = [(call, call.get("function") or call) for call in found if isinstance(call, dict)]
        return tuple(
            {"id": call.get("id"), **{name: of.get(name) for name in ("name", "arguments")}}
            for call, of in calls
            if isinstance(of, dict)
        )

    @property
    def observation(self) -> str | None:
        """What answered it: results of tools, words of the user."""
        if not self.messages:
            return self.result
        answers = [content_of(message) for message in self.messages[1:]]
        return "\n".join(answers) if answers else None


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost; every figure counts what was consumed, also when a store served it."""

    tokens: int = 0
    """Generated tokens."""
    rollouts: int = 0
    rounds: int = 0
    """Sampler calls that had to wait for an earlier one: the latency of a search."""
    cut: int = 0
    """Rollouts without an outcome: the token limit cut them, or their grading was given up."""
    unparsed: int = 0
    """Rollouts without an outcome: their answer could not be read."""

    scored: int = 0
    """Tokens read for their probabilities, prompt included; nothing is generated there."""
    calls: int = 0
    """Judgements asked for."""
    prompt_tokens: int = 0
    """Tokens that judges read: a judge reads more than it writes."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a trace comes from: all that a later stage needs to continue any of its prefixes."""

    sampler: str | None = None
    """The sampler's spec, such as `abacus`."""
    model: str | None = None
    """The fingerprint of the model that wrote it."""
    messages: tuple[Message, ...] = ()
    template: str = "chat"
    """`chat`: the model's own chat template; `raw`: the messages' contents, as they are."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    sample: int | None = None
    """The number of this sample among its problem's."""
    tokens: int | None = None
    parent: tuple[str, int] | None = None
    """The trace, and the number of its steps kept, from which this one branched off."""
    steps: str = "auto"
    """How its text was cut into steps."""
    template_args: dict[str, Any] = field(default_factory=dict)
    """Given to the chat template, such as `enable_thinking`."""
    answers: AnswerRule | None = None
    """What its answer was read by, and its rollouts' are; `None` stands for `last`."""
    tools: tuple[dict[str, Any], ...] = ()
    """What the model was told of its tools, as its chat template takes them."""
    environment: dict[str, Any] = field(default_factory=dict)
    """What answered its steps: `spec` and `settings`, and the limits that held (`turns`,
    `observation`)."""
    source: dict[str, Any] = field(default_factory=dict)
    """The document that it was imported from, where labels can be written back into that."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a problem's traces ended, as `generate` counted them before any was dropped."""

    n: int
    right: int
    wrong: int
    cut: int = 0
    """Ended by the token limit; in neither of the above."""
    unparsed: int = 0
    """Ended without an answer that could be read; neither right nor wrong."""
    timeout: int = 0
    """Answers whose grading was given up; in neither."""
    wrong_answers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Round:
    """What a search believed, and the rollouts that it bought for it, in their order."""

    belief: tuple[int, ...]
    """Thousandths of P(first error): for each step, and last that no step is wrong."""
    starts: tuple[int, ...]
    """Of each rollout, the number of steps of the prefix that it continued …"""
    left: tuple[int, ...]
    """… and the number after which it left the trace: it may write further steps again."""
    ends: str
    """A letter a rollout: `h`it, `s`ame answer as the trace's wrong one, other `m`iss."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one method says of each step. Lists have one entry a step, or are empty."""

    name: str
    kind: Literal["rollouts", "verdicts", "scores", "truth"]
    values: tuple[float | None, ...] = ()
    """In [0, 1]."""
    hits: tuple[int | None, ...] = ()
    rollouts: tuple[int | None, ...] = ()
    verdicts: tuple[Verdict | None, ...] = ()
    notes: tuple[str | None, ...] = ()
    stopping: str | None = None
    """The rule that ended sampling; with `first-hit`, hits/rollouts is a biased value."""
    settings: dict[str, Any] = field(default_factory=dict)
    cost: Cost = Cost()
    rewards: tuple[float | None, ...] = ()
    """Signed and unbounded, such as the advantage of each step; `values` stay P(right)."""
    checked_by: Literal["tool", "judge", "people"] | None = None
    """Who gave the verdicts: a program that computes is trusted more than somebody who reads."""
    search: tuple[Round, ...] = ()
    """Of a search that keeps it: its rounds, which `prmdata report` replays."""

    @property
    def first_wrong(self) -> int | None:
        """Index (from 0) of the first step that it calls wrong."""
        return next((i for i, verdict in enumerate(self.verdicts) if verdict == "wrong"), None)


@dataclass(frozen=True, slots=True)
class Labels:
    by: str
    first_error: int | None = None
    """Index (from 0) of the first wrong step; `None`: no step is wrong."""
    values: tuple[float | None, ...] = ()
    """The belief, step by step, that the trace is still right after it."""
    confidence: float | None = None
    """The probability that `first_error` is exact, where the method has one."""
    examined: bool = True
    """False: nobody looked into it: a right answer, taken at its word, or silent evidence."""
    settings: dict[str, Any] = field(default_factory=dict)
    cost: Cost = Cost()

    @property
    def at_its_word(self) -> bool:
        """Whether the trace was taken for right because its answer is, without a look inside."""
        return not self.examined and not self.undecided and self.first_error is None

    @property
    def undecided(self) -> bool:
        """Whether nothing is said of any step: then `first_error` is no claim."""
        return bool(self.values) and all(value is None for value in self.values)


@dataclass(frozen=True, slots=True)
class Trace:
    id: str
    problem: Problem
    steps: tuple[Step, ...] = ()
    answer: str | None = None
    correct: bool | None = None
    grade: GradeName | None = None
    finish: Literal["stop", "length"] | None = None
    origin: Origin = Origin()
    group: Tally | None = None
    evidence: tuple[Evidence, ...] = ()
    labels: Labels | None = None
    error: str | None = None
    """Why this item failed; such records are counted, and `export` leaves them out."""
    score: float | None = None
    """How right the answer is, in [0, 1], where that has degrees: F1 for answers in words."""
    stream: Literal["more", "end"] | None = None
    """Set between stages of a pipe only: whether the stage before had more to say."""

    @property
    def text(self) -> str:
        return "".join(step.text for step in self.steps)

    @property
    def acts(self) -> bool:
        """Whether it is a chat with tools or with several turns, and not one text."""
        return any(step.messages for step in self.steps)

    def prefix(self, steps: int) -> str:
        """The text of the first `steps` steps."""
        return "".join(step.text for step in self.steps[:steps])

    def with_evidence(self, evidence: Evidence) -> Trace:
        """This trace with one more piece of evidence, which replaces any of the same name."""
        kept = tuple(old for old in self.evidence if old.name != evidence.name)
        return dataclasses.replace(self, evidence=(*kept, evidence))

    def failed(self, reason: str) -> Trace:
        return dataclasses.replace(self, error=reason)

    def evidence_named(self, name: str) -> Evidence | None:
        return next((e for e in self.evidence if e.name == name), None)

"""Episodes: the model takes a turn, the environment answers, and so on to the end.

A prefix is messages: every turn is asked for with the model's own template, its tools, and all that
was said before. Seeds of later turns follow from the first one's, so that no two episodes share a
turn by accident and the same episode is the same in every run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Literal

from prmdata.environments.contract import Reply, calls_in
from prmdata.errors import ItemError
from prmdata.records import Message, Problem, Step, content_of
from prmdata.sampler.acting.reading import UNREADABLE, Turn, turn_of
from prmdata.sampler.acting.recorded import Recorded
from prmdata.sampler.protocol import Completion, Sampler, Sampling
from prmdata.sampler.seeds import request_seed
from prmdata.tasks import together
from prmdata.turns import arguments_of

TURNS = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a whole trace; one that wants more is cut."""

    turns: int = TURNS
    """Of the assistant."""
    seconds: float | None = None
    """After them no turn is begun. One that runs is not broken off: it is paid for."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where episodes begin."""

    problem: Problem
    prompt: tuple[Message, ...]
    """What the trace began with."""
    said: tuple[Message, ...] = ()
    """Its turns so far, with what answered them."""
    begun: str = ""
    """The beginning of a turn that is to be ended."""
    tools: tuple[dict[str, Any], ...] = ()
    template: str = "chat"
    template_args: Mapping[str, Any] = field(default_factory=dict)
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    """What the environment is given."""


@dataclass(frozen=True, slots=True)
class Episode:
    steps: tuple[Step, ...]
    finish: Literal["stop", "length"]
    tokens: int
    final: str
    """Where the answer stands: the last turn, if it calls no tool."""
    reward: float | None
    seed: int
    """Of the first turn."""


@dataclass(slots=True)
class Acting:
    sampler: Sampler
    environment: Recorded | None
    limits: Limits = field(default_factory=Limits)
    counts: Counter[str] = field(default_factory=Counter)

    def prompt(self, start: Start, said: Sequence[Message]) -> str:
        """The exact text that the model continues in its next turn."""
        arguments = dict(start.template_args)
        if start.tools:
            arguments["tools"] = list(start.tools)
        messages = [_for_template(message) for message in (*start.prompt, *said)]
        return self.sampler.template.open_turn(messages, start.template, arguments)

    async def play(
        self, start: Start, n: int, first: int = 0, run_seed: int = 0, purpose: str = ""
    ) -> list[Episode]:
        """n episodes, beginning with the one that has the number `first`."""
        began = monotonic()
        said = list(start.said)
        if self.environment is not None and self.environment.replays:
            await self.environment.agrees(start.problem, (*start.prompt, *said), start.seed)
        if said and said[-1].get("tool_calls"):  # it ends in a call that nobody has answered yet
            said += (await self._reply(start, said, Turn(said[-1]))).messages
        prompt = self.prompt(start, said) + start.begun
        fingerprint = self.sampler.fingerprint
        seed = request_seed(run_seed, fingerprint, prompt, start.sampling, purpose) + first
        completions = await self.sampler.complete(prompt, n, start.sampling, seed)
        return await together(
            *(
                self._episode(start, list(said), prompt, completion, seed + i, began)
                for i, completion in enumerate(completions)
            )
        )

    async def _episode(
        self,
        start: Start,
        said: list[Message],
        prompt: str,
        completion: Completion,
        seed: int,
        began: float,
    ) -> Episode:
        steps: list[Step] = []
        tokens, begun = 0, start.begun
        reward: float | None = None
        turns = sum(message["role"] == "assistant" for message in said)
        while True:
            tokens, turns = tokens + completion.tokens, turns + 1
            turn = turn_of(_opened(prompt, begun) + begun + completion.text, _calls(said))
            cut = completion.finish == "length"
            reply = Reply(done=True)
            if not cut:
                reply = await self._reply(start, [*said, turn.message], turn)
            messages, reward = reply.messages, reply.reward
            said += [turn.message, *messages]
            kind: Any = "tool_call" if turn.message.get("tool_calls") else "answer"
            kind = "thought" if kind == "answer" and messages else kind
            whole = (turn.message, *messages)
            steps.append(Step(completion.text, kind, messages=whole, state=reply.state))
            if reply.done or not messages:
                final = "" if kind == "tool_call" else content_of(turn.message)
                how: Any = "length" if cut else "stop"
                return Episode(tuple(steps), how, tokens, final, reward, seed)
            following = await self._next(start, said, turns, tokens, seed, began)
            if following is None:
                return Episode(tuple(steps), "length", tokens, "", reward, seed)
            prompt, completion = following
            begun = ""

    async def _next(
        self,
        start: Start,
        said: Sequence[Message],
        turns: int,
        tokens: int,
        seed: int,
        began: float,
    ) -> tuple[str, Completion] | None:
        """The next turn; nothing where a limit ends the episode."""
        left = start.sampling.max_tokens - tokens
        if ended := self._ended(turns, left, began):
            self.counts[ended] += 1
            return None
        prompt = self.prompt(start, said)
        sampling = replace(start.sampling, max_tokens=left)
        fingerprint = self.sampler.fingerprint
        own = request_seed(start.seed, fingerprint, prompt, sampling, f"after {seed}")
        try:
            (completion,) = await self.sampler.complete(prompt, 1, sampling, own)
        except ItemError:  # it does not fit any more
            self.counts["ended_by_context"] += 1
            return None
        return prompt, completion

    def _ended(self, turns: int, left: int, began: float) -> str | None:
        """Which limit is reached."""
        if left < 1:
            return "ended_by_tokens"
        if turns >= self.limits.turns:
            return "ended_by_turns"
        late = self.limits.seconds is not None and monotonic() - began >= self.limits.seconds
        return "ended_by_time" if late else None

    async def _reply(self, start: Start, said: Sequence[Message], turn: Turn) -> Reply:
        """What answers the last turn."""
        if turn.unreadable:
            self.counts["unreadable_calls"] += 1
            return Reply(({"role": "user", "content": UNREADABLE},))
        calls = turn.message.get("tool_calls")
        if self.environment is None or not (calls or self.environment.speaks):
            return Reply()
        read = calls_in(turn.message, start.tools) if calls else []
        self.counts["tool_calls"] += len(read)
        self.counts["faulty_calls"] += sum(call.fault is not None for call in read)
        return await self.environment.answer(start.problem, (*start.prompt, *said), start.seed)


def _calls(said: Sequence[Message]) -> int:
    return sum(len(message.get("tool_calls") or ()) for message in said)


def _opened(prompt: str, begun: str) -> str:
    """The tag of a thought that the template itself has opened."""
    opens = not begun and prompt.rstrip().endswith("<think>")
    return "<think>\n" if opens else ""


def _for_template(message: Message) -> Message:
    """As templates take it: text, and arguments as objects."""
    shown = {**message, "content": content_of(message)}
    if isinstance(calls := message.get("tool_calls"), list):
        shown["tool_calls"] = [_call_for_template(call) for call in calls]
    return shown


def _call_for_template(call: object) -> object:
    if not isinstance(call, dict) or not isinstance(function := call.get("function"), dict):
        return call
    return {**call, "function": {**function, "arguments": arguments_of(function)}}

"""Any OpenAI-compatible server, or several behind one spec: `http://HOST/v1[,http://…/v1]`.

A lost server is waited for, a busy one left in peace for as long as it says; a request that can
never succeed fails alone. `connecting` finds out what a server is and does.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.balance import Balance
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy, Patience, Tell, Waits
from prmdata.sampler.endpoint.server import Model, Server
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, too_long
from prmdata.tasks import together

Check = Callable[[dict[str, Any]], object]

TRIES = 8
"""Of a request that alone is answered with rubbish, until it fails."""
LATE = 2
"""Times that a request may take too long."""
SEEDS = 1 << 31
"""More than this is cut somewhere: gateways read numbers as doubles, servers keep 32 bits."""
PLAIN = {
    "add_special_tokens": False,
    "skip_special_tokens": False,
    "spaces_between_special_tokens": False,
    "min_p": 0.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
    "repeat_penalty": 1.0,
}
"""The text as it stands, and no sampling but what was asked for: else servers take defaults of
their own, or of the model's."""
ENDS: dict[str | None, Literal["stop", "length"]] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "repetition": "length",
}
"""What servers call the ends of a whole answer."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server calls the model, and where it says that it has it from."""

    name: str
    root: str

    @classmethod
    def of(cls, card: Model) -> Served:
        return cls(card["id"], card.get("root") or card["id"])

    def __str__(self) -> str:
        return self.name if self.root == self.name else f"{self.name} ({self.root})"


@dataclass(eq=False)
class Endpoint:
    spec: str
    servers: list[Server]
    served: Served
    fingerprint: str
    template: ChatTemplate
    context: int
    balance: Balance[Server]
    tagged: bool = False
    """The user says which weights these are, so that it does not matter where they lie."""
    patience: Patience = field(default_factory=Patience)
    tokenizer: Any = None
    """Where the model's folder is at hand, to know what still fits its context."""
    offers: Offers = field(default_factory=Offers)
    notes: Sequence[str] = ()
    """What a user should know of it before a run."""

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if n == 1 or (self.offers.many and self.offers.token_ids):
            return await self._ask(prefix, n, sampling, seed)
        alone = (self._ask(prefix, 1, sampling, seed + i) for i in range(n))
        return [done for one in await together(*alone) for done in one]

    async def _ask(self, prefix: str, n: int, sampling: Sampling, seed: int) -> list[Completion]:
        body = self.body(prefix, n, sampling, seed)
        answer = await self._persist("/completions", body, lambda found: _ended(found, n))
        used = (answer.get("usage") or {}).get("completion_tokens")
        choices = sorted(answer["choices"], key=lambda choice: choice.get("index", 0))
        return [_completion(choice, used, sampling, self.template.eos) for choice in choices]

    def body(self, prefix: str, n: int, sampling: Sampling, seed: int) -> dict[str, Any]:
        begun = self.offers.begins
        body: dict[str, Any] = {
            "model": self.served.name,
            "prompt": prefix.removeprefix(self.template.bos) if begun else prefix,
            "n": n,
            "seed": seed % SEEDS,
            "max_tokens": self._room(prefix, sampling.max_tokens),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if self.offers.more:
            body |= {**PLAIN, "top_k": sampling.top_k or -1}
        elif sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.logprobs:
            body["logprobs"] = 1
        if self.offers.token_ids and n > 1:  # of one sample the usage tells
            body["return_token_ids"] = True
        return body

    def _room(self, prefix: str, wanted: int) -> int:
        """How many tokens may follow: servers refuse to be asked for more than fits."""
        if self.tokenizer is None or len(prefix.encode()) + wanted < self.context:
            return wanted  # a token is a byte at least
        taken = len(self.tokenizer.encode(prefix, add_special_tokens=False).ids)
        if taken >= self.context:
            raise ItemError(too_long(taken, self.context))
        return min(wanted, self.context - taken)

    async def _persist(self, path: str, body: Mapping[str, Any], check: Check) -> dict[str, Any]:
        """Ask one server after another until one answers, or it takes too long."""
        pause, broken, answers = self.patience.waits.pause_s, 0, self.patience.answers
        late = 0
        while True:
            server = await self.balance.take()
            try:
                return await self._try(server, path, body, check)
            except Busy as busy:
                if not (busy.lost or busy.full) and self.patience.answers > answers:
                    broken, answers = broken + 1, self.patience.answers
                if broken == TRIES:
                    raise ItemError(f"{busy}, again and again, while it answers others") from None
                late += busy.late
                if late == LATE:
                    raise ItemError(f"{busy}, {LATE} times") from None
                self.patience.failed(busy, server.url, self._others(server))
                alone = not busy.lost and busy.wait_s is None  # else the server itself rests
            finally:
                self.balance.give(server)
            if alone:
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, self.patience.waits.longest_pause_s)

    async def _try(
        self, server: Server, path: str, body: Mapping[str, Any], check: Check
    ) -> dict[str, Any]:
        window, before = server.window, server.window.faults
        try:
            silence = time.monotonic() - server.heard
            if not server.known or silence > self.patience.waits.silence_s:
                await self.greet(server)
            answer = await server.post(path, body)
            check(answer)
        except Busy as busy:
            server.known = server.known and not busy.lost
            rest = window.failed(busy, before, self.patience.waits, time.monotonic())
            self.balance.rest(rest)
            raise
        except ItemError:  # an answer all the same
            self._answered(server, before)
            raise
        self._answered(server, before)
        return answer

    async def greet(self, server: Server) -> None:
        """Who comes back may be another: see that it serves this very model."""
        served = [Served.of(card) for card in await server.models()]
        same = (
            one == self.served or (self.tagged and one.name == self.served.name) for one in served
        )
        if not any(same):
            names = ", ".join(str(one) for one in served) or "no model"
            raise SamplerError(f"{server.url} serves {names}, and not {self.served} as before")
        server.known = True

    def _answered(self, server: Server, sent_after: int) -> None:
        server.window.answered(sent_after)
        if not server.window.losses:  # else it was on its way when the server went
            self.patience.answered(server.url)

    def _others(self, server: Server) -> bool:
        """Whether any other server is there."""
        return any(other is not server and not other.window.losses for other in self.servers)

    def wait_as(self, waits: Waits, tell: Tell) -> None:
        self.patience.waits, self.patience.tell = waits, tell
        for note in self.notes:
            tell(note)

    async def score(self, prefix: str, text: str) -> list[float]:
        """By echoing the prompt with its log-probabilities, where the server does that."""
        body = {
            **self.body(prefix + text, 1, Sampling(max_tokens=1, temperature=0), 0),
            "echo": True,
            "logprobs": 1,
        }

        def check(answer: dict[str, Any]) -> None:
            at = (_whole(answer, 1)[0].get("logprobs") or {}).get("text_offset") or [-1]
            if at[0] != 0 or at != sorted(at) or at[-1] < len(prefix):
                raise SamplerError(
                    f"{self.spec} does not score given text (echo with logprobs); use vLLM"
                )

        answer = await self._persist("/completions", body, check)
        found = answer["choices"][0]["logprobs"]
        ends = [*found["text_offset"][1:], len(prefix + text) + 1]
        places = zip(ends, found["text_offset"], found["token_logprobs"], strict=True)
        whole = len(prefix + text)
        return [float(p) for end, at, p in places if end > len(prefix) and at < whole]

    async def close(self) -> None:
        for server in self.servers:
            await server.client.close()


def _whole(answer: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """The choices of an answer; one without all of them is as good as none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != n:
        raise Busy("the server sent fewer completions than it was asked for")
    return choices


def _ended(answer: dict[str, Any], n: int) -> None:
    """Whether each of them has come to its end."""
    for choice in _whole(answer, n):
        end = choice.get("finish_reason")
        if end == "content_filter":
            raise ItemError("the server's content filter holds the answer back")
        if end not in ENDS:
            raise Busy(f"the server broke off an answer ({end})")


def _completion(
    choice: dict[str, Any], used: int | None, sampling: Sampling, eos: str
) -> Completion:
    logprobs = (choice.get("logprobs") or {}).get("token_logprobs")
    if sampling.logprobs and logprobs is None:
        raise SamplerError("this server gives no log-probabilities; the method needs them")
    ids = choice.get("token_ids")
    tokens = len(ids) if ids is not None else len(logprobs) if logprobs else used
    finish = ENDS[choice["finish_reason"]]
    text = choice["text"].removesuffix(eos) if finish == "stop" and eos else choice["text"]
    return Completion(
        text=text,
        tokens=tokens if tokens is not None else len(text) // 4 + 1,
        finish=finish,
        logprobs=tuple(logprobs) if sampling.logprobs and logprobs else None,
    )

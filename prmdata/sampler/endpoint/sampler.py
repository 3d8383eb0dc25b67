"""Any OpenAI-compatible server, or several behind one spec: `http://HOST/v1[,http://…/v1]`.

What is asked of a server and what its answers say; `pool` decides which server is asked, and
`connecting` finds out what a server is and does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.echo import CANNOT, checked, scored
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy, Tell, Waits
from prmdata.sampler.endpoint.pool import Pool, Request
from prmdata.sampler.models.boundary import span
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import (
    MOST_LIKELY,
    NO_PREFIX,
    Completion,
    Sampling,
    Scored,
    too_long,
    too_long_to_score,
)
from prmdata.tasks import together

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
"""What servers call the end of a complete answer."""


BASE_BYTES, TOKEN_BYTES, PROMPT_FACTOR, MOST_BYTES = 1 << 16, 160, 24, 1 << 27
"""An honest answer: some bytes by itself, some a token with its number and log-probability, and the
prompt with its tokens; never more than the last of these."""
TOKEN_CHARACTERS = 256
"""In the longest token of any vocabulary."""


@dataclass(eq=False)
class Endpoint:
    spec: str
    pool: Pool
    fingerprint: str
    template: ChatTemplate
    context: int
    tokenizer: Any = None
    """Where the model's folder is at hand, to know what still fits its context."""
    offers: Offers = field(default_factory=Offers)
    notes: Sequence[str] = ()
    """What a user should know of it before a run."""
    away: Sequence[str] = ()
    """What was wrong with the servers that failed at the start."""

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if n == 1 or (self.offers.many and self.offers.token_ids):
            return await self._ask(prefix, n, sampling, seed)
        alone = (self._ask(prefix, 1, sampling, seed + i) for i in range(n))
        return [done for one in await together(*alone) for done in one]

    async def _ask(self, prefix: str, n: int, sampling: Sampling, seed: int) -> list[Completion]:
        body = self.body(prefix, n, sampling, seed)
        most = n * body["max_tokens"]

        def check(found: dict[str, object]) -> None:
            _ended(found, n)
            _measured(found, n, body["max_tokens"])

        request = Request("/completions", body, check, most_bytes(prefix, most))
        answer = await self.pool.ask(request)
        used = (answer.get("usage") or {}).get("completion_tokens")
        choices = sorted(answer["choices"], key=lambda choice: choice.get("index", 0))
        return [_completion(choice, used, sampling, self.template.eos) for choice in choices]

    def body(self, prefix: str, n: int, sampling: Sampling, seed: int) -> dict[str, Any]:
        begun = self.offers.begins
        body: dict[str, object] = {
            "model": self.pool.served.name,
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

    def wait_as(self, waits: Waits, tell: Tell) -> None:
        self.pool.patience.waits, self.pool.patience.tell = waits, tell
        for note in self.notes:
            tell(note)

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        """By echoing the prompt with its log-probabilities, where the server does that."""
        read = None if self.tokenizer is None else span(self.tokenizer, prefix, text)
        if read is not None and len(read.ids) >= self.context:
            raise ItemError(too_long_to_score(len(read.ids), self.context))
        if read is not None and read.first == 0:
            raise ItemError(NO_PREFIX)

        def check(answer: dict[str, object]) -> None:
            _whole(answer, 1)
            checked(answer, prefix, read, self.spec)

        body, limit = self._echo(prefix + text, top)
        answer = await self.pool.ask(Request("/completions", body, check, limit))
        return scored(answer, prefix, text, read, top)

    def _echo(self, text: str, top: int) -> tuple[dict[str, object], int]:
        """What is asked, and the longest answer that it may have."""
        body = {
            **self.body(text, 1, Sampling(max_tokens=1, temperature=0), 0),
            "echo": True,
            "logprobs": min(max(top, 1), MOST_LIKELY),
        }
        return body, most_bytes(text, len(text) * (2 + top))

    async def check_scoring(self) -> None:
        """Every server that is there is asked by itself: each may be sent any text."""
        prefix, text = f"{self.template.bos}1 + 2", " = 3"
        read = None if self.tokenizer is None else span(self.tokenizer, prefix, text)
        body, limit = self._echo(prefix + text, 0)
        faults = []
        for server in self.pool.servers:
            if server.offers is None:  # away just now
                continue
            try:
                answer = await server.post("/completions", body, limit)
                checked(answer, prefix, read, server.url)
            except ItemError:
                faults.append(f"{server.url} {CANNOT}")
            except (SamplerError, Busy) as error:
                faults.append(str(error))
        if faults:
            raise SamplerError("\n".join(faults))

    async def close(self) -> None:
        await self.pool.close()


def most_bytes(prompt: str, tokens: int) -> int:
    size = BASE_BYTES + PROMPT_FACTOR * len(prompt.encode()) + TOKEN_BYTES * tokens
    return min(size, MOST_BYTES)


def _whole(answer: dict[str, object], n: int) -> list[dict[str, object]]:
    """The choices of an answer; one without all of them is as good as none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != n:
        raise Busy("the server sent fewer completions than it was asked for")
    if not all(isinstance(choice.get("text"), str) for choice in choices):
        raise Busy("the server sent a completion without a text")
    return choices


def _ended(answer: dict[str, object], n: int) -> None:
    """Whether each of them has come to its end."""
    for choice in _whole(answer, n):
        end = choice.get("finish_reason")
        if end == "content_filter":
            raise ItemError("the server's content filter holds the answer back")
        if end not in ENDS:
            raise Busy(f"the server broke off an answer ({end})")


def _measured(answer: dict[str, Any], n: int, max_tokens: int) -> None:
    """Whether no more came than was asked for: what is counted and stored is bounded by it."""
    used = (answer.get("usage") or {}).get("completion_tokens") or 0
    if used > n * (max_tokens + 1):
        raise Busy(f"the server counts {used:,} tokens where {n * max_tokens:,} were asked for")
    for choice in answer["choices"]:
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs")
        listed = max(len(choice.get("token_ids") or ()), len(logprobs or ()))
        if len(choice["text"]) > TOKEN_CHARACTERS * max_tokens or listed > max_tokens + 1:
            raise Busy(f"the server sent a text longer than the {max_tokens:,} tokens asked for")


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

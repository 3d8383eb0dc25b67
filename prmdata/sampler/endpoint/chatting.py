"""A server that only chats: `chat:http://HOST/v1`. It is for judges: it takes messages, so no
prefix can be continued and no text scored; its seeds are asked for and not relied on.

What stands in the place of a rendered prompt is the messages as JSON, so the store, seeds and
replay work as they do elsewhere. Where the server takes a JSON schema for its answer, it is sent
along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from prmdata.errors import ItemError, SamplerError, UsageError, unknown
from prmdata.sampler.endpoint.addresses import Address
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy, Tell, Waits
from prmdata.sampler.endpoint.pool import Pool, Request, Served
from prmdata.sampler.endpoint.sampler import ENDS, SEEDS, most_bytes
from prmdata.sampler.endpoint.server import Server
from prmdata.sampler.endpoint.window import Window
from prmdata.sampler.models.arguments import whole_number
from prmdata.sampler.models.fingerprint import BY_NAME
from prmdata.sampler.models.rendering import CHAT, ChatTemplate
from prmdata.sampler.protocol import Completion, Sampler, Sampling, Scored
from prmdata.tasks import together

OPTIONS = ("model", "tag", "in_flight", "timeout_s", "structured")
CONTEXT = 1 << 30
"""Nobody says how much fits."""
MESSAGES = ChatTemplate(CHAT)
SHAPE = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}


async def open_chat(urls: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    in_flight = whole_number(options, "in_flight", 64)
    timeout_s = whole_number(options, "timeout_s", 3600)
    addresses = [Address.read(url) for url in urls.split(",")]
    servers = [
        Server(a.url, a.client(in_flight), Window(most=in_flight), known=True, offers=Offers(),
               timeout_s=timeout_s)
        for a in addresses
    ]  # fmt: skip
    try:
        name = options.get("model") or await _only_model(servers[0])
        tag = re.sub(r"[^\w.-]+", "_", options.get("tag") or name)[:60]
        pool = Pool(servers, Served(name, name), tagged=True)
        chat = Chatting(spec, pool, f"{BY_NAME}chat-{tag}")
        wanted = options.get("structured", "auto")
        chat.structured = wanted == "true" or (wanted == "auto" and await chat.takes_a_shape())
    except BaseException as error:
        for server in servers:
            await server.client.close()
        if isinstance(error, Busy):
            raise SamplerError(f"{error}; is the server running?") from None
        raise
    return chat


async def _only_model(server: Server) -> str:
    names = [card["id"] for card in await server.models()]
    if len(names) != 1:
        raise UsageError(
            f"{server.url} serves {', '.join(names[:20]) or 'no model'}; name one with "
            "--engine-arg model=…"
        )
    return names[0]


@dataclass(eq=False)
class Chatting:
    spec: str
    pool: Pool
    fingerprint: str
    structured: bool = False
    template: ChatTemplate = MESSAGES
    context: int = CONTEXT

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        return await together(*(self._one(prefix, sampling, seed + i) for i in range(n)))

    async def _one(self, prefix: str, sampling: Sampling, seed: int) -> Completion:
        body = self.body(prefix, sampling, seed)
        limit = most_bytes(prefix, sampling.max_tokens)
        return read(await self.pool.ask(Request("/chat/completions", body, _check, limit)))

    def body(self, prefix: str, sampling: Sampling, seed: int) -> dict[str, object]:
        try:
            asked = msgspec.json.decode(prefix)
            messages, shape = asked["messages"], asked.get("response_format")
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            raise ItemError(
                f"{self.spec} only chats: it cannot continue a text, so it can judge and do "
                "nothing else. Name a server with /completions to sample from"
            ) from None
        body: dict[str, object] = {
            "model": self.pool.served.name,
            "messages": messages,
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed % SEEDS,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if shape is not None and self.structured:
            schema = {"name": "answer", "schema": shape, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    async def takes_a_shape(self) -> bool:
        """Whether the server answers in a shape that it is given."""
        messages = [{"role": "user", "content": 'Answer with {"ok": true}.'}]
        prompt = msgspec.json.encode({"messages": messages, "response_format": SHAPE}).decode()
        self.structured = True
        body = self.body(prompt, Sampling(temperature=0, max_tokens=32), 0)
        try:
            answer = await self.pool.servers[0].post("/chat/completions", body, 1 << 20)
            found = msgspec.json.decode(read(answer).text)
        except (ItemError, msgspec.DecodeError):
            return False
        return isinstance(found, dict) and isinstance(found.get("ok"), bool)

    def wait_as(self, waits: Waits, tell: Tell) -> None:
        self.pool.patience.waits, self.pool.patience.tell = waits, tell
        tell(
            f"{self.spec} only chats: it does not promise to keep to seeds, so its answers can be "
            "repeated from the store alone; JSON answers are "
            + ("asked for by schema" if self.structured else "read as they come")
        )

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise SamplerError(f"{self.spec} only chats; it gives no log-probabilities of a text")

    async def close(self) -> None:
        for server in self.pool.servers:
            await server.client.close()


def _check(answer: dict[str, object]) -> None:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Busy("the server sent no answer")
    end = choices[0].get("finish_reason")
    if end == "content_filter":
        raise ItemError("the server's content filter holds the answer back")
    if end not in ENDS:
        raise Busy(f"the server broke off an answer ({end})")


def read(answer: dict[str, Any]) -> Completion:
    """What it says; a refusal, or no words at all, is an empty answer."""
    choice = answer["choices"][0]
    words = (choice.get("message") or {}).get("content") or ""
    used = (answer.get("usage") or {}).get("completion_tokens")
    tokens = used if isinstance(used, int) else len(words) // 4 + 1
    return Completion(words, tokens, ENDS[choice["finish_reason"]])

"""Any OpenAI-compatible server, or several behind one spec: `http://HOST/v1[,http://…/v1]`.

What a server offers is found out by asking it once. A lost server is waited for, a busy one left
in peace for as long as it says; a request that can never succeed fails alone.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from prmdata.errors import ItemError, SamplerError, UsageError, unknown
from prmdata.sampler.balance import Balance, Window
from prmdata.sampler.offers import Offers
from prmdata.sampler.patience import Busy, Patience, Tell, Waits
from prmdata.sampler.protocol import Completion, Sampler, Sampling, too_long
from prmdata.sampler.rendering import ChatTemplate, read_template
from prmdata.sampler.server import KEYS, Server

Check = Callable[[dict[str, Any]], object]

OPTIONS = ("model", "tokenizer", "tag", "in_flight", "timeout_s")
TRIES = 8
"""Of a request that alone is answered with rubbish, until it fails."""


@dataclass(eq=False)
class Endpoint:
    spec: str
    servers: list[Server]
    model: str
    fingerprint: str
    template: ChatTemplate
    context: int
    balance: Balance[Server]
    patience: Patience = field(default_factory=Patience)
    tokenizer: Any = None
    """Where the model's folder is at hand, to know what still fits its context."""
    offers: Offers = field(default_factory=Offers)

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        if n == 1 or (self.offers.many and self.offers.token_ids):
            return await self._ask(prefix, n, sampling, seed)
        alone = (self._ask(prefix, 1, sampling, seed + i) for i in range(n))
        return [done for one in await asyncio.gather(*alone) for done in one]

    async def _ask(self, prefix: str, n: int, sampling: Sampling, seed: int) -> list[Completion]:
        body = self._body(prefix, n, sampling, seed)
        answer = await self._persist("/completions", body, lambda found: _whole(found, n))
        used = (answer.get("usage") or {}).get("completion_tokens")
        choices = sorted(answer["choices"], key=lambda choice: choice.get("index", 0))
        return [_completion(choice, used, sampling) for choice in choices]

    def _body(self, prefix: str, n: int, sampling: Sampling, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "prompt": prefix if self.offers.raw else prefix.removeprefix(self.template.bos),
            "n": n,
            "seed": seed,
            "max_tokens": self._room(prefix, sampling.max_tokens),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if self.offers.raw:
            body["add_special_tokens"] = False
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.logprobs:
            body["logprobs"] = 1
        if self.offers.token_ids:
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
        while True:
            server = await self.balance.take()
            try:
                return await self._try(server, path, body, check)
            except Busy as busy:
                if not (busy.lost or busy.full) and self.patience.answers > answers:
                    broken, answers = broken + 1, self.patience.answers
                if broken == TRIES:
                    raise ItemError(f"{busy}, again and again, while it answers others") from None
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
            answer = await server.post(path, body)
            check(answer)
        except Busy as busy:
            rest = window.failed(busy, before, self.patience.waits, time.monotonic())
            self.balance.rest(rest)
            raise
        except ItemError:  # an answer all the same
            self._answered(server, before)
            raise
        self._answered(server, before)
        return answer

    def _answered(self, server: Server, sent_after: int) -> None:
        server.window.answered(sent_after)
        if not server.window.losses:  # else it was on its way when the server went
            self.patience.answered(server.url)

    def _others(self, server: Server) -> bool:
        """Whether any other server is there."""
        return any(other is not server and not other.window.losses for other in self.servers)

    def wait_as(self, waits: Waits, tell: Tell) -> None:
        self.patience.waits, self.patience.tell = waits, tell
        if not self.offers.seeds:
            tell(
                f"{self.spec} does not keep to seeds: what it draws is kept in the store, and "
                "cannot be drawn again without it"
            )

    async def score(self, prefix: str, text: str) -> list[float]:
        """By echoing the prompt with its log-probabilities, where the server does that."""
        body = {
            **self._body(prefix + text, 1, Sampling(max_tokens=1, temperature=0), 0),
            "echo": True,
            "logprobs": 1,
        }

        def check(answer: dict[str, Any]) -> None:
            if not (_whole(answer, 1)[0].get("logprobs") or {}).get("text_offset"):
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
            await server.client.aclose()


def _whole(answer: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """The choices of an answer; one without all of them is as good as none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != n:
        raise Busy("the server sent fewer completions than it was asked for")
    return choices


def _completion(choice: dict[str, Any], used: int | None, sampling: Sampling) -> Completion:
    logprobs = (choice.get("logprobs") or {}).get("token_logprobs")
    if sampling.logprobs and logprobs is None:
        raise SamplerError("this server gives no log-probabilities; the method needs them")
    ids = choice.get("token_ids")
    tokens = len(ids) if ids is not None else len(logprobs) if logprobs else used
    return Completion(
        text=choice["text"],
        tokens=tokens if tokens is not None else len(choice["text"]) // 4 + 1,
        finish="length" if choice.get("finish_reason") == "length" else "stop",
        logprobs=tuple(logprobs) if sampling.logprobs and logprobs else None,
    )


async def open_endpoint(urls: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Connect, ask which model is served and what the server can do."""
    for name in options:
        if name not in OPTIONS:
            raise unknown("engine argument", name, OPTIONS)
    key = next((os.environ[name] for name in KEYS if os.environ.get(name)), None)
    in_flight = _number(options, "in_flight", 256)
    servers = [
        Server(
            url.strip().rstrip("/"),
            _client(key, in_flight, _number(options, "timeout_s", 600)),
            Window(most=in_flight),
        )
        for url in urls.split(",")
    ]
    try:
        endpoint = await _described(spec, servers, options)
        endpoint.offers = await probed(endpoint)
    except BaseException as error:
        for server in servers:
            await server.client.aclose()
        if isinstance(error, Busy):
            raise SamplerError(f"{error}; is the server running?") from None
        raise
    sampler: Sampler = endpoint
    return sampler


def _client(key: str | None, in_flight: int, timeout_s: float) -> Any:
    import httpx

    return httpx.AsyncClient(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(timeout_s, connect=10),
        limits=httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight),
    )


async def probed(endpoint: Endpoint) -> Offers:
    """Two samples in a request that names all we know; less where that is refused."""
    server, prompt = endpoint.servers[0], endpoint.template.bos + "1"
    sampling, seed = Sampling(max_tokens=12), 1 << 20

    async def texts(n: int, seed: int) -> list[dict[str, Any]]:
        answer = await server.post("/completions", endpoint._body(prompt, n, sampling, seed))
        return sorted(answer.get("choices") or [], key=lambda choice: choice.get("index", 0))

    endpoint.offers = Offers(many=True, token_ids=True)
    try:
        two = await texts(2, seed)
    except ItemError:  # it knows the fields of the first such API and no others
        endpoint.offers = Offers(raw=False)
        try:
            two = await texts(1, seed)
        except ItemError as error:
            raise SamplerError(
                f"{endpoint.spec} does not continue a text: {error}. The completions API is "
                "needed (/v1/completions): by chat alone a prefix cannot be taken up where it ends"
            ) from None
    again = (await texts(1, seed) or [{}])[0]
    second = (await texts(1, seed + 1) or [{}])[0]
    found = replace(endpoint.offers, seeds=bool(two) and two[0].get("text") == again.get("text"))
    return replace(
        found,
        many=len(two) == 2 and two[1].get("text") == second.get("text"),
        token_ids=again.get("token_ids") is not None,
    )


async def _described(spec: str, servers: list[Server], options: Mapping[str, str]) -> Endpoint:
    listed = (await _first_answer(servers)).get("data") or []
    names = [model["id"] for model in listed]
    wanted = options.get("model", names[0] if len(names) == 1 else "")
    if wanted not in names:
        raise UsageError(
            f"{spec} serves {', '.join(names) or 'no model'}; name one with --engine-arg model=…"
        )
    model = next(found for found in listed if found["id"] == wanted)
    root = Path(options.get("tokenizer", model.get("root") or wanted))
    if not (root / "tokenizer_config.json").is_file():
        raise SamplerError(
            f"{spec}: to render prompts its tokenizer is needed; name the model's folder with "
            "--engine-arg tokenizer=FOLDER"
        )
    context = int(model.get("max_model_len") or 0) or 1 << 30
    return Endpoint(
        spec=spec,
        servers=servers,
        model=wanted,
        fingerprint=options.get("tag") or _fingerprint(model, root),
        template=read_template(root),
        context=context,
        tokenizer=_tokenizer(root / "tokenizer.json"),
        balance=Balance(servers),
    )


def _tokenizer(path: Path) -> Any:
    if not path.is_file():
        return None
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


async def _first_answer(servers: list[Server]) -> dict[str, Any]:
    """Of several servers one may be away; it is put last."""
    for server in list(servers):
        try:
            return await server.get("/models")
        except Busy as busy:
            last = busy
            servers.append(servers.pop(0))
    raise last


def _fingerprint(model: Mapping[str, Any], root: Path) -> str:
    """A served name is no fingerprint: the folder's content is, where it can be read."""
    from prmdata.sampler.fingerprint import folder_fingerprint

    if any(root.glob("*.safetensors")):
        return f"{folder_fingerprint(root)}-served"
    return f"{model['id']}-{folder_fingerprint(root, str(model.get('created', '')))}-served"


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    value = options.get(name, str(default))
    if not value.isdecimal() or int(value) == 0:
        raise UsageError(f"--engine-arg {name}={value}: must be a whole number above 0")
    return int(value)

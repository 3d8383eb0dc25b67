"""One OpenAI-compatible server over HTTP: a request, and what its answer means."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Required, TypedDict

import msgspec

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.balance import Windowed
from prmdata.sampler.endpoint.gauges import LIMIT_S, MOST_BYTES, Gauges, read_gauges
from prmdata.sampler.endpoint.offers import Offers
from prmdata.sampler.endpoint.patience import Busy
from prmdata.sampler.endpoint.window import Window
from prmdata.settings import Whole

KEY = "PRMDATA_API_KEY"
PLAIN = {"Accept-Encoding": "identity"}
"""An unpacked answer, whose size is known while it arrives."""
HEADERS = {"Content-Type": "application/json", **PLAIN}
SESSION = "X-Session-ID"
LIST_BYTES, LIST_S = 1 << 24, 60.0
"""A list of models: the longest that is read, and how long it may take."""
FULL = (408, 425, 429, 503, 504)
ROOTED = ("/pooling", "/classify")
"""vLLM has these beside /v1, and not in it."""
CUT = 524
"""A proxy had enough of waiting for the server behind it."""


class LogProbs(TypedDict, total=False):
    token_logprobs: list[float | None] | None
    text_offset: list[int] | None
    top_logprobs: list[dict[str, float | None] | None] | None


class Said(TypedDict, total=False):
    content: str | None


class Choice(TypedDict, total=False):
    text: str
    message: Said | None
    index: int
    finish_reason: str | None
    logprobs: LogProbs | None
    token_ids: list[int] | None


class Usage(TypedDict, total=False):
    prompt_tokens: Whole | None
    completion_tokens: Whole | None


class Model(TypedDict, total=False):
    id: Required[str]
    root: str | None
    parent: str | None
    max_model_len: Whole | None


class Answer(TypedDict, total=False):
    """What is read of an answer; all else in it is passed over."""

    choices: list[Choice] | None
    usage: Usage | None
    data: list[Model] | None
    error: Any


class Pooled(TypedDict, total=False):
    """What a model makes of one text, token by token or as a whole."""

    data: list[list[float] | float] | None
    probs: list[float] | None


class PooledAnswer(TypedDict, total=False):
    data: list[Pooled] | None
    usage: Usage | None
    error: Any


class Missing(Busy):
    """There is no such thing at that address, just now: it may be another program's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, lost=True)


@dataclass(eq=False)
class Server(Windowed):
    url: str
    client: Any
    window: Window
    known: bool = False
    """It was asked what it serves since it was last away."""
    heard: float = -math.inf
    """When it last answered. It may have been replaced since, without a broken connection."""
    timeout_s: float = 3600.0
    """For a whole answer, however slowly it arrives."""
    offers: Offers | None = None
    """What it can do; `None` while it has not been found out."""

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    async def models(self) -> list[Model]:
        limit_s = min(LIST_S, self.timeout_s)
        return (await self._request("GET", "/models", LIST_BYTES, limit_s)).get("data") or []

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        most_bytes: int,
        timeout_s: float | None = None,
        session: str | None = None,
    ) -> dict[str, Any]:
        """`session`: the same for requests that begin alike, for routers behind the address."""
        limit_s = min(timeout_s or self.timeout_s, self.timeout_s)
        headers = HEADERS if session is None else {**HEADERS, SESSION: session}
        return await self._request("POST", path, most_bytes, limit_s, body, headers)

    async def gauges(self) -> Gauges | None:
        """How it says it is; nothing where it does not say."""
        import aiohttp

        address = f"{self.root}/metrics"
        try:
            async with (
                asyncio.timeout(LIMIT_S),
                self.client.get(address, headers=PLAIN, allow_redirects=False) as answer,
            ):
                content = await self._content(answer, MOST_BYTES)
            return read_gauges(content.decode(errors="replace")) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, Busy):
            return None

    async def _request(
        self,
        method: str,
        path: str,
        most_bytes: int,
        limit_s: float,
        body: object = None,
        headers: Mapping[str, str] = HEADERS,
    ) -> dict[str, Any]:
        import aiohttp

        data = None if body is None else msgspec.json.encode(body)
        address = f"{self.root if path in ROOTED else self.url}{path}"
        try:
            async with (
                asyncio.timeout(limit_s),
                self.client.request(
                    method, address, data=data, headers=headers, allow_redirects=False
                ) as answer,
            ):
                content = await self._content(answer, most_bytes)
            self.heard = time.monotonic()
            shape = PooledAnswer if path in ROOTED else Answer | list[Model]
            return _read(self.url, answer, content, shape)
        except aiohttp.ClientSSLError as error:
            raise SamplerError(
                f"{self.url} cannot be trusted: {error}; SSL_CERT_FILE=… in the environment names "
                "an authority of your own"
            ) from None
        except aiohttp.InvalidURL as error:
            raise SamplerError(f"{self.url} is no address: {error}") from None
        except aiohttp.ClientError as error:
            reason = f"{self.url} does not answer ({type(error).__name__})"
            raise Busy(reason, lost=True) from None
        except TimeoutError:
            limit = f"the {limit_s:g} s that --engine-arg timeout_s allows for a request"
            limit = limit if limit_s == self.timeout_s else f"{limit_s:g} s"
            raise Busy(f"{self.url} took longer than {limit}", late=True) from None

    async def _content(self, answer: Any, most_bytes: int) -> bytes:
        """Read no further than an honest answer could go."""
        packing = answer.headers.get("content-encoding", "identity")
        if packing.lower() != "identity":
            raise Busy(f"{self.url} sent a packed answer ({packing}), which nobody asked for")
        content = bytearray()
        async for block in answer.content.iter_any():
            content += block
            if len(content) > most_bytes:
                raise Busy(f"{self.url} sent more than {most_bytes:,} bytes, the most that fits")
        return bytes(content)


def _read(url: str, answer: Any, content: bytes, shape: Any) -> dict[str, Any]:
    if answer.status >= 300:
        _refuse(url, answer.status, _message(content), answer.headers)
    try:
        found = msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise Busy(f"{url} sent what is no answer of the completions API ({error})") from None
    except msgspec.DecodeError:
        raise Busy(f"{url} sent an answer that breaks off") from None
    if isinstance(found, list):
        return {"data": found}
    fault = found.get("error")
    if fault is not None and not (found.get("choices") or found.get("data")):
        code = fault.get("code") if isinstance(fault, dict) else None
        _refuse(url, code if isinstance(code, int) else 400, _message(content), {})
    return dict(found)


def _refuse(url: str, status: int, said: str, headers: Mapping[str, str]) -> NoReturn:
    """By the status: a server that is asked again, a request that fails alone, or the end."""
    told = f"{url} answered {status}: {said}" if said else f"{url} answered {status}"
    if status in (401, 402, 403):
        raise SamplerError(f"{told}; its key is read from {KEY} in the environment")
    if status == 404:
        raise Missing(told)
    if status == CUT:
        raise Busy(f"{told}; a proxy before the server cuts long answers", late=True)
    if status >= 500 or status in (*FULL, 409):
        after = headers.get("retry-after", "")
        wait_s = float(after) if after.replace(".", "", 1).isdecimal() else None
        raise Busy(told, wait_s, full=status in FULL)
    if status < 400:
        elsewhere = _line(headers.get("location", "another address"))
        raise SamplerError(f"{url} sends us on to {elsewhere}; name that as the sampler")
    raise ItemError(f"{url} refuses the request: {said or 'it does not say why'} ({status})")


def _message(content: bytes) -> str:
    """What a server says of an error, in any of the shapes that servers have for it."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _line(content.decode(errors="replace"))
    error = body.get("error") or body.get("detail") or body if isinstance(body, dict) else body
    return _line(str(error.get("message", "") if isinstance(error, dict) else error))


def _line(text: str) -> str:
    return " ".join(text[:2000].split())[:300]

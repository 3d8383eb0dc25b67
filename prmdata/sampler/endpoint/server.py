"""One OpenAI-compatible server over HTTP: a request, and what its answer means."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Required, TypedDict

import msgspec

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.endpoint.balance import Window, Windowed
from prmdata.sampler.endpoint.patience import Busy
from prmdata.settings import Whole

KEY = "PRMDATA_API_KEY"
JSON = {"Content-Type": "application/json"}
FULL = (408, 425, 429, 503, 504)
CUT = 524
"""A proxy had enough of waiting for the server behind it."""


class LogProbs(TypedDict, total=False):
    token_logprobs: list[float | None] | None
    text_offset: list[int] | None


class Choice(TypedDict, total=False):
    text: Required[str]
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
    """When it last answered; what happens in a silence, no broken connection tells."""

    async def models(self) -> list[Model]:
        return (await self._request("GET", "/models")).get("data") or []

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("POST", path, body)

    async def _request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        import aiohttp

        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self.client.request(
                method, f"{self.url}{path}", data=data, headers=JSON, allow_redirects=False
            ) as answer:
                content = await answer.read()
            self.heard = time.monotonic()
            return _read(self.url, answer, content)
        except aiohttp.SocketTimeoutError:
            reason = f"{self.url} took longer than --engine-arg timeout_s allows for a request"
            raise Busy(reason, late=True) from None
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


def _read(url: str, answer: Any, content: bytes) -> dict[str, Any]:
    if answer.status >= 300:
        _refuse(url, answer.status, _message(content), answer.headers)
    try:
        found = msgspec.json.decode(content, type=Answer | list[Model])
    except msgspec.ValidationError as error:
        raise Busy(f"{url} sent what is no answer of the completions API ({error})") from None
    except msgspec.DecodeError:
        raise Busy(f"{url} sent an answer that breaks off") from None
    if isinstance(found, list):
        return {"data": found}
    fault = found.get("error")
    if fault is not None and not found.get("choices"):
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
        elsewhere = headers.get("location", "another address")
        raise SamplerError(f"{url} sends us on to {elsewhere}; name that as the sampler")
    raise ItemError(f"{url} refuses the request: {said or 'it does not say why'} ({status})")


def _message(content: bytes) -> str:
    """What a server says of an error, in any of the shapes that servers have for it."""
    try:
        body = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return " ".join(content.decode(errors="replace").split())[:300]
    error = body.get("error") or body.get("detail") or body if isinstance(body, dict) else body
    return str(error.get("message", "") if isinstance(error, dict) else error)[:300]

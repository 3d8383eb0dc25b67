"""Addresses of servers as users write them, and connections to them."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from prmdata.errors import UsageError
from prmdata.sampler.endpoint.server import KEY


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    """Without the name and the password that may stand in it."""
    key: str | None
    login: tuple[str, str] | None

    @classmethod
    def read(cls, text: str) -> Address:
        text = text.strip().rstrip("/")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError(f"{text.rpartition('@')[2]} is not an address: {error}") from None
        if not host:
            raise UsageError("a sampler's address is written like http://host:8000/v1")
        where = f"[{host}]" if ":" in host else host
        plain = parts._replace(netloc=where if port is None else f"{where}:{port}").geturl()
        if parts.username is not None:
            return cls(plain, None, (unquote(parts.username), unquote(parts.password or "")))
        key = os.environ.get(KEY)
        if not key and (host == "openai.com" or host.endswith(".openai.com")):
            key = os.environ.get("OPENAI_API_KEY")
        return cls(plain, key or None, None)

    def client(self, in_flight: int) -> object:
        """aiohttp's, which takes a twentieth of httpx's processor time with hundreds in flight."""
        import aiohttp

        return aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.key}"} if self.key else {},
            auth=aiohttp.BasicAuth(*self.login) if self.login else None,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            # One request a connection: a server with much to do ends kept ones while the next
            # request is on its way, which cannot be told from its death.
            # The one beyond those in flight asks how the server is.
            connector=aiohttp.TCPConnector(
                limit=in_flight + 1, force_close=True, socket_factory=_watched
            ),
            proxy=proxy_of(self.url),
        )


def _watched(address: Any) -> socket.socket:
    """A connection that notices, after two minutes, that the other machine has gone."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


def proxy_of(url: str) -> str | None:
    """The environment's. aiohttp would look it up again for every request, in a thread."""
    address = urlsplit(url)
    host = address.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    return getproxies().get(address.scheme)

"""The page from a server of this machine: a browser reads columns at once, records by chunks.

Nothing of the file system is ever named by a request: there is the page, numbered chunks and the
search. Requests under another host's name are refused, so that no page elsewhere can read along
(DNS rebinding).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec

from prmdata.errors import UsageError
from prmdata.records import Message, content_of
from prmdata.report.page.gathering import Gathering
from prmdata.report.page.writing import page

BYTES, JSON, HTML = "application/octet-stream", "application/json", "text/html; charset=utf-8"
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("", "0.0.0.0", "::")
MOST_CHUNKS = 256
"""Searched by one request."""

Body = tuple[str, bytes]


class Words(msgspec.Struct):
    text: str
    result: str | None = None
    messages: list[Message] = []


class Question(msgspec.Struct):
    question: str = ""


class Told(msgspec.Struct):
    id: str
    problem: Question
    steps: list[Words] = []
    answer: str | None = None


class Record(msgspec.Struct):
    """As much of a record as a search reads."""

    trace: Told


_records = msgspec.json.Decoder(list[Record])


@dataclass(slots=True)
class Parts:
    """What may be asked for."""

    gathering: Gathering
    page: bytes

    def of(self, address: str) -> Body | None:
        parts = urlsplit(address)
        match parts.path.strip("/").split("/"):
            case [""]:
                return HTML, self.page
            case ["column", name]:
                column = self.gathering.columns().get(name)
                return None if column is None else (BYTES, column.tobytes())
            case ["heads", at]:
                heads = self.gathering.heads
                return (BYTES, heads.chunk(int(at))) if _is_below(at, len(heads)) else None
            case ["records", file, at] if _is_below(file, len(self.gathering.sources)):
                pack = self.gathering.sources[int(file)].pack
                return (BYTES, pack.chunk(int(at))) if _is_below(at, len(pack)) else None
            case ["search"]:
                return self._search({k: v[0] for k, v in parse_qs(parts.query).items()})
        return None

    def _search(self, asked: dict[str, str]) -> Body | None:
        """The numbers of the records of some chunks that hold the words."""
        words, file = asked.get("q", "").lower(), asked.get("file", "0")
        first, last = asked.get("from", "0"), asked.get("to", "0")
        if not _is_below(file, len(self.gathering.sources)) or not (first + last).isdecimal():
            return None
        pack = self.gathering.sources[int(file)].pack
        last_chunk = min(int(last), len(pack), int(first) + MOST_CHUNKS)
        found: list[int] = []
        for at in range(int(first), last_chunk):
            found += [pack.starts[at] + place for place in places(pack.unpacked(at), words)]
        return JSON, msgspec.json.encode(found)


def places(chunk: bytes, words: str) -> list[int]:
    """Which records of a chunk hold the words, whatever their case."""
    plain = words.isascii() and words.isprintable() and not any(c in words for c in '"\\')
    if plain and words.encode() not in chunk.lower():
        return []
    records = _records.decode(chunk)
    return [place for place, record in enumerate(records) if holds(record.trace, words)]


def holds(told: Told, words: str) -> bool:
    texts = [told.id, told.answer or "", told.problem.question]
    for step in told.steps:
        answers = (content_of(message) for message in step.messages[1:])
        texts += [step.text, step.result or "", *answers]
    return any(words in text.lower() for text in texts)


def _is_below(text: str, count: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < count


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], parts: Parts) -> None:
        super().__init__(place, Handler)
        self.parts = parts
        self.anybody = place[0] in EVERYWHERE
        """It was told to listen everywhere, so it has many names."""

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        name = "127.0.0.1" if self.anybody else str(host)
        return f"http://{name}:{port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no error; anything else keeps its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if not self._addressed():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        body = self.server.parts.of(self.path)
        if body is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, data = body
        self.send_response(HTTPStatus.OK)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(data)

    def _addressed(self) -> bool:
        """Whether the request names this server as its user does."""
        host = self.headers.get("Host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        own = str(self.server.server_address[0])
        return self.server.anybody or name in (*OWN_NAMES, own)

    def version_string(self) -> str:
        return "prmdata"

    def log_message(self, format: str, *args: object) -> None:
        """Requests are nobody's news."""


@contextmanager
def listening(gathering: Gathering, host: str, port: int) -> Iterator[Server]:
    parts = Parts(gathering, page(gathering, served=True))
    try:
        server = Server((host, port), parts)
    except (OSError, OverflowError) as error:
        raise UsageError(f"--serve: cannot listen on {host}:{port} ({error})") from None
    try:
        yield server
    finally:
        server.server_close()

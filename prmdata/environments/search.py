"""Searches a corpus by BM25, in this process, or asks a server for passages.

`search:corpus.jsonl` reads a JSONL or Parquet file with a column `contents`, `text` or `passage`
(and `id`, `title`). The index is tantivy's, in memory. `search:http://HOST/retrieve` posts
`{"queries": [query], "topk": k}` and takes the passages of its reply, as Search-R1's server has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prmdata.environments.contract import (
    Call,
    Environment,
    Reply,
    Tool,
    calls_in,
    function,
    results,
)
from prmdata.errors import EnvironmentFailure, InputError, PrmdataError, UsageError
from prmdata.files import Unreadable, rows
from prmdata.records import Message, Problem
from prmdata.settings import Count, Positive

TEXT = ("contents", "text", "passage", "content", "body")
HEAP_BYTES = 256 << 20
LONGEST_QUERY, MOST_QUERIES = 1000, 16
Find = Callable[[str], Awaitable[list[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Search:
    """Take it for questions that need documents."""

    source: str
    """A JSONL or Parquet file of passages, or the address of a server."""
    k: Count = 3
    """Passages for a query."""
    timeout_s: Positive = 30.0
    """Seconds that a server may take."""

    def __post_init__(self) -> None:
        if not self.source:
            raise UsageError("environment 'search' needs a corpus: search:FILE or search:http://…")

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Environment]:
        if self.source.startswith(("http://", "https://")):
            async with _served(self) as find:
                yield _Open(f"search-1 {self.source} k={self.k}", find)
            return
        passages = [_passage(row, where) for row, where in rows.read(self.source)]
        if not passages:
            raise InputError(f"{self.source}: there are no passages in it")
        digest = hashlib.blake2b(digest_size=8)
        for passage in passages:
            digest.update(f"{passage['id']}\0{passage['contents']}\0".encode())
        find = await asyncio.to_thread(_indexed, passages, self.k)
        yield _Open(f"search-1 {digest.hexdigest()} k={self.k}", find)


class _Open:
    speaks = replays = False
    _tools = (
        function(
            "search",
            "Finds the passages of a collection that fit a query best.",
            required=(),
            query={"type": "string", "description": "What to look for, in a few words."},
            query_list={
                "type": "array",
                "items": {"type": "string"},
                "description": "Several queries at once, instead of query.",
            },
        ),
    )

    def __init__(self, identity: str, find: Find) -> None:
        self.identity, self._find = identity, find

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        del problem
        return self._tools

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        del problem
        return chat[-1].get("tool_calls")

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply:
        del seed
        calls = calls_in(chat[-1], self._tools)
        return Reply(results([(call, await self._result(call)) for call in calls]))

    async def _result(self, call: Call) -> str:
        if call.fault is not None:
            return f"error: {call.fault}"
        queries = _queries(call.arguments)
        if not queries:
            return "error: give the argument query, a text"
        found = [await self._find(query[:LONGEST_QUERY]) for query in queries[:MOST_QUERIES]]
        return json.dumps({"result": found}, ensure_ascii=False)


def _queries(arguments: Mapping[str, object]) -> list[str]:
    """One query, or a list of them, as Search-R1's tool takes it."""
    listed = arguments.get("query_list", arguments.get("query"))
    found = listed if isinstance(listed, list) else [listed]
    return [query for query in found if isinstance(query, str) and query.strip()]


def _passage(row: Any, where: str) -> dict[str, object]:
    if isinstance(row, Unreadable):
        raise InputError(row.reason)
    text = next((row[name] for name in TEXT if isinstance(row.get(name), str)), None)
    if text is None:
        raise InputError(f"{where}: a passage needs its text in a column {', '.join(TEXT)}")
    title = row.get("title")
    if isinstance(title, str) and title:
        text = f"{title}\n{text}"
    return {"id": str(row.get("id", row.get("_id", where.rpartition(":")[2]))), "contents": text}


def _indexed(passages: Sequence[Mapping[str, object]], k: int) -> Find:
    try:
        import tantivy
    except ImportError:
        raise PrmdataError(
            "searching a corpus needs tantivy: pip install 'prmdata[search]'"
        ) from None
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("contents", tokenizer_name="en_stem")
    schema.add_integer_field("place", stored=True)
    index = tantivy.Index(schema.build())
    writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)  # one: the same index every time
    for place, passage in enumerate(passages):
        writer.add_document(tantivy.Document(contents=passage["contents"], place=place))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def found(query: str) -> list[Mapping[str, object]]:
        parsed, _ = index.parse_query_lenient(_words(query), ["contents"])
        hits = searcher.search(parsed, k).hits
        best = [(score, searcher.doc(address)["place"][0]) for score, address in hits]
        best.sort(key=lambda hit: (-hit[0], hit[1]))
        return [{**passages[place], "score": round(score, 4)} for score, place in best]

    async def find(query: str) -> list[Mapping[str, object]]:
        return await asyncio.to_thread(found, query)  # else the model would wait for it

    return find


def _words(query: str) -> str:
    """The query without what its parser would take for operators."""
    words = "".join(c if c.isalnum() else " " for c in query).split()
    return " ".join(word.lower() for word in words)  # AND, OR and NOT are words like others


@contextlib.asynccontextmanager
async def _served(settings: Search) -> AsyncIterator[Find]:
    import aiohttp

    limit = aiohttp.ClientTimeout(total=settings.timeout_s)
    async with aiohttp.ClientSession(timeout=limit) as session:

        async def find(query: str) -> list[Mapping[str, object]]:
            asked = {"queries": [query], "topk": settings.k, "return_scores": True}
            try:
                async with session.post(settings.source, json=asked) as response:
                    response.raise_for_status()
                    return _found(await response.json(content_type=None))
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                reason = str(error) or type(error).__name__
                raise EnvironmentFailure(f"{settings.source}: {reason[:300]}") from None

        yield find


def _found(reply: object) -> list[Mapping[str, object]]:
    """Of `{"result": [[passage, …]]}`, or of a plain list, the passages."""
    found = reply.get("result", reply) if isinstance(reply, dict) else reply
    while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"answered {str(reply)[:80]!r}, which is no list of passages")
    return found

"""The page from a server: parts, the search, and who is refused."""

from __future__ import annotations

import http.client
import json
import threading
import zlib
from collections.abc import Iterator

import pytest

from prmdata.audit.ledger import Draw
from prmdata.errors import UsageError
from prmdata.files import write_traces
from prmdata.report.page.gathering import Gathering
from prmdata.report.page.serving import Server, listening, places
from prmdata.truth import truths
from tests.report.page import cases


@pytest.fixture
def server(own_place: None) -> Iterator[Server]:
    write_traces("l.jsonl", cases.with_truth(cases.traces(60, 4)))
    gathering = Gathering(truths("evidence"), Draw(50))
    gathering.read("l.jsonl")
    gathering.finish()
    with listening(gathering, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    gathering.close()


def asked(
    server: Server, path: str, host: str | None = None, method: str = "GET"
) -> tuple[int, bytes]:
    link = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
    link.request(method, path, headers={"Host": host} if host else {})
    answer = link.getresponse()
    body = answer.read()
    link.close()
    return answer.status, body


def test_columns_and_chunks_are_served_by_number(server) -> None:
    assert len(asked(server, "/column/flags")[1]) == 2 * 240
    status, data = asked(server, "/records/0/1")
    assert status == 200
    assert json.loads(zlib.decompress(data))[0]["trace"]["id"] == "p16/0"
    assert b"connect-src 'self'" in asked(server, "/")[1]
    assert asked(server, "/", method="HEAD")[1] == b""


@pytest.mark.parametrize(
    "path",
    ["/records/0/99", "/records/7/0", "/records/0/-1", "/records/0/1e3", "/column/x", "/heads/²", "/../l.jsonl", "/l.jsonl", "/search?file=9", "/search?from=-1&to=x"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(server, path: str) -> None:
    assert asked(server, path.replace("²", "%C2%B2"))[0] == 404


def test_a_page_of_another_host_cannot_read_along(server) -> None:
    port = server.server_address[1]
    assert asked(server, "/", f"evil.example:{port}")[0] == 421
    assert asked(server, "/", f"127.0.0.1.evil.example:{port}")[0] == 421
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert asked(server, "/", f"{name}:{port}")[0] == 200


def test_the_search_gives_record_numbers(server) -> None:
    status, data = asked(server, "/search?q=MARBLES%203%20%2B%202&file=0&from=0&to=9")
    assert status == 200
    assert json.loads(data) == [4 * p + 2 for p in range(60) if p % 4 == 2]


def test_the_search_reads_texts_and_nothing_else() -> None:
    chunk = '[{"trace":{"id":"a/0","problem":{"id":"p","question":"Ünd \\"so\\" weiter"},"steps":[{"text":"x\\ny"}],"labels":null}}]'
    assert places(chunk.encode(), "ünd") == [0]
    assert places(chunk.encode(), '"so"') == [0]
    assert places(chunk.encode(), "x\ny") == [0]
    assert places(chunk.encode(), "labels") == []


def test_a_port_that_is_taken_is_said_to_be(server) -> None:
    with (
        pytest.raises(UsageError, match="cannot listen on"),
        listening(server.parts.gathering, "127.0.0.1", server.server_address[1]),
    ):
        pass


@pytest.mark.browser
def test_the_served_page_is_the_same_page(browser, server) -> None:
    browser.open(server.address + "#/traces?sort=unsure")
    browser.wait("document.querySelectorAll('.row .id').length > 5")
    browser.key("/")
    browser.type("marbles 3 + 2")
    browser.wait("document.querySelector('#count')?.textContent.startsWith('15 of 240')")
    browser.look("document.activeElement.blur()")
    browser.key("j")
    browser.wait("document.querySelector('#pane h1')?.textContent.endsWith('/2')")

"""A server that only chats, on a thread: it judges as a script says, and counts what it is asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatServer:
    says: Callable[[dict[str, Any]], str]
    structured: bool = False
    """Whether it takes a shape for its answer; else it refuses requests with one."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if "response_format" in body and not self.structured:
            return 400, {"error": {"message": "response_format is not supported"}}
        self.asked.append(body)
        words = '{"ok": true}' if '"ok"' in str(body["messages"]) else self.says(body)
        choice = {"message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
        return 200, {"choices": [choice], "usage": {"completion_tokens": 7}}


@contextlib.contextmanager
def chatting(server: ChatServer) -> Iterator[ChatServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(200, {"data": [{"id": "talker"}]})

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            self.send(*server.answer(json.loads(self.rfile.read(length))))

        def send(self, status: int, content: dict[str, Any]) -> None:
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *words: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"chat:http://127.0.0.1:{listening.server_port}/v1"
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()

"""One small task as three agents write their sessions: events, a line each."""

from __future__ import annotations

from typing import Any

ASKED, FOUND, DONE = "Which files are here?", "a.py", "There is a.py."


def claude_code() -> list[dict[str, Any]]:
    call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": FOUND}
    turns = [
        ("user", ASKED),
        ("assistant", [{"type": "text", "text": "I look."}, call]),
        ("user", [result]),
        ("assistant", [{"type": "text", "text": DONE}]),
    ]
    return [
        {"type": role, "sessionId": "s1", "uuid": f"u{n}", "parentUuid": f"u{n - 1}" if n else None,
         "timestamp": f"2026-01-01T00:00:0{n}Z", "cwd": "/w", "version": "2.0",
         "message": {"role": role, "content": content}}
        for n, (role, content) in enumerate(turns)
    ]  # fmt: skip


def codex() -> list[dict[str, Any]]:
    call = {"type": "function_call", "name": "shell", "call_id": "c1"}
    items: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASKED}]},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "I look."}]},
        {**call, "arguments": '{"command": ["ls"]}'},
        {"type": "function_call_output", "call_id": "c1", "output": FOUND},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": DONE}]},
    ]  # fmt: skip
    meta = {"type": "session_meta", "payload": {"id": "s2", "cwd": "/w", "cli_version": "0.9"}}
    return [meta, *({"type": "response_item", "payload": item} for item in items)]


def pi() -> list[dict[str, Any]]:
    call = {"type": "toolCall", "id": "p1", "name": "bash", "arguments": {"command": "ls"}}
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": ASKED}]},
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, call]},
        {"role": "toolResult", "toolCallId": "p1", "toolName": "bash",
         "content": [{"type": "text", "text": FOUND}]},
        {"role": "assistant", "content": [{"type": "text", "text": DONE}]},
    ]  # fmt: skip
    head = {"type": "session", "version": 3, "id": "s3", "cwd": "/w"}
    return [
        head,
        *(
            {"type": "message", "id": f"m{n}", "parentId": f"m{n - 1}" if n else None, "message": m}
            for n, m in enumerate(turns)
        ),
    ]

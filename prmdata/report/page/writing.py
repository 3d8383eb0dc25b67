"""A gathering → one HTML file that needs nothing else, or the page that a server's parts go into.

Text of traces never stands in the page as text: it is packed, and the scripts put it on the screen
as text alone. The policy of the page (CSP) lets its own scripts and styles run and nothing else.
"""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from importlib.resources import files

import msgspec

from prmdata.report.page.gathering import Gathering
from prmdata.report.page.packing import text_of, texts_of, typed
from prmdata.report.page.rows import FLAGS
from prmdata.version import VERSION

SCRIPTS = (
    "dom",
    "packed",
    "query",
    "route",
    "mathematics",
    "text",
    "marks",
    "charts",
    "overview",
    "list",
    "replay",
    "tree",
    "trace",
    "judge",
    "keys",
    "main",
)
"""In the order in which they stand in the page; they share one module."""
MARK = '<meta name="generator" content="prmdata'


def page(gathering: Gathering, *, served: bool = False) -> bytes:
    script = "\n".join(_source(f"{name}.js") for name in SCRIPTS)
    style = _source("page.css")
    parts = {
        "policy": policy(script, style, served=served),
        "version": html.escape(VERSION),
        "title": html.escape(" · ".join(source.name for source in gathering.sources)),
        "style": style,
        "script": script,
        "facts": _json(facts(gathering, served=served)),
        "packed": "null" if served else _json(packed(gathering)),
    }
    template = _source("page.html")
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)
    return filled.encode("utf-8", "replace")


def policy(script: str, style: str, *, served: bool) -> str:
    connect = "connect-src 'self'; " if served else ""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; {connect}"
        "base-uri 'none'; form-action 'none'"
    )


def facts(gathering: Gathering, *, served: bool = False) -> dict[str, object]:
    """All that the first screen shows, and what the scripts need to read the rest."""
    return {
        "version": VERSION,
        "served": served,
        "rows": gathering.rows,
        "problems": gathering.problems,
        "flags": FLAGS,
        "columns": typed(gathering.columns()),
        "sample": [row for _, row in gathering.drawing.drawn()],
        "files": [
            {
                "name": source.name,
                "records": source.pack.records,
                "chunks": len(source.pack),
                "unreadable": source.unreadable_count,
                "unreadable_lines": source.unreadable,
                "cut": source.cut,
                **source.sums.figures(),
            }
            for source in gathering.sources
        ],
    }


def packed(gathering: Gathering) -> dict[str, object]:
    return {
        "columns": {
            name: text_of(column.tobytes()) for name, column in gathering.columns().items()
        },
        "heads": texts_of(gathering.heads),
        "records": [texts_of(source.pack) for source in gathering.sources],
    }


def _source(name: str) -> str:
    return (files(__package__) / "sources" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(value: object) -> str:
    """JSON that no parser of HTML takes for the end of its element."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")

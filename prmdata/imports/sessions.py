"""Sessions of coding agents (Claude Code, Codex, Pi, Droid, Hermes, OpenClaw, …), a file each.

They are read by teich, the parser that `datasets` (5 and later) uses, as messages and tools; then
they are chats like others. A folder is read file by file. They have no gold answers: label them
with judges, or from evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from prmdata.errors import InputError, PrmdataError
from prmdata.files import Unreadable
from prmdata.imports.chat import Chat
from prmdata.imports.contract import Row
from prmdata.records import Trace


@dataclass(frozen=True, slots=True)
class Sessions:
    steps: str = "auto"
    """How turns are cut into steps."""
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fits(cls, row: Row) -> bool:
        """A session is not told by a row: it is asked for by name."""
        del row
        return False

    @classmethod
    def read(cls, source: str) -> Iterator[tuple[Row | Unreadable, str]]:
        """Each session as one row; a file that is none says why."""
        try:
            from teich import convert_traces_to_training_data
        except ImportError:
            raise PrmdataError(
                "reading sessions of agents needs teich: pip install 'prmdata[sessions]'"
            ) from None
        place = Path(source)
        files = sorted(place.rglob("*.jsonl")) if place.is_dir() else [place]
        if not files or not place.exists():
            raise InputError(f"{source}: there are no sessions (*.jsonl) in it")
        for file in files:
            try:
                found = convert_traces_to_training_data(file)
            except Exception as error:  # noqa: BLE001  whatever the parser trips over is that file's
                reason = f"{file}: not a session ({type(error).__name__}: {str(error)[:300]})"
                yield Unreadable(str(file), reason), str(file)
                continue
            if not found:
                yield Unreadable(str(file), f"{file}: there is no session in it"), str(file)
            for number, row in enumerate(found):
                yield {**row, "file": file.stem, "number": number}, str(file)

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        about: Any = row.get("metadata")
        known = about if isinstance(about, dict) else {}
        own = str(known.get("session_id") or row["file"])
        for trace in Chat(steps=self.steps, fields=self.fields).traces(row, where):
            meta = {
                "source": "sessions",
                "agent": known.get("trace_type"),
                "model": known.get("model"),
            }
            meta = {name: value for name, value in meta.items() if value is not None}
            name = f"{own}-{row['number']}" if row["number"] else own
            yield replace(trace, id=name, problem=replace(trace.problem, meta=meta))

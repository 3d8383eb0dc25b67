"""What judges are asked: one file a prompt, which users can copy and change.

A file has parts that begin with `--- system ---` or `--- user ---`; `{name}` in them is a field.
What is put into a field is never read as a field itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import UsageError, unknown
from prmdata.records import Message

FOLDER = Path(__file__).parent
_PART = re.compile(r"^--- (system|user) ---\n", re.MULTILINE)
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    parts: tuple[tuple[str, str], ...]
    """Role and text."""

    @property
    def identity(self) -> str:
        """The name, with what tells another text of the same name."""
        digest = hashlib.blake2b(repr(self.parts).encode(), digest_size=4).hexdigest()
        return f"{self.name} {digest}"

    def messages(self, fields: Mapping[str, str]) -> list[Message]:
        def filled(text: str) -> str:
            return (
                _FIELD.sub(lambda found: fields.get(found[1], found[0]), text).rstrip("\n") + "\n"
            )

        made = [{"role": role, "content": filled(text)} for role, text in self.parts]
        return [message for message in made if message["content"].strip()]


def prompt(name: str, needed: tuple[str, ...]) -> Prompt:
    """The prompt of that name, or of that file; it must have the fields that are needed."""
    path = FOLDER / f"{name}.md"
    if not re.fullmatch(r"[\w-]+", name) or not path.is_file():
        path = Path(name)
    if not path.is_file():
        if "/" in name or "." in name:
            raise UsageError(f"--prompt {name}: there is no such file")
        raise unknown("prompt", name, sorted(p.stem for p in FOLDER.glob("*.md")))
    try:
        return read(path.stem, path.read_text(encoding="utf-8"), needed, name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--prompt {name}: cannot be read ({error})") from None


def read(name: str, text: str, needed: tuple[str, ...], source: str) -> Prompt:
    found = _PART.split(text)
    parts = tuple(zip(found[1::2], found[2::2], strict=True)) or (("user", text),)
    has = {field for _, part in parts for field in _FIELD.findall(part)}
    missing = [field for field in needed if field not in has]
    if missing:
        raise UsageError(
            f"--prompt {source}: has no field {{{missing[0]}}}; a prompt of this way of judging "
            f"needs {', '.join(f'{{{field}}}' for field in needed)} (copy one of {FOLDER})"
        )
    return Prompt(name, parts)

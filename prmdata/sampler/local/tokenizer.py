"""Text ↔ tokens for continuations: what follows a prefix, exactly, and where a stop string is."""

from __future__ import annotations

import json
from pathlib import Path

from prmdata.errors import SamplerError
from prmdata.sampler.models.boundary import Span, exact, span

LEAD = 6
"""Tokens of the prefix that are decoded along: some decoders trim what stands first."""


class TextTokenizer:
    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise SamplerError(
                f"{folder}: holds no tokenizer.json; write one with transformers: "
                "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
            )
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._exact = exact(self._tokenizer)
        self.ends = _end_ids(folder)

    def encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def span(self, prefix: str, text: str) -> Span:
        return span(self._exact, prefix, text)

    def token(self, number: int) -> str:
        """The text of one token by itself."""
        return str(self._tokenizer.decode([number], skip_special_tokens=False))

    def continuation(self, lead: list[int], ids: list[int]) -> str:
        """The text of `ids` as it stands after `lead`."""
        before = self._tokenizer.decode(lead, skip_special_tokens=True)
        whole = self._tokenizer.decode([*lead, *ids], skip_special_tokens=True)
        if whole.startswith(before):
            return str(whole[len(before) :])
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def stops(self, lead: list[int], ids: list[int], stop: tuple[str, ...]) -> bool:
        """Whether the last token completed a stop string."""
        if not stop:
            return False
        recent = max(len(s.encode()) for s in stop) + 4  # a token is at least a byte
        tail = self.continuation([*lead, *ids[:-recent]][-LEAD:], ids[-recent:])
        return any(text in tail for text in stop)


def cut_at(text: str, stop: tuple[str, ...]) -> str:
    """The text before the first stop string."""
    places = [place for place in (text.find(s) for s in stop) if place >= 0]
    return text[: min(places)] if places else text


def _end_ids(folder: Path) -> frozenset[int]:
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        if path.is_file():
            ids = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
            if ids is not None:
                return frozenset([ids] if isinstance(ids, int) else ids)
    return frozenset()

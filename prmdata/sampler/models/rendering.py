"""Messages → the exact text a model continues: its chat template, with the assistant turn open."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from prmdata.errors import InputError, SamplerError
from prmdata.records import Message
from prmdata.sampler.models.folders import SHIPPED
from prmdata.sampler.models.jinja import NOW, TemplateFailure, TemplateRefusal, render
from prmdata.sampler.models.jinja_process import render_apart

CHAT = "{{ {'messages': messages, 'response_format': response_format | default(none)} | tojson }}"
"""In the place of a template where the server has its own: the messages themselves, and the shape
that the answer should have."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    source: str | None
    """Jinja; `None` where the model has no chat template."""
    bos: str = ""
    eos: str = ""
    bos_by_default: bool = False
    """Whether the model's tokenizer puts `bos` before plain text by itself."""

    def open_turn(
        self,
        messages: Sequence[Message],
        template: str = "chat",
        arguments: Mapping[str, object] | None = None,
    ) -> str:
        """The prompt after which the model's own words follow."""
        if template == "raw":
            text = "".join(message["content"] for message in messages)
            lead = self.bos if self.bos_by_default and not text.startswith(self.bos) else ""
            return lead + text
        if self.source is None:
            raise SamplerError("this model has no chat template; try --template raw")
        return self._render(messages, arguments or {})

    def dated(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments, with today's date where the template prints one: what is rendered from
        them later is the same prompt."""
        if NOW in arguments or NOW not in (self.source or ""):
            return dict(arguments)
        return {**arguments, NOW: date.today().isoformat()}

    def _render(self, messages: Sequence[Message], arguments: Mapping[str, Any]) -> str:
        if isinstance(arguments.get(NOW), str):
            _check_day(arguments[NOW])
        variables = {
            "tools": None,
            "documents": None,
            **arguments,
            "messages": [dict(message) for message in messages],
            "add_generation_prompt": True,
            "bos_token": self.bos,
            "eos_token": self.eos,
        }
        source = self.source or ""
        try:
            return render(source, variables) if _is_own(source) else render_apart(source, variables)
        except TemplateRefusal as refusal:
            raise InputError(f"the chat template refuses these messages: {refusal}") from None
        except TemplateFailure as failure:
            raise SamplerError(f"the model's chat template fails: {failure}") from None


@functools.cache
def _is_own(source: str) -> bool:
    """Templates that are shipped with prmdata need no process of their own."""
    return source == CHAT or source in _shipped()


@functools.cache
def _shipped() -> frozenset[str | None]:
    return frozenset(read_template(folder).source for folder in SHIPPED.values())


def _check_day(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"template argument {NOW}={text!r}: write a date like 2026-01-31"
        ) from None


def read_template(folder: Path) -> ChatTemplate:
    """The template of a Hugging Face model folder."""
    config = _read_json(folder / "tokenizer_config.json")
    source = config.get("chat_template")
    standalone = folder / "chat_template.jinja"
    if standalone.is_file():
        source = standalone.read_text(encoding="utf-8")
    if isinstance(source, list):  # several named templates
        named = {entry["name"]: entry["template"] for entry in source}
        source = named.get("default")
    return ChatTemplate(
        source=source,
        bos=_token_text(config.get("bos_token")),
        eos=_token_text(config.get("eos_token")),
        bos_by_default=_adds_bos(folder, config),
    )


def _adds_bos(folder: Path, config: dict[str, object]) -> bool:
    if "add_bos_token" in config:
        return bool(config["add_bos_token"])
    tokenizer = _read_json(folder / "tokenizer.json")
    processor = json.dumps(tokenizer.get("post_processor"))
    bos = _token_text(config.get("bos_token"))
    return bool(bos) and json.dumps(bos) in processor


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SamplerError(f"{path}: not JSON ({str(error)[:200]}); fetch the file again") from None
    if not isinstance(loaded, dict):
        raise SamplerError(f"{path}: not a JSON object; fetch the file again")
    return loaded


def _token_text(token: Any) -> str:
    if isinstance(token, dict):
        token = token.get("content")
    return token or ""

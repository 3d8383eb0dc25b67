"""Messages → the exact text a model continues: its chat template, with the assistant turn open.

The same rendering as transformers' (Jinja in a sandbox, the same tags and filters, `tools` and
`documents` as none), without importing it: a stage that replays rollouts needs a template and no
model.
"""

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

NOW = "strftime_now"
"""What templates call for the date. Among a trace's template arguments: the day it was sampled."""


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
        arguments: Mapping[str, Any] | None = None,
    ) -> str:
        """The prompt after which the model's own words follow."""
        if template == "raw":
            text = "".join(message["content"] for message in messages)
            lead = self.bos if self.bos_by_default and not text.startswith(self.bos) else ""
            return lead + text
        if self.source is None:
            raise SamplerError("this model has no chat template; try --template raw")
        return self._render(messages, arguments or {})

    def dated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments, with today's date where the template prints one: what is rendered from
        them later is the same prompt."""
        if NOW in arguments or NOW not in (self.source or ""):
            return dict(arguments)
        return {**arguments, NOW: date.today().isoformat()}

    def _render(self, messages: Sequence[Message], arguments: Mapping[str, Any]) -> str:
        import jinja2

        given = dict(arguments)
        if isinstance(given.get(NOW), str):
            given[NOW] = _day(given[NOW]).strftime
        try:
            text: str = _compiled(self.source or "").render(
                {"tools": None, "documents": None, **given},
                messages=[dict(m) for m in messages],
                add_generation_prompt=True,
                bos_token=self.bos,
                eos_token=self.eos,
            )
        except TemplateRefusal as refusal:
            raise InputError(f"the chat template refuses these messages: {refusal}") from None
        except jinja2.TemplateError as error:
            raise SamplerError(f"the model's chat template fails: {error}") from None
        return text


def _day(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"template argument {NOW}={text!r}: write a date like 2026-01-31"
        ) from None


class TemplateRefusal(Exception):
    """Raised by a template's own `raise_exception`."""


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


def _adds_bos(folder: Path, config: dict[str, Any]) -> bool:
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


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> Any:
    import jinja2.ext
    import jinja2.sandbox

    from prmdata.sampler.models.generation_tag import GenerationTag

    def refuse(message: str) -> None:
        raise TemplateRefusal(message)

    def to_json(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals[NOW] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)

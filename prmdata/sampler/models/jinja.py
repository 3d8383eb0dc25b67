"""A chat template as transformers renders it: Jinja in a sandbox, the same tags and filters.

Without importing transformers: a stage that replays rollouts needs a template and no model.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

NOW = "strftime_now"
"""What templates call for the date. Among a trace's template arguments: the day it was sampled."""


class TemplateRefusal(Exception):
    """Raised by a template's own `raise_exception`."""


class TemplateFailure(Exception):
    """A template that cannot be rendered."""


def render(source: str, variables: Mapping[str, Any]) -> str:
    import jinja2

    given = dict(variables)
    if isinstance(given.get(NOW), str):
        given[NOW] = datetime.fromisoformat(given[NOW]).strftime
    try:
        text: str = _compiled(source).render(given)
    except jinja2.TemplateError as error:
        raise TemplateFailure(str(error)) from None
    return text


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> Any:
    import jinja2.ext
    import jinja2.sandbox

    from prmdata.sampler.models.generation_tag import GenerationTag

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals[NOW] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


def _refuse(message: str) -> None:
    raise TemplateRefusal(message)


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )

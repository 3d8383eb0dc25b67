"""What answers a step that acts: one file each. A name here begins what `--environment` takes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields

from prmdata.environments.calculator import Calculator
from prmdata.environments.command import Command, Function
from prmdata.environments.contract import Environment, Opens, Reply, Tool
from prmdata.environments.python import Python
from prmdata.environments.search import Search
from prmdata.environments.verifiers import Verifiers
from prmdata.environments.worlds import Worlds
from prmdata.errors import UsageError
from prmdata.registry import Registry
from prmdata.settings import configured

__all__ = ["ENVIRONMENTS", "Environment", "Opens", "Reply", "Tool", "environment", "is_harmless"]

ENVIRONMENTS: Registry[type[Opens]] = Registry(
    "environment",
    "prmdata.environments",
    {
        "calculator": Calculator,
        "command": Command,
        "python": Python,
        "search": Search,
        "verifiers": Verifiers,
        "worlds": Worlds,
    },
)


def environment(spec: str, settings: Mapping[str, object]) -> Opens:
    """`calculator`, `search:corpus.jsonl`, `command:PROGRAM` or `module:function`, configured."""
    name, colon, rest = spec.partition(":")
    meant = difflib.get_close_matches(name, ENVIRONMENTS, n=1, cutoff=0.7)
    if not meant and colon and rest.isidentifier():
        return configured(Function, {"program": spec, **settings})
    kind = ENVIRONMENTS[name]
    if not colon:
        return configured(kind, settings)
    own = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if not own or own[0] not in ("source", "program"):
        raise UsageError(f"--environment {spec}: '{name}' takes nothing after the colon")
    return configured(kind, {own[0]: rest, **settings})


def is_harmless(spec: str) -> bool:
    """Whether a spec that stands in a file of traces may be followed: it runs no program that the
    file names, and asks no server."""
    name, _, rest = spec.partition(":")
    if name == "search":
        return not rest.startswith(("http://", "https://"))
    return name in ENVIRONMENTS.own and name not in ("command", "verifiers")

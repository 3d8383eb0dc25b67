"""Models that continue text, behind one protocol; `open_sampler` takes the spec a user types."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prmdata.errors import UsageError, unknown
from prmdata.sampler.models.folders import ABACUS_MODEL, SHIPPED
from prmdata.sampler.protocol import Completion, Sampler, Sampling

__all__ = [
    "ABACUS_MODEL",
    "SAMPLERS",
    "Completion",
    "Sampler",
    "Sampling",
    "is_recorded",
    "open_sampler",
]


@dataclass(frozen=True, slots=True)
class SamplerKind:
    """One way to name a sampler. The opener is imported when asked for."""

    module: str
    opener: str
    usage: str
    help: str
    names_model: bool = False
    """The rest of the spec is the model's folder or hub id."""
    recorded: bool = False


SAMPLERS = {
    "abacus": SamplerKind(
        "prmdata.sampler.embedded",
        "open_embedded",
        "abacus[:agent]",
        "the small models shipped with prmdata",
        names_model=True,
    ),
    "player": SamplerKind(
        "prmdata.sampler.player",
        "open_player",
        "player[:SLIPS]",
        "a program that plays the small worlds; no model",
    ),
    "local": SamplerKind(
        "prmdata.sampler.local",
        "open_local",
        "local:FOLDER",
        "a causal language model on torch",
        names_model=True,
    ),
    "vllm": SamplerKind(
        "prmdata.sampler.vllm.engine",
        "open_vllm",
        "vllm:MODEL",
        "vLLM in this process",
        names_model=True,
    ),
    "http": SamplerKind(
        "prmdata.sampler.endpoint.connecting",
        "open_endpoint",
        "http://HOST/v1[,…]",
        "one or more OpenAI-compatible servers",
    ),
    "chat": SamplerKind(
        "prmdata.sampler.endpoint.chatting",
        "open_chat",
        "chat:http://HOST/v1",
        "a server that only chats, for judges",
    ),
    "prm": SamplerKind(
        "prmdata.sampler.endpoint.rating",
        "open_rating",
        "prm:http://HOST/v1",
        "one or more servers of a reward model, for `estimate --method prm`",
    ),
    "bank": SamplerKind(
        "prmdata.sampler.bank", "open_bank", "bank:FILE", "a frozen set of rollouts", recorded=True
    ),
    "replay": SamplerKind(
        "prmdata.sampler.replay",
        "open_replay",
        "replay:STORE",
        "the completions of a store, and no others",
        recorded=True,
    ),
}


async def open_sampler(spec: str, options: Mapping[str, str] | None = None) -> Sampler:
    """Start the sampler that `spec` names; `options` are engine arguments as typed."""
    kind, rest = parse_spec(spec)
    entry = SAMPLERS[kind]
    opener = getattr(importlib.import_module(entry.module), entry.opener)
    sampler: Sampler = await opener(rest, dict(options or {}), spec=spec)
    return sampler


def is_recorded(spec: str) -> bool:
    """Whether the sampler only reads what was recorded: nothing it gives is worth storing."""
    entry = SAMPLERS.get(spec.partition(":")[0])
    return entry is not None and entry.recorded


def parse_spec(spec: str) -> tuple[str, str]:
    """The kind of sampler, and the path, model or address that goes with it."""
    if spec.startswith(("http://", "https://")):
        return "http", spec
    kind, _, rest = spec.partition(":")
    if spec in SHIPPED:
        return kind, str(SHIPPED[spec])
    if kind == "abacus":
        raise unknown("embedded model", spec, SHIPPED)
    if kind not in SAMPLERS and re.match(r"[/\d]", rest):
        host = spec.rstrip("/").removesuffix("/v1")
        raise UsageError(f"sampler '{spec}': write the whole address, such as http://{host}/v1")
    if kind not in SAMPLERS and (Path(spec).is_dir() or spec.startswith((".", "/", "~"))):
        raise UsageError(f"unknown sampler '{spec}'; for a model in a folder write local:{spec}")
    if kind not in SAMPLERS and "/" in spec:
        raise UsageError(
            f"unknown sampler '{spec}'; for a model of the hub write vllm:{spec} (on a GPU), or "
            f"serve it (prmdata serve {spec}) and name the server: http://localhost:8000/v1"
        )
    if kind not in SAMPLERS:
        raise unknown("sampler", kind, SAMPLERS)
    if not rest and kind != "player":
        raise UsageError(f"sampler '{spec}' is incomplete: write {SAMPLERS[kind].usage}")
    return kind, rest

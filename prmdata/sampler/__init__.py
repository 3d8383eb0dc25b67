"""Models that continue text, behind one protocol; `open_sampler` takes the spec a user types."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from prmdata.errors import UsageError, unknown
from prmdata.sampler.models.folders import ABACUS_MODEL
from prmdata.sampler.protocol import Completion, Sampler, Sampling

__all__ = ["ABACUS_MODEL", "SAMPLERS", "Completion", "Sampler", "Sampling", "open_sampler"]

SAMPLERS = {
    "abacus": ("prmdata.sampler.local", "open_local", "the small model shipped with prmdata"),
    "local": (
        "prmdata.sampler.local",
        "open_local",
        "local:FOLDER, a causal language model on torch",
    ),
    "vllm": ("prmdata.sampler.vllm.engine", "open_vllm", "vllm:MODEL, vLLM in this process"),
    "http": (
        "prmdata.sampler.endpoint.connecting",
        "open_endpoint",
        "http://HOST/v1[,…], OpenAI-compatible",
    ),
    "bank": ("prmdata.sampler.bank", "open_bank", "bank:FILE, a frozen set of rollouts"),
    "replay": ("prmdata.sampler.replay", "open_replay", "replay:STORE, recorded rollouts only"),
}
"""Spec kind → (module, opener, one line of help). Openers are imported when asked for."""


async def open_sampler(spec: str, options: Mapping[str, str] | None = None) -> Sampler:
    """Start the sampler that `spec` names; `options` are engine arguments as typed."""
    kind, rest = parse_spec(spec)
    module, opener, _ = SAMPLERS[kind]
    sampler: Sampler = await getattr(importlib.import_module(module), opener)(
        rest, dict(options or {}), spec=spec
    )
    return sampler


def parse_spec(spec: str) -> tuple[str, str]:
    """The kind of sampler, and the path, model or address that goes with it."""
    if spec.startswith(("http://", "https://")):
        return "http", spec
    kind, colon, rest = spec.partition(":")
    if kind == "abacus" and not colon:
        return kind, str(ABACUS_MODEL)
    if kind not in SAMPLERS:
        raise unknown("sampler", kind, SAMPLERS)
    if not rest:
        raise UsageError(f"sampler '{spec}' says not which: write it as {SAMPLERS[kind][2]}")
    return kind, rest

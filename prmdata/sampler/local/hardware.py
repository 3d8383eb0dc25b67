"""Which device and number type to compute with. Fixed at the start: both are part of a model."""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import os
from pathlib import Path

import torch

from prmdata.errors import SamplerError


def choose_device(asked: str) -> torch.device:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return torch.device(next((name for name, found in there.items() if found), "cpu"))
    if not there.get(asked, True):
        raise SamplerError(f"device {asked} is not there; leave --engine-arg device out")
    return torch.device(asked)


def choose_dtype(asked: str, device: torch.device) -> torch.dtype:
    """bfloat16 where it is fast: on a GPU, and on CPUs that multiply it themselves."""
    if asked != "auto":
        return torch.bfloat16 if asked == "bfloat16" else torch.float32
    if device.type == "cpu":
        return torch.bfloat16 if cpu_multiplies_bfloat16() else torch.float32
    return torch.bfloat16


def cpu_multiplies_bfloat16() -> bool:
    """AMX or AVX512-bf16: elsewhere bfloat16 is several times slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def use_threads(asked: int) -> None:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(asked or available or 1)

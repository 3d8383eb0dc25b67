"""Datasets as trainers get them: traces of abacus, labelled by the oracle, exported, loaded."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.records import Evidence, Labels, Trace
from prmdata.sampler import ABACUS_MODEL
from prmdata.truth import truth_of

MODEL = str(ABACUS_MODEL)


def with_truth(trace: Trace) -> Trace:
    truth = truth_of(trace, "abacus")
    assert truth is not None
    first = truth.first_wrong
    values = tuple(float(first is None or i < first) for i in range(len(trace.steps)))
    hits = tuple(round(8 * value) for value in values)
    counted = trace.with_evidence(Evidence("mc", "rollouts", values, hits, (8,) * len(values)))
    return replace(counted, labels=Labels("truth", first, values, 1.0))


def loaded(
    where: Path, traces: list[Trace], to: str, settings: dict[str, Any] | None = None
) -> Any:
    """The exported folder as `datasets` reads it."""
    import datasets

    prmdata.export(traces, output=str(where / "dataset"), to=to, settings=settings)
    return datasets.load_dataset(str(where / "dataset"), cache_dir=str(where / "cache"))["train"]


def needs(*modules: str) -> list[pytest.MarkDecorator]:
    """The marks of tests that run a trainer which these modules hold."""
    missing = [name for name in modules if not has(name)]
    brings = "`make test-trainers` or `make test-more-trainers` brings it"
    reason = f"{', '.join(missing)}: not installed here; {brings}"
    return [
        pytest.mark.trainers,
        pytest.mark.skipif(bool(missing), reason=reason),
        pytest.mark.filterwarnings("ignore"),  # the trainers' own and their libraries' deprecations
    ]


def has(module: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a parent package that is experimental says so
        try:
            return importlib.util.find_spec(module) is not None
        except ModuleNotFoundError:  # a parent package is not there
            return False


def version(package: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, importlib.metadata.version(package).split(".")[:2]))
    except importlib.metadata.PackageNotFoundError:
        return (0, 0)


def two_steps(where: Path) -> dict[str, Any]:
    """What every trainer is asked for: two steps on the CPU, and nothing else."""
    return {
        "output_dir": str(where / "run"),
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "logging_steps": 1,
        "report_to": [],
        "save_strategy": "no",
        "use_cpu": True,
        "bf16": False,
        "disable_tqdm": True,
        "seed": 0,
    }


def losses(trainer: Any) -> list[float]:
    """Of the steps taken, each of them finite."""
    found = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert trainer.state.global_step == len(found) == 2
    assert all(map(math.isfinite, found))
    return found


def padded(column: list[list[Any]], fill: float) -> Any:
    import torch

    return torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(row) for row in column], batch_first=True, padding_value=fill
    )

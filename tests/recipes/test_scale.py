"""The model of a large run against arithmetic, and the job files against the program."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

from prmdata.cli import app
from prmdata.files import write_traces
from tests.run.sharded.test_parts import lines, traces

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/scale"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate", RECIPE / "simulate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate"] = module
    spec.loader.exec_module(module)
    return module


MODEL = loaded()


def test_full_servers_make_what_their_windows_let_them() -> None:
    costs = MODEL.Costs(client_s=1e-9)
    load = MODEL.Load(cached=1.0, window=64, traces_in_flight=512)
    found = MODEL.simulate(2, 1, costs, load, 3000)
    tokens = 64 / (costs.step_s + 64 * costs.token_s)
    mean = load.tokens + 0.02  # of an exponential that begins at one
    assert found.batch == pytest.approx(64, rel=0.02)
    assert found.requests_s == pytest.approx(2 * tokens / mean, rel=0.05)


def test_one_driver_gives_no_more_than_its_core() -> None:
    costs = MODEL.Costs(step_s=1e-6, token_s=1e-9, client_s=1e-3)
    found = MODEL.simulate(10, 1, costs, MODEL.Load(traces_in_flight=200), 3000)
    assert found.requests_s == pytest.approx(1000, rel=0.02)
    assert found.driver_busy > 0.98
    two = MODEL.simulate(10, 2, costs, MODEL.Load(traces_in_flight=200), 6000)
    assert two.requests_s == pytest.approx(2000, rel=0.02)


def test_a_chain_that_is_alone_takes_the_sum_of_its_parts() -> None:
    costs = MODEL.Costs(client_s=2e-3)
    load = MODEL.Load(traces_in_flight=1, tokens=40.0, cached=0.5, prompt=100)
    found = MODEL.simulate(1, 1, costs, load, 900)
    prefill = 50 * costs.prefill_s
    seconds = costs.client_s + 40.0 * (costs.step_s + costs.token_s) + prefill
    assert found.requests_s == pytest.approx(1 / seconds, rel=0.06)


@pytest.mark.parametrize("name", ["slurm.sh", "sky.yaml", "kubernetes.yaml", "README.md"])
def test_every_command_of_a_job_file_parses(name: str) -> None:
    program = typer.main.get_command(app)
    text = (RECIPE / name).read_text().replace("\\\n", " ")
    text = re.sub(r"\$\(\([^)]*\)\)|\$\(printf[^)]*\)|\$\w+", "1", text)
    found = re.findall(r"\bprmdata ((?:label|serve|merge) [^\n|;`)#]+)", text)
    assert found
    for line in found:
        words = shlex.split(line)
        command = program.commands[words[0]]  # type: ignore[attr-defined]
        command.make_context(words[0], words[1:], resilient_parsing=False)


@pytest.mark.parametrize("name", ["sky.yaml", "kubernetes.yaml"])
def test_job_files_are_yaml(name: str) -> None:
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load((RECIPE / name).read_text())
    assert {"sky.yaml": "run", "kubernetes.yaml": "spec"}[name] in read


def test_the_array_of_slurm_labels_every_shard_and_merges_to_the_whole(tmp_path: Path) -> None:
    write_traces(str(tmp_path / "t.jsonl"), traces(6))
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script = f'#!/bin/sh\nshift\nexec "{sys.executable}" -m prmdata verify "$@"\n'
    (bin_ / "prmdata").write_text(script.replace("--give-up 2h", ""))
    (bin_ / "prmdata").chmod(0o755)
    # `verify` stands for `label`, so that no model is needed; it waits for no server.
    text = (RECIPE / "slurm.sh").read_text().replace("    --give-up 2h \\\n", "")
    (tmp_path / "job.sh").write_text(text)
    for task in range(1, 4):
        env = {
            **os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{bin_}:{os.environ['PATH']}",
            "SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3",
        }  # fmt: skip
        words = ["bash", "job.sh", "t.jsonl", "parts"]
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    parts = sorted((tmp_path / "parts").glob("part-*.jsonl"))
    assert [path.name for path in parts] == [f"part-0000{i}.jsonl" for i in (1, 2, 3)]
    made = sorted(line for path in parts for line in lines(str(path)))
    assert len(made) == 12
    assert len(set(made)) == 12

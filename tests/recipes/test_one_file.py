"""The run that stands in one file, typed as its README says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import prmdata
from tests.warm import command

pytestmark = pytest.mark.slow
RECIPE = Path(__file__).parents[2] / "recipes" / "one_file"
LINES = re.findall(r"^    prmdata (.*)$", (RECIPE / "README.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("one-file")
    shutil.copy(RECIPE / "run.toml", place)
    for line in LINES:
        done = command(*line.split(), folder=place)
        assert done.returncode == 0, done.stderr
    return place


def test_every_stage_reads_the_file(place: Path) -> None:
    labelled = list(prmdata.read(place / "run" / "labelled.jsonl"))
    assert len(labelled) == 16
    assert {trace.origin.seed for trace in labelled} == {1}
    assert {t.labels.by for t in labelled if t.labels} == {"bisect"}
    assert all(trace.evidence_named("arithmetic") for trace in labelled)
    card = (place / "run" / "dataset" / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert {path.name.split("-")[0] for path in (place / "run/dataset/data").iterdir()} == {
        "train",
        "test",
    }


def test_what_is_typed_wins(place: Path) -> None:
    tried = list(prmdata.read(place / "run" / "quick.jsonl"))
    settings = {str(t.labels.settings.get("rollouts_per_probe")) for t in tried if t.labels}
    assert settings == {"2"}


def test_the_same_again_is_up_to_date_and_a_change_is_named(place: Path) -> None:
    assert "is up to date" in command(*LINES[0].split(), folder=place).stderr
    config = place / "changed.toml"
    config.write_text((place / "run.toml").read_text().replace("samples = 4", "samples = 5"))
    refused = command("generate", "--config", "changed.toml", folder=place)
    assert refused.returncode == 2
    assert "samples" in refused.stderr
    config.write_text((place / "run.toml").read_text().replace("samples = 4", "smaples = 4"))
    assert "did you mean" in command("generate", "--config", "changed.toml", folder=place).stderr

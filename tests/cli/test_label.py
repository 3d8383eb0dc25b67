"""What `label` and `estimate` are told of rollouts reaches the sampler."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from prmdata.cli import app
from prmdata.files import write_traces
from prmdata.records import Trace
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.stages.label import Labelling


@pytest.mark.parametrize("verb", ["label", "estimate"])
def test_every_option_for_rollouts_is_a_setting_of_theirs(
    verb: str, traces: list[Trace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is spent: a forecast is made of the request, which is looked at on its way."""
    path = tmp_path / "t.jsonl"
    write_traces(str(path), traces[:4])
    requests: list[Labelling] = []

    def looked_at(request: Labelling) -> object:
        requests.append(request)
        return real(request)

    from prmdata.stages import label as stage

    real = stage.forecast
    monkeypatch.setattr(stage, "forecast", looked_at)
    words = (
        f"{verb} {path} --dry-run --seed 3 --temperature 0.6 --top-p 0.9 --top-k 20 "
        "--max-tokens 99 --stop ### --stop Q: --cut drop --template-arg enable_thinking=false"
    )
    done = CliRunner().invoke(app, [*words.split(), "--system", "Be brief."])
    assert done.exit_code == 0, done.output
    assert requests[0].rollouts == RolloutSettings(
        seed=3,
        temperature=0.6,
        top_p=0.9,
        top_k=20,
        max_tokens=99,
        stop=("###", "Q:"),
        system="Be brief.",
        template_args={"enable_thinking": False},
        cut="drop",
    )
    CliRunner().invoke(app, [verb, str(path), "--dry-run"])
    assert requests[1].rollouts == RolloutSettings()

"""Uploads over real HTTP, to a small hub in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from prmdata.errors import OutputError, UsageError
from prmdata.files import write_traces
from prmdata.stages.publish import Upload, check_publishing, reported
from tests.exports.cases import RIGHT, WRONG
from tests.stages.hub import TOKEN
from tests.warm import program

Run = Callable[..., subprocess.CompletedProcess[str]]
TREE = Path(__file__).parent.parent.parent


@pytest.fixture
def python(tmp_path: Path, hub: tuple[str, Path]) -> Run:
    """Python beside traces of twenty problems, `t.jsonl`, with the hub at hand."""
    problems = [replace(WRONG.problem, id=str(n)) for n in range(20)]
    given = [replace(t, problem=p) for p in problems for t in (WRONG, RIGHT)]
    write_traces(str(tmp_path / "t.jsonl"), given)

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        prmdata = words[:2] == ("-m", "prmdata")
        return subprocess.run(
            [*program(), *words[2:]] if prmdata else [sys.executable, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(TREE),
                "HF_HOME": str(tmp_path / "hf"),
                "HF_ENDPOINT": hub[0],
                "HF_HUB_DISABLE_XET": "1",  # its transfers go through a server of their own
                **({"HF_TOKEN": TOKEN} | environment),
            },
            timeout=120,
        )

    return run


@pytest.fixture
def export(python: Run) -> Run:
    """`prmdata export` of those traces to `ds`."""
    return partial(python, "-m", "prmdata", "export", "t.jsonl", "-o", "ds")


def test_a_dataset_goes_up_in_one_commit_and_loads_from_there(
    export: Run, hub: tuple[str, Path], tmp_path: Path
) -> None:
    done = export("--split", "train=0.5,test=0.5", "--push-to-hub", "me/steps")
    assert done.returncode == 0, done.stderr
    assert f"→ {hub[0]}/datasets/me/steps" in done.stderr
    repo = hub[1] / "me" / "steps"
    assert (repo / ".repo").read_text() == "private"
    manifest = json.loads((repo / "manifest.json").read_text())
    for name, known in manifest["files"].items():
        assert hashlib.sha256((repo / name).read_bytes()).hexdigest() == known["sha256"], name
    card = (repo / "README.md").read_text()
    assert 'datasets.load_dataset("me/steps"' in card
    assert "# me/steps\n" in card
    assert 'load_dataset("ds"' in (tmp_path / "ds" / "README.md").read_text()
    log = (hub[1] / "log").read_text()
    assert log.count("/commit/main") == 1
    code = (
        "import datasets; found = datasets.load_dataset('me/steps');"
        "print({name: len(rows) for name, rows in found.items()})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "HF_ENDPOINT": hub[0],
            "HF_HOME": str(tmp_path / "other"),
            "HF_TOKEN": TOKEN,
        },
        cwd=tmp_path / "hub",
    )
    assert done.returncode == 0, done.stderr
    loaded = eval(done.stdout)
    counts = manifest["counts"]
    assert loaded == {"train": counts["rows in train"], "test": counts["rows in test"]}


def test_shards_of_an_earlier_upload_do_not_stay(export: Run, hub: tuple[str, Path]) -> None:
    push = ("--push-to-hub", "me/steps", "-q")
    assert export("--split", "train=0.5,test=0.5", *push).returncode == 0
    (hub[1] / "me" / "steps" / "notes.md").write_text("somebody's own")
    done = export("--overwrite", *push)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    found = sorted(path.name for path in (hub[1] / "me" / "steps").rglob("*") if path.is_file())
    assert found == [
        ".repo",
        "README.md",
        "manifest.json",
        "notes.md",
        "train-00000-of-00001.parquet",
    ]
    again = export(*push[:2], "--public")
    assert again.returncode == 0, again.stderr
    assert "up to date" in again.stderr
    assert (hub[1] / "me" / "steps" / ".repo").read_text() == "private"
    assert export("--push-to-hub", "me/open", "--public").returncode == 0
    assert (hub[1] / "me" / "open" / ".repo").read_text() == "public"


def test_a_dry_run_lists_files_bytes_and_card_and_sends_nothing(
    export: Run, hub: tuple[str, Path], tmp_path: Path
) -> None:
    planned = export("--push-to-hub", "me/steps", "--dry-run", HF_TOKEN="")
    assert planned.returncode == 0, planned.stderr
    assert "40 rows written" in planned.stderr
    assert "nothing was uploaded" in planned.stderr
    assert not (tmp_path / "ds").exists()
    assert not (hub[1] / "log").exists()
    assert export().returncode == 0
    same = export("--push-to-hub", "me/steps", "--dry-run", HF_TOKEN="")
    assert same.stdout == planned.stdout
    assert export("--push-to-hub", "me/steps").returncode == 0
    repo = hub[1] / "me" / "steps"
    listed = dict(reversed(line.split()) for line in planned.stdout.split("\n\n")[0].splitlines())
    assert {name: int(size.replace(",", "")) for name, size in listed.items()} == {
        str(path.relative_to(repo)): path.stat().st_size
        for path in repo.rglob("*")
        if path.is_file() and path.name != ".repo"
    }
    assert planned.stdout.endswith((repo / "README.md").read_text())


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (("me/steps",), {"HF_TOKEN": ""}, 1, "no token for the hub; log in with `hf auth login`"),
        (("me/steps",), {"HF_TOKEN": "hf_wrong"}, 1, "the token is not valid"),
        (("theirs/steps",), {}, 1, "may not write to theirs/steps"),
        (("me/steps",), {"HF_ENDPOINT": "http://127.0.0.1:9"}, 1, "check the network"),
        (("me/steps",), {"HF_HUB_OFFLINE": "1"}, 1, "offline mode"),
        (("me/steps", "--license", "nonsense"), {}, 0, "→ http"),
        (("a/b/c",), {}, 2, "write it as OWNER/NAME"),
        (("me/steps", "-o", "ds.jsonl"), {}, 2, "name the local directory"),
        (("me/steps", "-o", "-"), {}, 2, "name the local directory"),
    ],
)
def test_what_stops_an_upload_is_said_and_the_token_never(
    export: Run,
    tmp_path: Path,
    words: tuple[str, ...],
    environment: dict[str, str],
    code: int,
    said: str,
) -> None:
    done = export("--push-to-hub", *words, **environment)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1 and environment.get("HF_TOKEN") != "":
        assert "ds: the same command again only uploads it" in done.stderr
        assert (tmp_path / "ds" / "manifest.json").exists()
    token = environment.get("HF_TOKEN") or TOKEN
    assert token not in done.stderr + done.stdout
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if token.encode() in path.read_bytes()]


def test_a_token_in_an_error_is_not_repeated(tmp_path: Path) -> None:
    def echo() -> str:
        raise ValueError(f"Bearer {TOKEN} is no token")

    with pytest.raises(OutputError, match="Bearer … is no token"):
        reported(echo, Upload(tmp_path, "me/x", (), ""), TOKEN)


@pytest.mark.parametrize("repo", ["", "a b", "../x", "a/../b", "a--b", "/a", "a/"])
def test_names_that_are_none_are_refused_before_any_work(repo: str) -> None:
    with pytest.raises(UsageError, match="OWNER/NAME"):
        check_publishing(repo, "ds")


@pytest.mark.slow
def test_the_library_publishes_what_it_exported(python: Run, hub: tuple[str, Path]) -> None:
    code = (
        "import prmdata; prmdata.export(prmdata.read('t.jsonl'), output='ds');"
        "print(prmdata.publish('ds', {!r}, public={}))"
    )
    done = python("-c", code.format("me/steps", False))
    assert (done.stdout, done.stderr) == (f"{hub[0]}/datasets/me/steps\n", "")
    repo = hub[1] / "me" / "steps"
    assert (repo / ".repo").read_text() == "private"
    assert (repo / "data" / "train-00000-of-00001.parquet").exists()
    assert python("-c", code.format("me/open", True)).returncode == 0
    assert (hub[1] / "me" / "open" / ".repo").read_text() == "public"
    assert "OWNER/NAME" in python("-c", code.format("a/b/c", False)).stderr


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "link"])
def test_nothing_outside_the_folder_is_published(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "secret").write_text("mine")
    (folder / "README.md").write_text("# set\n")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "manifest.json").write_text(json.dumps({"files": {"README.md": {}, name: {}}}))
    with pytest.raises(OutputError, match="not in the dataset's folder"):
        Upload.of(str(folder), "me/set")

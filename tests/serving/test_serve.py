"""`prmdata serve` in every state, over a fake vLLM; and once over the real one."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from prmdata.serving import Record, free_port
from prmdata.serving.processes import table
from tests.serving.conftest import Serve


def until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.02)


def lives(pid: int) -> bool:
    return pid in table()


def child(place: Path) -> int:
    return int((place / "child").read_text())


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def words_of(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/models") as answer:
        return json.load(answer)["data"][0]["argv"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_foreground_it_lives_until_it_is_told_to_end(
    serve: Serve, tmp_path: Path, number: signal.Signals
) -> None:
    running = serve("abacus")
    url = address(running)
    words = words_of(url)
    assert words[words.index("--served-model-name") + 1] == "abacus"
    helper = child(tmp_path)
    assert lives(helper)
    running.send_signal(number)
    code, out, err = finished(running)
    assert (code, out) == (130, "")
    assert "Ctrl-C ends it" in err
    assert f"export PRMDATA_SAMPLER={url}" in err
    assert not lives(helper)  # though it left the group and ignores the signal
    assert list((tmp_path / ".prmdata/servers").glob("*.json")) == []
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/models")


def test_detached_it_is_found_and_stopped_by_later_commands(serve: Serve, tmp_path: Path) -> None:
    code, out, err = finished(serve("abacus", "--detach"))
    assert code == 0, err
    url = out.strip()
    assert words_of(url)
    code, out, _ = finished(serve("--status"))
    assert (code, out.split()[:3]) == (0, [url, "abacus", "running"])
    helper = child(tmp_path)
    code, _, err = finished(serve("--stop"))
    assert (code, err) == (0, f"serve: abacus at {url} is stopped\n")
    assert not lives(helper)
    for word in ("--stop", "--status"):
        code, _, err = finished(serve(word))
        assert code == 1
        assert "no server" in err


def test_a_slow_start_is_told_about_and_can_be_cut_short(serve: Serve, tmp_path: Path) -> None:
    starting = serve("abacus", mode="slow")
    log = tmp_path / ".prmdata/servers"
    until(lambda: any("Loading" in path.read_text() for path in log.glob("*.log")))
    assert " starting " in finished(serve("--status"))[1]
    helper = child(tmp_path)
    starting.send_signal(signal.SIGINT)
    code, out, err = finished(starting)
    assert (code, out) == (130, "")
    assert "its log: .prmdata/servers/" in err
    assert not lives(helper)
    again = serve("abacus", mode="slow")
    (tmp_path / "go").touch()
    assert words_of(address(again))


def test_a_crash_at_the_start_gives_the_reason_and_what_to_try(
    serve: Serve, tmp_path: Path
) -> None:
    code, out, err = finished(serve("abacus", "-q", mode="crash"))
    assert (code, out) == (1, "")
    assert err.splitlines()[:2] == [
        "prmdata serve: the server of abacus did not start (exit code 1):",
        "  ValueError: No available memory for the cache",
    ]
    assert "gpu_memory_utilization=0.8" in err
    log = Path(err.strip().rsplit(" ", 1)[1])
    assert "Traceback" in (tmp_path / log).read_text()


def test_a_server_that_ends_later_is_a_failure(serve: Serve) -> None:
    code, _, err = finished(serve("abacus", mode="dies"))
    assert code == 1
    assert "exit code 3" in err


def test_a_stubborn_server_is_killed(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(serve("abacus", "--detach", mode="stubborn"))
    from prmdata.serving import recorded, server

    monkeypatch.setattr(server, "GRACE_S", 0.2)  # a user waits for twenty seconds
    (record,) = recorded()
    assert server.stop(record)
    assert not lives(record.pid)


def test_a_port_that_is_taken_is_said_at_once(serve: Serve, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = finished(serve("abacus", "--port", str(port)))
    assert code == 2
    assert f"port {port} cannot be had (address already in use)" in err
    assert not (tmp_path / ".prmdata").exists()


def test_a_second_start_at_the_port_of_one_that_starts_is_refused(
    serve: Serve, tmp_path: Path
) -> None:
    port = str(free_port(None))
    serve("abacus", "--port", port, mode="slow")
    until(lambda: (tmp_path / "child").exists())
    code, _, err = finished(serve("abacus", "--port", port))
    assert code == 2
    assert "is starting there already" in err


def test_a_state_file_that_is_stale_or_torn_harms_nobody(serve: Serve, tmp_path: Path) -> None:
    port = free_port(None)
    own = Record("m", "http://x/v1", port, os.getpid(), "another time", "log", ready=True)
    with contextlib.chdir(tmp_path):
        own.write()
        Path(".prmdata/servers/9.json").write_text('{"model": "m", "ur')
    assert " gone " in finished(serve("--status"))[1]
    with contextlib.chdir(tmp_path):
        own.write()
    assert finished(serve("--stop"))[0] == 1  # and this process lives on
    with contextlib.chdir(tmp_path):
        own.write()
    code, out, _ = finished(serve("abacus", "--detach", "--port", str(port)))
    assert (code, out) == (0, f"http://127.0.0.1:{port}/v1\n")


def test_the_settings_of_a_cpu_and_of_the_user(serve: Serve) -> None:
    ours = words_of(address(serve("abacus")))
    assert ours[ours.index("--max-model-len") + 1] == "1024"
    assert {"--enforce-eager", "--no-enable-chunked-prefill"} <= set(ours)
    asked = ("max_model_len=512", "enforce_eager=false", "enable-prefix-caching=false")
    words = [word for pair in asked for word in ("--engine-arg", pair)]
    theirs = words_of(address(serve("abacus", *words)))
    assert theirs[theirs.index("--max-model-len") + 1] == "512"
    assert "--no-enforce-eager" in theirs
    assert "--enforce-eager" not in theirs
    assert "--no-enable-prefix-caching" in theirs
    gpu = words_of(address(serve("abacus", FAKE_PLATFORM="cuda")))
    assert not {"--enforce-eager", "--no-enable-chunked-prefill"} & set(gpu)


def test_what_is_missing_is_said(serve: Serve, tmp_path: Path) -> None:
    if importlib.util.find_spec("vllm") is None:
        root = str(Path(__file__).parent.parent.parent)
        code, _, err = finished(serve("abacus", "-q", PYTHONPATH=root))
        assert code == 1
        assert "has no vLLM: pip install 'prmdata[vllm]'" in err
    code, _, err = finished(serve("abacus", "--python", "no-such-python"))
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no such interpreter" in err
    assert finished(serve())[0] == 2
    code, _, err = finished(serve("./nowhere"))
    assert code == 1
    assert "there is no folder ./nowhere" in err


@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed here")
def test_the_real_one_serves_a_pipe(serve: Serve, tmp_path: Path) -> None:
    root = str(Path(__file__).parent.parent.parent)
    code, out, err = finished(serve("abacus", "--detach", PYTHONPATH=root))
    assert code == 0, err
    line = (
        f"{sys.executable} -m prmdata generate abacus:6 -n 2 | "
        f"{sys.executable} -m prmdata label -o out.jsonl --summary s.json"
    )
    env = {**os.environ, "PRMDATA_SAMPLER": out.strip(), "PYTHONPATH": root}
    subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env, cwd=tmp_path, check=True)
    assert json.loads((tmp_path / "s.json").read_text())["traces"] == 12
    record = json.loads(next((tmp_path / ".prmdata/servers").glob("*.json")).read_text())
    assert finished(serve("--stop"))[0] == 0
    assert not lives(record["pid"])


def test_a_folder_that_cannot_be_written(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / ".prmdata").write_text("a file, where a folder is needed")
    code, _, err = finished(serve("abacus"))
    (tmp_path / ".prmdata").unlink()
    assert code == 1
    assert "cannot write" in err
    assert "Traceback" not in err

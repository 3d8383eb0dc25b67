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

from prmdata.errors import SamplerError, UsageError
from prmdata.serving import Plan, Record, Server, free_port, server
from prmdata.serving.processes import table
from tests.serving.conftest import FAKE, ROOT, Serve


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


def words_of(url: str, key: str = "") -> list[str]:
    asked = urllib.request.Request(f"{url}/models", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked) as answer:
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


def test_replicas_are_one_sampler_and_end_together(serve: Serve, tmp_path: Path) -> None:
    running = serve("abacus", "--replicas", "3")
    urls = address(running).split(",")
    assert len(set(urls)) == 3
    assert all(words_of(url) for url in urls)
    assert finished(serve("--status"))[1].count("running") == 3
    running.send_signal(signal.SIGINT)
    code, _, err = finished(running)
    assert code == 130
    assert "3 servers of abacus answer" in err
    assert f"export PRMDATA_SAMPLER={','.join(urls)}" in err
    for url in urls:
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(f"{url}/models")


def test_a_replica_that_does_not_start_ends_the_others(serve: Serve, tmp_path: Path) -> None:
    code, out, err = finished(serve("abacus", "--replicas", "2", "--detach", mode="crash"))
    assert (code, out) == (1, "")
    assert "did not start" in err
    assert list((tmp_path / ".prmdata/servers").glob("*.json")) == []


def test_replicas_share_the_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,3,5,6")
    plans = Plan.replicas(2, "abacus", 9100, {"tensor_parallel_size": "2"})
    assert [plan.devices for plan in plans] == ["0,2", "3,5"]
    assert [plan.port for plan in plans] == [9100, 9101]
    assert [plan.environment()["CUDA_VISIBLE_DEVICES"] for plan in plans] == ["0,2", "3,5"]
    with pytest.raises(UsageError, match="takes 6 GPUs, 2 for each; there are 5"):
        Plan.replicas(3, "abacus", None, {"tensor-parallel-size": "2"})


@pytest.mark.slow
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


def test_detached_it_outlives_its_terminal(serve: Serve, tmp_path: Path) -> None:
    terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))"
    words = [sys.executable, "-c", terminal, sys.executable, "-m", "prmdata", "serve", "abacus"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FAKE), str(ROOT)]), "FAKE_VLLM": ""}
    done = subprocess.run(
        [*words, "--detach"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished(serve("--status"))[1].split()[1:3] == ["abacus", "running"]


def test_it_takes_no_session_of_its_own(serve: Serve, tmp_path: Path) -> None:
    """Else Linux may keep the clients of an engine that polls from their cores for seconds."""
    assert finished(serve("abacus", "--detach"))[0] == 0
    (path,) = (tmp_path / ".prmdata/servers").glob("*.json")
    server = json.loads(path.read_text())["pid"]
    assert os.getsid(server) == os.getsid(0)
    assert os.getpgid(server) == server


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
    from prmdata.serving import recorded

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


@pytest.mark.parametrize("words", [("--engine-arg", "api_key=geheim"), ()], ids=["given", "env"])
def test_a_key_is_used_and_written_nowhere(
    serve: Serve, tmp_path: Path, words: tuple[str, ...]
) -> None:
    environment = {} if words else {"VLLM_API_KEY": "geheim"}
    code, out, err = finished(serve("abacus", "--detach", *words, **environment))
    assert code == 0, err
    assert "geheim" not in str(words_of(out.strip(), "geheim"))  # where all processes are listed
    assert "export PRMDATA_API_KEY=…" in err
    written = [path for path in (tmp_path / ".prmdata").rglob("*") if path.is_file()]
    assert len(written) == 2
    assert not [path for path in written if "geheim" in path.read_text()]
    assert "geheim" not in err


def test_a_model_may_be_served_by_another_name(serve: Serve) -> None:
    words = words_of(address(serve("abacus", "--engine-arg", "served_model_name=foo")))
    assert words[words.index("--served-model-name") + 1] == "foo"


def test_a_proxy_has_no_part_in_it(serve: Serve, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port(None)}"
    proxy = {"http_proxy": nowhere, "HTTP_PROXY": nowhere, "no_proxy": "", "NO_PROXY": ""}
    assert words_of(address(serve("abacus", **proxy)))


@pytest.mark.slow
def test_other_machines_reach_it_where_they_are_to(serve: Serve) -> None:
    port = free_port(None, "0.0.0.0")
    words = ("abacus", "--port", str(port), "--engine-arg", "host=0.0.0.0", "--detach")
    code, out, err = finished(serve(*words))
    assert (code, out) == (0, f"http://{socket.gethostname()}:{port}/v1\n"), err
    asked = words_of(f"http://127.0.0.1:{port}/v1")
    assert asked[asked.index("--host") + 1] == "0.0.0.0"
    assert "open to every machine in reach" in err
    finished(serve("--stop"))
    err = finished(serve(*words, VLLM_API_KEY="geheim"))[2]
    assert "open to every machine" not in err
    finished(serve("--stop"))
    assert "open to every machine" not in finished(serve("abacus", "--detach"))[2]


def test_a_port_is_not_an_engine_argument(serve: Serve) -> None:
    code, _, err = finished(serve("abacus", "--engine-arg", "port=8000"))
    assert code == 2
    assert "--engine-arg port=8000: name it with --port" in err


def test_a_host_that_is_not_ours(serve: Serve) -> None:
    code, _, err = finished(serve("abacus", "--engine-arg", "host=192.0.2.1"))
    assert code == 2
    assert "--engine-arg host=192.0.2.1: cannot assign requested address" in err


@pytest.mark.parametrize(
    ("host", "url", "here", "local"),
    [
        ("127.0.0.1", "http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1", True),
        ("::1", "http://[::1]:1/v1", "http://[::1]:1/v1", True),
        ("localhost", "http://localhost:1/v1", "http://localhost:1/v1", True),
        ("::", f"http://{socket.gethostname()}:1/v1", "http://[::1]:1/v1", False),
        ("gpu1", "http://gpu1:1/v1", "http://gpu1:1/v1", False),
    ],
)
def test_where_it_is_reached(host: str, url: str, here: str, local: bool) -> None:
    plan = Plan("abacus", 1, {"host": host})
    assert (plan.url, plan.url_here, plan.local) == (url, here, local)


def test_what_answers_as_another_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STRANGE_S", 0.5)  # a user waits for two minutes
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE), str(FAKE.parent.parent.parent)]))
    monkeypatch.setenv("FAKE_VLLM", "another")
    monkeypatch.chdir(tmp_path)
    started = Server.start(Plan.of("abacus", None, {}))
    try:
        with pytest.raises(SamplerError, match="answers, but not with abacus"):
            started.wait_ready(lambda seconds, line: None)
    finally:
        started.stop()


@pytest.mark.vllm
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed here")
def test_the_real_one_serves_a_pipe(serve: Serve, tmp_path: Path) -> None:
    root = str(Path(__file__).parent.parent.parent)
    code, out, err = finished(
        serve("abacus", "--engine-arg", "dtype=float32", "--detach", PYTHONPATH=root)
    )
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

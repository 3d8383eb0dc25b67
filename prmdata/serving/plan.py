"""What will be served, where, with which words."""

from __future__ import annotations

import contextlib
import ipaddress
import math
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from prmdata.errors import UsageError
from prmdata.sampler.models.folders import model_folder

HOST = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": HOST, "::": "::1"}
"""Hosts that are all addresses of a machine, and where it reaches itself."""
VLLM_KEY = "VLLM_API_KEY"
DEVICES = "CUDA_VISIBLE_DEVICES"
PARALLEL = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
DEFAULTS = {
    "enable-prefix-caching": "true",
    "generation-config": "vllm",
    "disable-uvicorn-access-log": "true",
}
"""Without the second one the model's own sampling defaults would mix with what a run asks for."""
ABACUS = {"max-model-len": "1024", "dtype": "bfloat16", "max-num-seqs": "256"}


@dataclass(frozen=True, slots=True)
class Plan:
    model: str
    """As the user named it."""
    port: int
    engine: Mapping[str, str] = field(default_factory=dict)
    """vLLM's own arguments, by the names of its command line; they win over ours."""
    python: str = sys.executable
    devices: str | None = None
    """Its GPUs, by number; `None`: all that the machine has."""

    @classmethod
    def replicas(
        cls,
        count: int,
        model: str,
        port: int | None,
        engine: Mapping[str, str],
        python: str = sys.executable,
    ) -> list[Plan]:
        """The same server several times, each with GPUs and a port of its own."""
        if count == 1:
            return [cls.of(model, port, engine, python)]
        plans: list[Plan] = []
        for number, devices in enumerate(_shares(count, engine)):
            taken = {plan.port for plan in plans}
            plan = cls.of(model, port and port + number, engine, python)
            while plan.port in taken:
                plan = cls.of(model, None, engine, python)
            plans.append(replace(plan, devices=devices))
        return plans

    @classmethod
    def of(
        cls, model: str, port: int | None, engine: Mapping[str, str], python: str = sys.executable
    ) -> Plan:
        """At the port that was asked for, or any."""
        engine = {name.replace("_", "-"): value for name, value in engine.items()}
        if "port" in engine:
            raise UsageError(f"--engine-arg port={engine['port']}: name it with --port")
        return cls(model, free_port(port, engine.get("host", HOST)), engine, python)

    @property
    def name(self) -> str:
        """As the server calls the model."""
        return self.engine.get("served-model-name", self.model)

    @property
    def host(self) -> str:
        return self.engine.get("host", HOST)

    @property
    def url(self) -> str:
        """For whoever is to use it, from another machine too where it is open to them."""
        return self._at(socket.gethostname() if self.host in EVERYWHERE else self.host)

    @property
    def url_here(self) -> str:
        return self._at(EVERYWHERE.get(self.host, self.host))

    @property
    def key(self) -> str | None:
        """Without it the server answers nobody."""
        return self.engine.get("api-key") or os.environ.get(VLLM_KEY) or None

    @property
    def local(self) -> bool:
        """Whether this machine alone reaches it."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"

    def words(self) -> list[str]:
        chosen = {
            "model": str(self._folder()),
            "served-model-name": self.model,
            **DEFAULTS,
            **(ABACUS if self.model == "abacus" else {}),
            "host": HOST,
            "port": str(self.port),
            **{name: value for name, value in self.engine.items() if name != "api-key"},
        }
        launch = Path(__file__).parent / "launch.py"
        options = [word for name, value in chosen.items() for word in _option(name, value)]
        return [_interpreter(self.python), str(launch), *options]

    def environment(self) -> dict[str, str]:
        """Ours, without what belongs to this interpreter alone; the key, which no log may show."""
        kept = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
        key = {VLLM_KEY: self.key} if self.key else {}
        own = {} if self.devices is None else {DEVICES: self.devices}
        return {"VLLM_NO_USAGE_STATS": "1", "PYTHONUNBUFFERED": "1", **kept, **key, **own}

    def _folder(self) -> Path:
        return model_folder(self.model, self.model)

    def _at(self, host: str) -> str:
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/v1"


def _shares(count: int, engine: Mapping[str, str]) -> list[str | None]:
    """The GPUs of each replica, as many as its parallelism takes; `None` where there are none."""
    there = len(list(Path("/dev").glob("nvidia[0-9]*")))
    named = os.environ.get(DEVICES, "")
    visible = [one for one in named.split(",") if one] or [str(i) for i in range(there)]
    if not visible:
        return [None] * count
    plain = {name.replace("_", "-"): value for name, value in engine.items()}
    each = math.prod(int(plain.get(name, 1)) for name in PARALLEL)
    if count * each > len(visible):
        raise UsageError(
            f"--replicas {count}: takes {count * each} GPUs, {each} for each; there are "
            f"{len(visible)}"
        )
    return [",".join(visible[i * each : (i + 1) * each]) for i in range(count)]


def _option(name: str, value: str) -> list[str]:
    if value.lower() == "false":
        return [f"--no-{name}"]
    return [f"--{name}"] if value.lower() == "true" else [f"--{name}", value]


def _interpreter(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"--python {name}: there is no such interpreter")
    return found


def free_port(asked: int | None, host: str = HOST) -> int:
    """A port that nobody has: the one that was asked for, or any."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, asked or 0))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            if asked is None:
                raise UsageError(f"--engine-arg host={host}: {reason}") from None
            raise UsageError(
                f"port {asked} cannot be had ({reason}); name another one, or leave --port out and "
                "a free one is taken (prmdata serve --status lists yours)"
            ) from None
        port: int = probe.getsockname()[1]
        return port

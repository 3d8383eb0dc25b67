from __future__ import annotations

import json

from prmdata.version import VERSION


def test_it_tells_versions_devices_sandbox_store_and_a_server_that_is_away(prmdata) -> None:
    done = prmdata("doctor", "--json", "--sampler", "http://127.0.0.1:9/v1", "--store", "s")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["prmdata"].startswith(VERSION)
    assert "pyarrow" in found["libraries"]
    assert {"system", "cores", "accelerators", "sandbox"} <= set(found)
    assert found["http://127.0.0.1:9/v1"].startswith("not reachable")
    assert found["store"] == "s: nothing there yet"


def test_the_size_of_the_store_is_told(prmdata, shell) -> None:
    shell("prmdata generate abacus:2 -n 1 --sampler abacus --store s -o t.jsonl")
    assert "s: 0.0 MB, " in prmdata("doctor", "--store", "s").stdout

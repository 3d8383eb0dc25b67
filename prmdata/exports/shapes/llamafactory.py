"""What LLaMA-Factory wants: turns of its own shape, and a dataset_info.json beside the data.

It drops conversations whose turns do not alternate, and reads a folder's files as one dataset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from prmdata.records import Message

if TYPE_CHECKING:
    import pyarrow as pa

Turn = dict[str, str]
ROLES = {"user": "human", "assistant": "gpt"}


def turn(message: Message) -> Turn:
    return {"from": ROLES.get(message["role"], message["role"]), "value": message["content"]}


def turn_type() -> pa.DataType:
    import pyarrow as pa

    return pa.struct([("from", pa.string()), ("value", pa.string())])


def dataset_info(columns: Mapping[str, str], *, ranking: bool = False) -> dict[str, str]:
    """The file beside the shards. Point `dataset_dir` at the folder, `dataset` at `prmdata`."""
    entry = {"file_name": "data", "formatting": "sharegpt", "ranking": ranking, "columns": columns}
    return {"dataset_info.json": json.dumps({"prmdata": entry}, indent=2) + "\n"}

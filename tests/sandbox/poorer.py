"""A machine without something: `python -m tests.sandbox.poorer NAME…` tells the level there.

A filter over system calls takes away `namespaces`, as containers do, or `landlock`, as old
kernels do; everything that we start inherits it.
"""

from __future__ import annotations

import asyncio
import errno
import json
import struct
import sys

from prmdata.errors import SandboxError
from prmdata.sandbox import kernel, seccomp, syscalls
from prmdata.sandbox.level import reached

MISSING = {
    "namespaces": ((272, 97), errno.EPERM),  # unshare
    "landlock": ((444, 444), errno.ENOSYS),  # landlock_create_ruleset
}


def take_away(names: list[str]) -> None:
    column, _ = syscalls.architecture()
    code = [struct.pack("HBBI", seccomp.LOAD, 0, 0, seccomp.NUMBER)]
    for numbers, error in (MISSING[name] for name in names):
        code += [struct.pack("HBBI", seccomp.JUMP_EQUAL, 0, 1, numbers[column])]
        code += [struct.pack("HBBI", seccomp.RETURN, 0, 0, 0x00050000 | error)]
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(b"".join([*code, struct.pack("HBBI", seccomp.RETURN, 0, 0, seccomp.ALLOW)]))


def main() -> None:
    take_away(sys.argv[1:])
    try:
        level = asyncio.run(reached())
        print(json.dumps({"name": level.name, "refused": dict(level.refused)}))
    except SandboxError as error:
        print(json.dumps({"name": None, "error": str(error)}))


if __name__ == "__main__":
    main()

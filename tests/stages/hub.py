"""A hub in a process of its own: as much of the Hugging Face hub's HTTP as uploads and downloads take.

python -m tests.stages.hub FOLDER    # prints its address; repositories are folders in FOLDER

It refuses tokens other than `hf_may_write`, cards that name an unknown licence, and files whose
bytes are not those that were announced. A model with a file `.gated` shows its files to that token
alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "hf_may_write"
ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
SHA = "0123456789abcdef0123456789abcdef01234567"
KIND = "(?:datasets|models)"
NAME = r"([\w.-]+/[\w.-]+)"
LARGE = (".parquet", ".zst")


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if found := re.fullmatch(rf"/api/{KIND}/{NAME}(/revision/\w+)?", self.route):
            if (ROOT / found[1]).exists():
                self.send(self.info(found[1]))
            elif "/models/" in self.route:
                status = 401 if self.stranger else 404
                self.send({"error": found[1]}, status, {"X-Error-Code": "RepoNotFound"})
            else:
                self.send({"error": found[1]}, 404)
        elif found := re.fullmatch(rf"/api/{KIND}/(.+?)/tree/[^/]+/?(.*)", self.route):
            below = f"{found[2]}/" if found[2] else ""
            names = [name for name in self.files(found[1]) if name.startswith(below)]
            self.send(
                [self.entry(found[1], name) for name in names], 200 if names or not below else 404
            )
        elif found := re.fullmatch(rf"(?:/datasets)?/{NAME}/resolve/[^/]+/(.+)", self.route):
            self.resolve(found[1], found[2])
        else:
            self.send({"error": self.route}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.route == "/api/validate-yaml":
            known = "license: nonsense" not in json.loads(body)["content"]
            self.send({"errors": [] if known else [{"message": "license"}]}, 200 if known else 400)
        elif self.stranger:
            self.send({"error": "Invalid credentials"}, 401)
        elif self.route == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'me'}/{asked['name']}"
            if name.startswith("theirs/"):
                self.send({"error": "not yours"}, 403)
                return
            folder = ROOT / name
            new = not folder.exists()
            if new:
                folder.mkdir(parents=True)
                private = asked.get("private") or asked.get("visibility") == "private"
                (folder / ".repo").write_text("private" if private else "public")
            self.send({"url": f"{self.address}/datasets/{name}"}, 200 if new else 409)
        elif "/preupload/" in self.route:
            files = json.loads(body)["files"]
            self.send({"files": [self.mode(file["path"]) for file in files]})
        elif self.route.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            self.send({"transfer": "basic", "objects": [self.object(o) for o in objects]})
        elif found := re.fullmatch(r"/api/datasets/(.+)/commit/main", self.route):
            self.commit(ROOT / found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self.send({"error": self.route}, 404)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        whole = hashlib.sha256(body).hexdigest() == self.route.rsplit("/", 1)[-1]
        if whole:
            (ROOT / ".objects").mkdir(exist_ok=True)
            (ROOT / ".objects" / hashlib.sha256(body).hexdigest()).write_bytes(body)
        self.send({}, 200 if whole else 400)

    def commit(self, folder: Path, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            key, value = line["key"], line["value"]
            if key == "header":
                continue
            path = folder / value["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if key == "file":
                path.write_bytes(base64.b64decode(value["content"]))
            elif key == "lfsFile":
                shutil.copy(ROOT / ".objects" / value["oid"], path)
            elif key == "deletedFile":
                path.unlink()
        url = f"{self.address}/datasets/{folder.relative_to(ROOT)}/commit/{SHA}"
        self.send({"success": True, "commitOid": SHA, "commitUrl": url})

    def resolve(self, repo: str, name: str) -> None:
        path = ROOT / repo / name
        if (ROOT / repo / ".gated").exists() and self.stranger:
            self.send({"error": "gated"}, 401, {"X-Error-Code": "GatedRepo"})
            return
        if not path.is_file():
            self.send({"error": name}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        self.answer(path.read_bytes(), 200, {"X-Repo-Commit": SHA, "ETag": f'"{digest(path)}"'})

    def info(self, repo: str) -> dict[str, Any]:
        files = [{"rfilename": name} for name in self.files(repo)]
        return {
            "id": repo,
            "sha": SHA,
            "private": True,
            "siblings": files,
            "tags": [],
            "downloads": 0,
        }

    def files(self, repo: str) -> list[str]:
        folder = ROOT / repo
        found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        return sorted(name for name in found if name not in (".repo", ".gated"))

    def entry(self, repo: str, name: str) -> dict[str, Any]:
        path = ROOT / repo / name
        return {"type": "file", "path": name, "size": path.stat().st_size, "oid": digest(path)}

    def mode(self, path: str) -> dict[str, Any]:
        mode = "lfs" if path.endswith(LARGE) else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False}

    def object(self, asked: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.address}/objects/{asked['oid']}", "header": {}}
        return {**asked, "actions": {"upload": upload}}

    @property
    def stranger(self) -> bool:
        return self.headers.get("Authorization") != f"Bearer {TOKEN}"

    @property
    def route(self) -> str:
        return self.path.split("?")[0]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def send(self, what: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.answer(
            json.dumps(what).encode(),
            status,
            {"Content-Type": "application/json", **(headers or {})},
        )

    def answer(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, form: str, *args: Any) -> None:
        with (ROOT / "log").open("a") as log:
            log.write(f"{self.command} {self.path}\n")


def digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    ROOT.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()

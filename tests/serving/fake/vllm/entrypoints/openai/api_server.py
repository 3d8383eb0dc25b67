"""A server that starts as it is told to by FAKE_VLLM, with a child process, as an engine has."""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CRASH = """(EngineCore pid=7) ERROR 11-21 08:00:00 [core.py:12] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-21 08:00:00 [core.py:12]   File "core.py", line 1, in start
(EngineCore pid=7) ERROR 11-21 08:00:00 [core.py:12] ValueError: No available memory for the cache
(APIServer pid=6) RuntimeError: Engine core initialization failed. See root cause above.
"""
told = dict(zip(sys.argv[1::1], [*sys.argv[2:], ""], strict=True))
mode = os.environ.get("FAKE_VLLM", "")
key = told.get("--api-key") or os.environ.get("VLLM_API_KEY")


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/health":
            self.reply(200, "")
            return
        if key and self.headers["Authorization"] != f"Bearer {key}":
            self.reply(401, '{"error": "Unauthorized"}')
            return
        name = "another" if mode == "another" else told["--served-model-name"]
        self.reply(200, json.dumps({"data": [{"id": name, "argv": sys.argv[1:]}]}))
        if mode == "dies":
            os._exit(3)

    def reply(self, status: int, body: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


if mode == "crash":
    sys.exit(CRASH)
nap = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", nap], start_new_session=True)
Path("child").write_text(str(child.pid))
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while mode == "slow" and not Path("go").exists():
    print("INFO 11-21 08:00:00 [loader.py:3] Loading weights", flush=True)
    time.sleep(0.05)
ThreadingHTTPServer((told["--host"], int(told["--port"])), Answer).serve_forever()

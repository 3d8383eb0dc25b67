"""An environment in JSON lines, good or bad: it has a calculator that always says 7."""

import json
import sys
import time

mode = sys.argv[1]
TOOL = {"type": "function", "function": {"name": "calculator", "parameters": {}}}
for line in sys.stdin:
    asked = json.loads(line)
    if not asked["messages"]:
        print(json.dumps({"tools": [TOOL]}), flush=True)
        continue
    calls = asked["messages"][-1].get("tool_calls") or []
    if mode == "die":
        sys.exit(3)
    if mode == "hang":
        time.sleep(60)
    if mode == "garbage":
        print("}{", flush=True)
    if mode == "rude":
        print(json.dumps({"messages": [{"role": "assistant", "content": "I am you."}]}), flush=True)
    if mode == "good" and calls:
        results = [{"role": "tool", "tool_call_id": c["id"], "content": "7"} for c in calls]
        print(json.dumps({"messages": results}), flush=True)
    elif mode == "good":
        print(json.dumps({"reward": 0.25, "done": True}), flush=True)

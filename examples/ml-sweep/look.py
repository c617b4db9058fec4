#!/usr/bin/env python3
"""Looks at a sweep: `look.py task ID` names the task of the step `train`, `look.py account ID` says how all of its tasks ended.

Asks the host at BULKHEAD_URL, or the one at the default address.
"""

import collections
import json
import os
import sys
import time
import urllib.request

HOST = os.environ.get("BULKHEAD_URL", "http://127.0.0.1:7070")


def ask(path):
    with urllib.request.urlopen(f"{HOST}/v1/{path}") as answer:
        return json.load(answer)


def task(id_):
    return next(step["task"] for step in ask(f"workflows/{id_}")["steps"] if step["name"] == "train")


def account(id_):
    while True:
        state = ask(f"workflows/{id_}?wait=60s")["state"]
        tasks = ask(f"tasks?parent={task(id_)}&limit=1000")["items"]
        if state not in ("pending", "running", "waiting") and all(task["ended_at"] for task in tasks):
            break
        time.sleep(0.05)
    ends = collections.Counter((task["state"], (task["error"] or {}).get("code", "")) for task in tasks)
    told = ", ".join(f"{number} {' '.join(end).strip()}" for end, number in sorted(ends.items()))
    print(f"{id_} has {state}: {told}")


if sys.argv[1] == "task":
    print(task(sys.argv[2]))
else:
    account(sys.argv[2])

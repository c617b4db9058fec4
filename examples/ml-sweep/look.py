#!/usr/bin/env python3
"""Looks at a sweep, once it has ended or is blocked: `look.py account ID` says how the tasks of the step `train` ended, `look.py dead
ID` names those that came to nothing, `look.py step ID` the one that stands for the step.

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


def ended(id_):
    while True:
        state = ask(f"workflows/{id_}?wait=60s")["state"]
        tasks = ask(f"tasks?parent={task(id_)}&limit=1000")["items"]
        if state not in ("pending", "running", "waiting") and all(task["ended_at"] for task in tasks):
            return state, tasks
        time.sleep(0.05)


def account(id_):
    state, tasks = ended(id_)
    ends = collections.Counter((task["state"], (task["error"] or {}).get("code", "")) for task in tasks)
    told = ", ".join(f"{number} {' '.join(end).strip()}" for end, number in sorted(ends.items()))
    print(f"{id_} is {state}: {told}")


def dead(id_):
    print(*(task["id"] for task in ended(id_)[1] if task["state"] == "dead"))


{"step": lambda id_: print(task(id_)), "account": account, "dead": dead}[sys.argv[1]](sys.argv[2])

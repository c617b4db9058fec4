#!/usr/bin/env python3
"""Looks at a workflow etl: `look.py half ID` waits until half of its batches are done, `look.py account ID` until it has ended.

Asks the host at BULKHEAD_URL, or the one at the default address.
"""

import collections
import datetime
import json
import os
import sys
import time
import urllib.error
import urllib.request

HOST = os.environ.get("BULKHEAD_URL", "http://127.0.0.1:7070")


def ask(path):
    with urllib.request.urlopen(f"{HOST}/v1/{path}") as answer:
        return json.load(answer)


def step(workflow, name):
    return next(step for step in workflow["steps"] if step["name"] == name)


def batches(workflow):
    found = ask(f"tasks?parent={step(workflow, 'transform')['task']}&limit=1000")
    assert found["next"] is None, "a thousand batches at most"
    return found["items"]


def wait_for_half(id_):
    while True:
        try:
            tasks = batches(ask(f"workflows/{id_}"))
        except urllib.error.HTTPError:
            tasks = []  # not started yet
        done = sum(task["state"] == "succeeded" for task in tasks)
        if tasks and 2 * done >= len(tasks):
            print(f"{done} of {len(tasks)} batches are done, a worker holds {sum(task['state'] == 'running' for task in tasks)}")
            return
        time.sleep(0.01)


def account(id_):
    while True:
        workflow = ask(f"workflows/{id_}?wait=60s")
        if workflow["state"] not in ("pending", "running", "waiting"):
            break
    if workflow["state"] != "succeeded":
        sys.exit(f"the workflow is {workflow['state']}: {json.dumps(workflow['steps'])}")
    moment = lambda field: datetime.datetime.fromisoformat(workflow[field])
    ends, checkpoints = collections.Counter(), 0
    tasks = batches(workflow)
    for task in tasks:
        task = ask(f"tasks/{task['id']}")
        checkpoints += task["stage"]
        ends.update(attempt["end"] for attempt in task["attempts"])
    took = (moment("settled_at") - moment("created_at")).total_seconds()
    attempts = ", ".join(f"{number} {end}" for end, number in sorted(ends.items()))
    print(f"{len(tasks)} batches, {checkpoints} checkpoints, attempts: {attempts}; {took:.1f} s, the time of the kill included")


{"half": wait_for_half, "account": account}[sys.argv[1]](sys.argv[2])

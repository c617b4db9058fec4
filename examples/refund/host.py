"""Asks the host at BULKHEAD_URL, or the one at the default address."""

import json
import os
import time
import urllib.error
import urllib.request

HOST = os.environ.get("BULKHEAD_URL", "http://127.0.0.1:7070")
LIMIT = 300  # seconds, for what does not depend on people


def ask(path, body=None):
    request = urllib.request.Request(f"{HOST}/v1/{path}", headers={"Content-Type": "application/json"})
    request.data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def step(workflow, name):
    return next(step for step in workflow["steps"] if step["name"] == name)


def once(workflow, is_so):
    """The workflow once it is so, or as it is when that takes too long."""
    until = time.monotonic() + LIMIT
    while True:
        _, seen = ask(f"workflows/{workflow}")
        if is_so(seen) or time.monotonic() > until:
            return seen
        time.sleep(0.02)


def has_settled(workflow):
    return workflow["state"] in ("succeeded", "failed", "cancelled", "blocked")


def question(workflow):
    """What a manager is asked; none where nobody is."""
    review = step(workflow, "manager_review")
    if review["state"] != "suspended":
        return None
    return ask(f"tasks/{review['task']}")[1].get("waits", {}).get("reason")

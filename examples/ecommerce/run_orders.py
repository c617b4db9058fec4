#!/usr/bin/env python3
"""Starts a workflow for each order and waits for all: `run_orders.py < orders.ndjson > ends.ndjson`.

Asks the host at BULKHEAD_URL, or the one at the default address. A line of what it writes has the order's id and either the
workflow as it ended, or the answer that refused it.
"""

import concurrent.futures
import json
import os
import sys
import time
import urllib.error
import urllib.request

HOST = os.environ.get("BULKHEAD_URL", "http://127.0.0.1:7070")
TEMPLATE = "ecommerce_py/ecommerce_order_processing"
SETTLED = ("succeeded", "failed", "cancelled", "blocked")
AT_ONCE = 8
LIMIT = 900  # seconds, for all of them


def ask(path, body=None):
    request = urllib.request.Request(f"{HOST}/v1/{path}", headers={"Content-Type": "application/json"})
    request.data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def start(order):
    """The workflow's own id is the order's: an order that is sent twice is one workflow."""
    status, answer = ask("workflows", {"template": TEMPLATE, "id": order["id"], "input": order["input"]})
    if status in (200, 201):
        return None
    return {"id": order["id"], "status": status, "refusal": answer}


def settled(order, until):
    while time.monotonic() < until:
        _, workflow = ask(f"workflows/{order['id']}?wait=30s")
        if workflow["state"] in SETTLED:
            break
    return {"id": order["id"], "workflow": workflow}


def main():
    orders = [json.loads(line) for line in sys.stdin]
    until = time.monotonic() + LIMIT
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        refusals = list(pool.map(start, orders))
        print(f"{refusals.count(None)} of {len(orders)} orders have begun", file=sys.stderr)
        ends = pool.map(lambda order, refusal: refusal or settled(order, until), orders, refusals)
        for end in ends:
            print(json.dumps(end))


main()

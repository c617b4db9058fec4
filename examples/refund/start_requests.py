#!/usr/bin/env python3
"""Starts a workflow for each request: `start_requests.py requests.ndjson`."""

import json
import sys

from host import ask


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]
    begun = 0
    for request in requests:
        # The workflow's own id is the request's: one that is sent twice is one workflow.
        status, _ = ask("workflows", {"template": "shop/refund", "id": request["id"], "input": request["input"]})
        begun += status in (200, 201)
    print(f"{begun} of {len(requests)} requests have begun", file=sys.stderr)


main()

#!/usr/bin/env python3
"""Writes the payload of an EVOLVE task: `make_payload.py lcs.awk > payload.json`."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as program:
    source = program.read()

payload = {
    "source": source,
    "image": "bulkhead-evolve:1",
    "command": ["awk", "-f", "main"],
    "generations": 5,
    "population": 8,
    "pool": "lcs",
    "prompt": (
        "This is a program for the awk of busybox, which is run as `awk -f main`. Change it so that it takes less time and "
        "less memory. It must find its answer by computing it from the two texts, and print the same line as before."
    ),
}
json.dump(payload, sys.stdout, indent=2)
print()

#!/usr/bin/env python3
"""Writes the input of the workflow: 64 sets of parameters, of eight degrees and eight rates."""

import json

DEGREES = [2, 4, 6, 8, 10, 12, 14, 16]
# The first leads nowhere, whatever the degree; the last needs a hundred times as many steps.
RATES = [2.2, 1.5, 1.0, 0.6, 0.3, 0.1, 0.03, 0.01]

variants = [
    {"degree": degree, "rate": rate, "epochs": 20000 if rate == RATES[-1] else 200} for rate in RATES for degree in DEGREES
]
print(json.dumps({"variants": variants}))

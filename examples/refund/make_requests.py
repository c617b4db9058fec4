#!/usr/bin/env python3
"""Writes refund requests, a line each, the same each time: `make_requests.py 200 > requests.ndjson`.

A line has an id, the input of a workflow, and what the manager does if one is asked. Nothing in it says how the request must end:
that is for `expect.py` to find out.
"""

import json
import random
import sys

SEED = 20260102
MANAGERS = ["allows", "allows", "allows", "forbids", "forbids", "mumbles", "mumbles and allows", "is away"]


def request(chance, number):
    paid = chance.choice([chance.randint(500, 9_999), chance.randint(10_000, 90_000)])
    made = {
        "order_id": f"ORD-{number:04}",
        "customer": f"customer-{number:04}@example.com",
        "amount_cents": chance.choice([paid, paid, chance.randint(1, paid)]),
        "paid_cents": paid,
        "days_since_purchase": chance.choice([chance.randint(0, 30), chance.randint(0, 30), chance.randint(0, 40), 30, 31]),
        "reason": chance.choice(["damaged", "not_received", "not_wanted"]),
        "earlier_refunds": chance.choice([0, 0, 0, 1, 2, 3, 4, 9]),
    }
    slip = chance.randrange(20)
    if slip == 0:
        made["amount_cents"] = paid + chance.randint(1, 500)
    elif slip == 1:
        made["order_id"] = f"{number}"
    return {"id": f"refund-{number:04}", "input": made, "manager": chance.choice(MANAGERS)}


def main():
    chance = random.Random(SEED)
    for number in range(1, int(sys.argv[1]) + 1):
        print(json.dumps(request(chance, number)))


main()

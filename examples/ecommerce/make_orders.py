#!/usr/bin/env python3
"""Writes orders, a line each, the same each time: `make_orders.py 1000 > orders.ndjson`.

A line has an id and the input of a workflow. Nothing in it says how the order must end: that is for `expect.py` to find out.
"""

import json
import random
import sys

SEED = 20260101
SKUS = [f"SKU-{number:03}" for number in range(1, 41)]
SCARCE = ["SKU-013", "SKU-021", "SKU-034"]
NAMES = ["Widget", "Lamp", "Chair", "Kettle", "Notebook", "Screw", "Cable", "Mug"]

# Of a hundred orders so many are special; the others are ordinary.
SPECIAL = {
    "no_address": 2, "bad_address": 2, "bad_item": 2, "items_missing": 1, "empty_cart": 3, "no_quantity": 2,
    "half_a_piece": 1, "bad_price": 1, "no_card": 2, "declined": 5, "gateway_busy": 7, "gateway_down": 3, "scarce": 8,
    "mail_busy": 6, "mail_lost": 4, "mail_down": 2,
}
TOKENS = {"declined": "tok_declined", "gateway_busy": "tok_gateway_busy", "gateway_down": "tok_gateway_down"}


def price(chance):
    """Mostly of two decimals, now and then of three or four, where rounding counts."""
    decimals = chance.choice([0, 1, 2, 2, 2, 2, 3, 4])
    return round(chance.randint(1, 9999 * 10 ** decimals // 20) / 10 ** decimals, decimals)


def item(chance, skus):
    return {"sku": chance.choice(skus), "name": chance.choice(NAMES), "quantity": chance.randint(1, 9),
            "unit_price": price(chance)}


def order(chance, number, special):
    mailbox = special if special and special.startswith("mail_") else "customer"
    plenty = [sku for sku in SKUS if sku not in SCARCE]
    items = [item(chance, plenty) for _ in range(chance.randint(1, 6))]
    made = {
        "items": items,
        "customer_email": f"{mailbox}-{number:04}@example.com",
        "payment_info": {"method": "credit_card", "token": TOKENS.get(special, "tok_visa")},
    }
    broken = chance.randrange(len(items))
    if special == "no_address":
        del made["customer_email"]
    elif special == "bad_address":
        made["customer_email"] = f"customer-{number:04}"
    elif special == "bad_item":
        del items[broken][chance.choice(["sku", "name", "quantity", "unit_price"])]
    elif special == "items_missing":
        del made["items"]
    elif special == "empty_cart":
        made["items"] = []
    elif special == "no_quantity":
        items[broken]["quantity"] = chance.choice([0, -1])
    elif special == "half_a_piece":
        items[broken]["quantity"] = 1.5
    elif special == "bad_price":
        items[broken]["unit_price"] = -0.01
    elif special == "no_card":
        del made["payment_info"]
    elif special == "scarce":
        # Some of these can be had, some cannot.
        items.extend(item(chance, SCARCE) for _ in range(2))
    return {"id": f"order-{number:04}", "input": made}


def main():
    count = int(sys.argv[1])
    chance = random.Random(SEED)
    kinds = [kind for kind, share in SPECIAL.items() for _ in range(share)]
    kinds += [None] * (100 - len(kinds))
    # Each hundred orders have each kind as often as that; fewer orders, the first of a shuffled hundred.
    for first in range(0, count, 100):
        chance.shuffle(kinds)
        for number, special in enumerate(kinds[:count - first], first + 1):
            print(json.dumps(order(chance, number, special)))


main()

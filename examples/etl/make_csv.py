#!/usr/bin/env python3
"""Writes a file of sales: `make_csv.py ROWS > sales.csv`. The same number of rows gives the same file.

One row in a hundred is wrong, in every way that the handler tells apart.
"""

import random
import sys

COUNTRIES = ["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "GB", "IT", "NL", "PL", "SE"]
THINGS = ["Lamp", "Chair", "Desk", "Shelf", "Clock", "Mirror", "Vase", "Rug", "Stool", "Bench"]
KINDS = ["oak", "pine", "steel", "glass", "small", "large", 'the "classic"', "blue", "green", "red"]
DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
FLAWS = [
    (0, "{}x"),  # the order is no number
    (1, "2026-02-30"),  # there is no such day
    (2, "{}1"),  # no country
    (3, ""),  # no product
    (3, '"{}'),  # quotes that do not match
    (4, "0"),  # nothing was sold
    (4, "-{}"),
    (5, "{}0"),  # three digits after the point
    (5, "{},"),  # one column too many
]


def main():
    chance = random.Random(2026)
    below = lambda number: int(chance.random() * number)  # the same in every version of Python
    products = []
    for thing in THINGS:
        for kind in KINDS:
            name = f"{thing}, {kind}".replace('"', '""')
            products.append((f'"{name}"' if below(2) else name.replace(", ", " ").replace('"', ""), 500 + below(50000)))
    lines = ["order,day,country,product,quantity,price\n"]
    for order in range(1, int(sys.argv[1]) + 1):
        month = below(12)
        product, price = products[below(len(products))]
        row = [str(order), f"2026-{month + 1:02}-{below(DAYS[month]) + 1:02}", COUNTRIES[below(len(COUNTRIES))], product]
        row += [str(below(9) + 1), f"{price // 100}.{price % 100:02}"]
        if below(100) == 0:
            column, flaw = FLAWS[below(len(FLAWS))]
            row[column] = flaw.format(row[column].strip('"'))
        lines.append(",".join(row) + "\n")
        if len(lines) == 10000:
            sys.stdout.write("".join(lines))
            lines.clear()
    sys.stdout.write("".join(lines))


main()

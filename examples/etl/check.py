#!/usr/bin/env python3
"""Compares a report with what this program makes of the same file: `check.py sales.csv report.json`.

It shares nothing with the handlers: Python's own csv, datetime and zlib read the rows.
"""

import collections
import csv
import datetime
import json
import re
import sys
import zlib


def flaw_or_sale(line):
    """What is wrong with a row, or else its month, country, product, quantity and cents."""
    try:
        columns = next(csv.reader([line], strict=True), [])
        # Python takes a quote inside of a column that has none around it.
        if re.search(r'(^|,)[^",]+"', re.sub(r'"([^"]|"")*"', "Q", line)):
            return "text", None
    except csv.Error:
        return "text", None
    if len(columns) != 6:
        return "columns", None
    order, day, country, product, quantity, price = columns
    if not re.fullmatch(r"[0-9]{1,12}", order):
        return "order", None
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        return "day", None
    if not re.fullmatch(r"[A-Z]{2}", country):
        return "country", None
    if not product:
        return "product", None
    if not re.fullmatch(r"[0-9]{1,12}", quantity) or not 1 <= int(quantity) <= 1000:
        return "quantity", None
    if not re.fullmatch(r"[0-9]{1,12}\.[0-9]{2}", price):
        return "price", None
    return None, (day[:7], country, product, int(quantity), int(quantity) * int(price.replace(".", "")))


def expected(file):
    rows = checksum = 0
    rejected = collections.Counter()
    sums = collections.defaultdict(lambda: [0, 0, 0])
    with open(file, encoding="utf-8", newline="") as lines:
        next(lines)
        for line in lines:
            line = line.rstrip("\n")
            rows += 1
            checksum += zlib.crc32(line.encode())
            flaw, sale = flaw_or_sale(line)
            if flaw:
                rejected[flaw] += 1
                continue
            month, country, product, quantity, cents = sale
            for key in (("all",), ("months", month), ("countries", country), ("products", product)):
                for place, number in enumerate((1, quantity, cents)):
                    sums[key][place] += number
    named = {key: dict(zip(("sales", "quantity", "cents"), numbers)) for key, numbers in sums.items()}
    of = lambda group: {key[1]: numbers for key, numbers in named.items() if key[0] == group}
    best = sorted(of("products").items(), key=lambda item: (-item[1]["cents"], item[0].encode()))[:5]
    return {
        "rows": rows,
        "checksum": checksum,
        "rejected": dict(rejected),
        "all": named[("all",)],
        "countries": of("countries"),
        "months": of("months"),
        "best_products": [{"product": product, **numbers} for product, numbers in best],
    }


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        report = json.load(file)
    batches = report.pop("batches")
    wanted = expected(sys.argv[1])
    wrong = [name for name in wanted.keys() | report.keys() if wanted.get(name) != report.get(name)]
    for name in sorted(wrong):
        print(f"{name}: {json.dumps(report.get(name))}, and not {json.dumps(wanted.get(name))}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    euros = report["all"]["cents"] / 100
    print(f"{report['rows']:,} rows in {batches} batches: each was counted once, {sum(report['rejected'].values()):,} rejected")
    print(f"{report['all']['sales']:,} sales of {euros:,.2f} euros; best: {report['best_products'][0]['product']}")
    print("the report is what Python makes of the same file")


main()

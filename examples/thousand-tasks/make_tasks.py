"""Writes tasks.ndjson, the thousand tasks, and expected.json, how they must end. The same each time."""

import json
import pathlib
import random

# Fault, how many, and how such a task ends; no fault: it succeeds.
FAULTS = [
    ("empty", 8, "dead permanent"),
    ("unreachable", 8, "dead max_attempts"),
    ("panic", 6, "dead trap"),
    ("spin", 6, "dead out_of_fuel"),
    ("hang", 6, "dead timeout"),
    ("greed", 6, "dead limit"),
    ("flood", 5, "dead limit"),
    ("nonsense", 5, "dead invalid_outcome"),
    ("flaky", 20, "succeeded"),
    ("pause", 10, "succeeded"),
]
CUSTOMERS = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Niklaus"]


def main():
    chance = random.Random(1000)
    faults = [fault for fault, count, _ in FAULTS for _ in range(count)]
    faults += [None] * (1000 - len(faults))
    chance.shuffle(faults)
    folder = pathlib.Path(__file__).parent
    ends = {"succeeded": faults.count(None)}
    for _, count, end in FAULTS:
        ends[end] = ends.get(end, 0) + count
    with open(folder / "tasks.ndjson", "w", encoding="utf-8") as file:
        for number, fault in enumerate(faults, 1):
            lines = [
                {"item": f"part-{chance.randint(100, 999)}", "quantity": chance.randint(1, 9),
                 "unit_price": chance.randint(50, 20_000)}
                for _ in range(0 if fault == "empty" else chance.randint(1, 5))
            ]
            payload = {"customer": chance.choice(CUSTOMERS), "lines": lines}
            if fault not in (None, "empty"):
                payload["fault"] = fault
            task = {"id": f"invoice-{number:04}", "kind": "INVOICE", "payload": payload}
            file.write(json.dumps(task, separators=(",", ":")) + "\n")
    expected = {"tasks": len(faults), "ends": dict(sorted(ends.items()))}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()

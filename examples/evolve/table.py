#!/usr/bin/env python3
"""Shows how an EVOLVE task went: the score by generation, and how all the tasks ended that it spawned.

`table.py ID` asks the host at BULKHEAD_URL, or the one at the default address.
"""

import collections
import json
import os
import sys
import urllib.parse
import urllib.request

HOST = os.environ.get("BULKHEAD_URL", "http://127.0.0.1:7070")


def ask(path, **query):
    with urllib.request.urlopen(f"{HOST}/v1/{path}?{urllib.parse.urlencode(query)}") as answer:
        return json.load(answer)


def children(parent):
    query = {"parent": parent, "limit": 1000}
    while True:
        page = ask("tasks", **query)
        yield from page["items"]
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def bar(score):
    return "#" * round(40 * max(0.0, min(1.0, score)))


def show_generations(result):
    heads = ("generation", "best", "mean", "tried", "failed", "repeated", "bad patch", "unavailable")
    widths = (10, 6, 6, 5, 6, 8, 9, 11)

    def show(*cells):
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths)), cells[-1], sep="  ")

    show(*heads, "")
    show(0, f"{result['baseline']:.4f}", *[""] * 6, bar(result["baseline"]))
    for row in result["generations"]:
        mean = "-" if row["mean"] is None else f"{row['mean']:.4f}"
        counts = [row[name] for name in ("tried", "failed_runs", "repeated", "bad_patch", "unavailable")]
        show(row["generation"], f"{row['best']:.4f}", mean, *counts, bar(row["best"]))
    best = result["best"]
    print(f"\nThe best program is of generation {best['generation']} and has the score {best['score']:.4f}:\n")
    print(best["source"])


def show_account(tasks):
    ends = collections.Counter((task["kind"], task["state"], task.get("reason") or "") for task in tasks)
    print("tasks  kind      state")
    for (kind, state, reason), number in sorted(ends.items()):
        print(f"{number:>5}  {kind:<8}  {state} {reason}".rstrip())
    ended = sum(task["state"] in ("succeeded", "dead", "cancelled", "resolved") for task in tasks)
    print(f"{len(tasks):>5}  tasks were spawned, and {ended} have ended")


def main():
    task = ask(f"tasks/{sys.argv[1]}")
    if task["state"] != "succeeded":
        sys.exit(f"the task is {task['state']}: {json.dumps(task.get('error') or task.get('reason'))}")
    show_generations(task["result"])
    show_account(list(children(sys.argv[1])))


main()

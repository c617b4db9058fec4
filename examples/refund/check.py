#!/usr/bin/env python3
"""Compares how requests ended with how they must end: `check.py requests.ndjson`.

Waits until nothing goes on any more, and prints a table of what it saw. Where anything differs from what `expect.py` says, it
names the request and exits with 1.
"""

import collections
import json
import sys

from expect import expected
from host import ask, has_settled, once, question, step


def seen_of(request, wanted):
    """The workflow once it has settled, or waits for a manager who does not go on."""
    def is_done(workflow):
        asked = question(workflow) if wanted.question else None
        return has_settled(workflow) or (asked is not None and asked.startswith(wanted.question))

    return once(request["id"], is_done)


def differences_of(request, workflow, wanted):
    """What is otherwise than it must be."""
    pairs = {"state": (workflow["state"], wanted.state)}
    steps = {step["name"]: step["state"] for step in workflow["steps"]}
    pairs["steps"] = (steps, wanted.steps)
    if wanted.state == "blocked":
        pairs["code"] = (step(workflow, "check_request").get("error", {}).get("code"), "AMOUNT_TOO_HIGH")
    if wanted.state == "waiting":
        asked = question(workflow) or ""
        pairs["question"] = (asked[:len(wanted.question)], wanted.question)
    if wanted.state == "succeeded":
        settled = step(workflow, "settle").get("result") or {}
        letter = step(workflow, "notify").get("result") or {}
        pairs["paths"] = (settled.get("paths"), wanted.paths)
        pairs["approved"] = (settled.get("approved"), wanted.approved)
        pairs["refunded"] = (settled.get("refunded_cents"), wanted.refunded)
        pairs["letter"] = (letter, {"to": request["input"]["customer"], "text": wanted.text})
    return [f"{request['id']}: {what} is {seen!r}, and must be {must!r}" for what, (seen, must) in pairs.items()
            if seen != must]


def row_of(workflow):
    """What the table counts."""
    chosen = step(workflow, "choose_path").get("result") or {"paths": ["-"]}
    paths = " + ".join(chosen["paths"]) or "none"
    settled = step(workflow, "settle").get("result")
    end = "" if settled is None else "paid back" if settled["approved"] else "not paid back"
    if workflow["state"] == "blocked":
        end = step(workflow, "check_request")["error"]["code"]
    if workflow["state"] == "waiting":
        end = "asked again" if question(workflow).startswith("not understood") else "asked"
    return workflow["state"], paths, end


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]
    rows, differences, refunded = collections.Counter(), [], 0
    for request in requests:
        wanted = expected(request["input"], request["manager"])
        if wanted.refused:
            status, answer = ask("workflows", {"template": "shop/refund", "input": request["input"]})
            pointers = [error["pointer"] for error in answer.get("errors", [])]
            if (status, pointers) != (422, ["/order_id"]):
                differences.append(f"{request['id']}: answered {status} {pointers}, and must be refused at /order_id")
            rows["refused", "-", " ".join(pointers)] += 1
            continue
        workflow = seen_of(request, wanted)
        differences += differences_of(request, workflow, wanted)
        rows[row_of(workflow)] += 1
        refunded += (step(workflow, "settle").get("result") or {"refunded_cents": 0})["refunded_cents"]
    print("requests  state      path                          end")
    for (state, paths, end), count in sorted(rows.items()):
        print(f"{count:>8}  {state:<9}  {paths:<28}  {end}".rstrip())
    print(f"{len(requests):>8}  requests, {refunded / 100:,.2f} paid back")
    for difference in differences[:20]:
        print(difference, file=sys.stderr)
    if differences:
        sys.exit(f"{len(differences)} things are not as they must be")
    print("All of it is as expected.")


main()

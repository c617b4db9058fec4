#!/usr/bin/env python3
"""Says what managers answer who are asked: `answers.py first requests.ndjson`, each line a task and an answer for it.

Some managers answer what nobody understands, and are asked again; what they say then is `answers.py again requests.ndjson`. Some
do not answer.
"""

import json
import sys

from host import ask, has_settled, once, question, step

ALLOWS = {"approved": True, "by": "Grace"}
ANSWERS = {
    "allows": [ALLOWS],
    "forbids": [{"approved": False, "by": "Edsger"}],
    "mumbles": ["maybe"],
    "mumbles and allows": ["maybe", ALLOWS],
    "is away": [],
}


def main():
    turn = ["first", "again"].index(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]

    def is_asked(workflow):
        asked = question(workflow)
        return asked is not None and asked.startswith("not understood") == (turn == 1)

    for request in requests:
        answers = ANSWERS[request["manager"]]
        if turn >= len(answers) or ask(f"workflows/{request['id']}")[0] == 404:
            continue
        workflow = once(request["id"], lambda seen: has_settled(seen) or is_asked(seen))
        if not has_settled(workflow):
            print(step(workflow, "manager_review")["task"], json.dumps(answers[turn]))


main()

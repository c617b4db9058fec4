"""Greets whoever the payload names."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import context
from wit_world.imports.context import Level
from wit_world.imports.types import Category, Completion, Failure, Outcome, Outcome_Complete, Task


class Handler(exports.Handler):
    def kind(self) -> str:
        return "GREET_PY"

    def provides(self) -> list[str]:
        return ["cpu"]

    def defaults(self) -> str:
        return json.dumps({"timeout": "5s"})

    def dispatch(self, task: Task) -> bool:
        return True

    def handle(self, task: Task) -> Outcome:
        try:
            return complete(greet(json.loads(task.payload)))
        except Err:
            raise
        except Exception as error:
            # Nobody expected it: to be tried again. What leaves `handle` as anything but an `Err` is a trap.
            raise failure(Category.HANDLER, "handler_error", repr(error), retryable=True) from error


def greet(payload: dict) -> dict:
    name = payload.get("name")
    if not name:
        raise failure(Category.VALIDATION, "NO_NAME", "the payload has no `name`")
    context.log(Level.INFO, "greeting", json.dumps({"name": name}))
    return {"text": f"Hello, {name}!"}


def complete(result: object) -> Outcome:
    return Outcome_Complete(Completion(result=json.dumps(result), metadata="", then=[]))


def failure(category: Category, code: str, message: str, retryable: bool = False) -> Err[Failure]:
    return Err(Failure(category, code, message, retryable, retry_after_ms=None, details=""))

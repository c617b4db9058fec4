"""Does nothing, unless the payload is `"count"` or `"raise"`: says which of its sandbox's runs this is, or fails unawares."""

from wit_world import exports
from wit_world.imports.types import Completion, Outcome, Outcome_Complete, Task

runs = 0


class Handler(exports.Handler):
    def kind(self) -> str:
        return "NOOP_PY"

    def provides(self) -> list[str]:
        return []

    def defaults(self) -> str:
        return ""

    def dispatch(self, task: Task) -> bool:
        return True

    def handle(self, task: Task) -> Outcome:
        global runs
        runs += 1
        match task.payload:
            case '"count"':
                return Outcome_Complete(Completion(str(runs), "", []))
            case '"raise"':
                raise ValueError("nobody catches this")
        return Outcome_Complete(Completion("null", "", []))

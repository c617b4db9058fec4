"""How requests must end, found out from their inputs alone: nothing here is shared with the handlers."""

import dataclasses
import typing

STEPS = ["check_request", "choose_path", "auto_approve", "manager_review", "fraud_check", "settle", "notify"]


@dataclasses.dataclass
class Expected:
    """How a request must end, or where it must wait."""

    refused: bool = False
    state: str = "succeeded"
    paths: list = dataclasses.field(default_factory=list)
    steps: dict = dataclasses.field(default_factory=dict)  # the state of each
    question: typing.Optional[str] = None  # how it begins, where a manager has not answered
    approved: typing.Optional[bool] = None
    refunded: int = 0
    text: typing.Optional[str] = None


def paths_of(request):
    if request["days_since_purchase"] > 30:
        return []
    risk = 15 * request["earlier_refunds"]
    risk += 20 * (request["reason"] == "not_received") + 25 * (request["amount_cents"] >= 500_00)
    asked = ["manager_review"] * (request["amount_cents"] >= 100_00) + ["fraud_check"] * (risk >= 50)
    return asked or ["auto_approve"]


def expected(request, manager):
    """How a request must end, given what the manager does if one is asked."""
    if not request["order_id"].startswith("ORD-"):
        return Expected(refused=True)
    if request["amount_cents"] > request["paid_cents"]:
        steps = {step: "blocked" for step in STEPS} | {"check_request": "dead"}
        return Expected(state="blocked", steps=steps)
    end = Expected(paths=paths_of(request))
    chosen = ["check_request", "choose_path", *end.paths, "settle", "notify"]
    end.steps = {step: "succeeded" if step in chosen else "skipped" for step in STEPS}
    if "manager_review" in end.paths and manager in ("mumbles", "is away"):
        end.state = "waiting"
        end.steps |= {"manager_review": "suspended", "settle": "waiting", "notify": "waiting"}
        end.question = "not understood" if manager == "mumbles" else "may "
        return end
    said_no = ("manager_review" in end.paths and manager == "forbids") or (
        "fraud_check" in end.paths and request["earlier_refunds"] > 3)
    end.approved = bool(end.paths) and not said_no
    end.refunded = request["amount_cents"] if end.approved else 0
    order = request["order_id"]
    amount = f"{end.refunded // 100}.{end.refunded % 100:02}"
    end.text = f"We pay you back {amount} for {order}." if end.approved else f"We cannot pay you back for {order}."
    return end

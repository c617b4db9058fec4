"""How orders must end, found out from their inputs alone: nothing here is shared with the handlers, rounding least of all.

Numbers with decimals are to be read as fractions (`json.loads(text, parse_float=fractions.Fraction)`).
"""

import collections
import dataclasses
import fractions
import math
import typing

STEPS = ["validate_cart", "process_payment", "update_inventory", "create_order", "send_confirmation"]
TRIES = 2  # of each step, as the template says
TAX = fractions.Fraction(8, 100)


@dataclasses.dataclass
class Failure:
    """A step that ends badly."""

    step: str
    code: str
    tries: int = 1

    @property
    def reason(self):
        return "max_attempts" if self.tries == TRIES else "permanent"


@dataclasses.dataclass
class Expected:
    """How an order must end."""

    refused_at: typing.Optional[str] = None  # a JSON pointer, where no workflow begins at all
    failure: typing.Optional[Failure] = None
    tries: dict = dataclasses.field(default_factory=dict)  # of the steps that take more than one
    lines: list = dataclasses.field(default_factory=list)
    subtotal: typing.Optional[fractions.Fraction] = None
    tax: typing.Optional[fractions.Fraction] = None
    total: typing.Optional[fractions.Fraction] = None
    reserved: dict = dataclasses.field(default_factory=dict)

    @property
    def state(self):
        if self.failure is None:
            return "succeeded"
        # What comes after a dead step is blocked; after the last one there is nothing.
        return "failed" if self.failure.step == STEPS[-1] else "blocked"


def to_cents(amount):
    """Half a cent is rounded up."""
    return fractions.Fraction(math.floor(amount * 100 + fractions.Fraction(1, 2)), 100)


def refused_at(order):
    """Where the template's schema does not allow an input; none where it does."""
    if "items" not in order or "customer_email" not in order:
        return ""
    for place, item in enumerate(order["items"]):
        if not {"sku", "name", "quantity", "unit_price"} <= item.keys():
            return f"/items/{place}"
    return None if "@" in order["customer_email"] else "/customer_email"


def cart_failure(items):
    if not items:
        return "EMPTY_CART"
    for item in items:
        if not isinstance(item["quantity"], int) or item["quantity"] < 1:
            return "INVALID_QUANTITY"
        if item["unit_price"] < 0:
            return "INVALID_PRICE"
    return None


def expected(order, stock):
    """How an order must end, given how much there is of what."""
    end = Expected(refused_at=refused_at(order))
    if end.refused_at is not None:
        return end
    code = cart_failure(order["items"])
    if code:
        end.failure = Failure("validate_cart", code)
        return end
    end.lines = [to_cents(item["quantity"] * fractions.Fraction(item["unit_price"])) for item in order["items"]]
    end.subtotal = sum(end.lines)
    end.tax = to_cents(end.subtotal * TAX)
    end.total = end.subtotal + end.tax

    token = order["payment_info"]["token"] if "payment_info" in order else None
    if token in (None, "tok_declined", "tok_gateway_down"):
        end.failure = {
            None: Failure("process_payment", "MISSING_PAYMENT_INFO"),
            "tok_declined": Failure("process_payment", "PAYMENT_DECLINED"),
            "tok_gateway_down": Failure("process_payment", "GATEWAY_ERROR", TRIES),
        }[token]
        return end
    if token == "tok_gateway_busy":
        end.tries["process_payment"] = 2

    wanted = collections.Counter()
    for item in order["items"]:
        wanted[item["sku"]] += item["quantity"]
    if any(sku in stock and stock[sku] < quantity for sku, quantity in wanted.items()):
        end.failure = Failure("update_inventory", "OUT_OF_STOCK")
        return end
    end.reserved = dict(wanted)

    mailbox = order["customer_email"].partition("-")[0]
    if mailbox == "mail_down":
        end.failure = Failure("send_confirmation", "service_unavailable", TRIES)
    elif mailbox in ("mail_busy", "mail_lost"):
        end.tries["send_confirmation"] = 2
    return end


def named_after(prefix, task):
    """The name that a step gives to what it makes: FNV-1a of its idempotency key."""
    number = 0xCBF29CE484222325
    for byte in f"{task}:0".encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return f"{prefix}{number:016X}"

#!/usr/bin/env python3
"""Compares how orders ended with how they must end: `check.py bulkhead.toml orders.ndjson ends.ndjson mails.ndjson`.

Prints a table of what it saw. Where anything differs from what `expect.py` says, it names the order and exits with 1.
"""

import collections
import fractions
import json
import sys
import tomllib

from expect import STEPS, expected, named_after


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line, parse_float=fractions.Fraction) for line in file]


def shown(value):
    """Amounts as people write them."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return str(float(value)) if isinstance(value, fractions.Fraction) else repr(value)


class Differences(list):
    """What was found to be otherwise than it must be, of one order after the other."""

    def compare(self, order, what, seen, wanted):
        if seen != wanted:
            self.append(f"{order}: {what} is {shown(seen)}, and must be {shown(wanted)}")


def check_refusal(order, end, wanted, differences):
    refusal = end.get("refusal", {})
    pointers = [error["pointer"] for error in refusal.get("errors", [])]
    differences.compare(order, "the status", end.get("status"), 422)
    differences.compare(order, "what is refused", pointers, [wanted.refused_at])


def check_steps(order, steps, wanted, differences):
    failed = wanted.failure and STEPS.index(wanted.failure.step)
    for place, step in enumerate(steps):
        what = f"step {step['name']}"
        if failed is None or place < failed:
            differences.compare(order, f"{what}: state", step["state"], "succeeded")
            differences.compare(order, f"{what}: tries", step["attempt"], wanted.tries.get(step["name"], 1))
        elif place == failed:
            differences.compare(order, f"{what}: state", step["state"], "dead")
            differences.compare(order, f"{what}: reason", step.get("reason"), wanted.failure.reason)
            differences.compare(order, f"{what}: code", step.get("error", {}).get("code"), wanted.failure.code)
            differences.compare(order, f"{what}: tries", step["attempt"], wanted.failure.tries)
        else:
            differences.compare(order, f"{what}: state", step["state"], "blocked")
            differences.compare(order, f"{what}: tries", step["attempt"], 0)


def check_results(order, steps, wanted, differences):
    """What the steps made, as far as they came; what a step makes is named after its task."""
    made = {step["name"]: (step["task"], step["result"]) for step in steps if step["state"] == "succeeded"}

    def compare(name, field, seen, value):
        differences.compare(order, f"{name}: {field}", seen, value)

    if "validate_cart" in made:
        _, cart = made["validate_cart"]
        compare("validate_cart", "lines", [line["line_total"] for line in cart["validated_items"]], wanted.lines)
        for field in ("subtotal", "tax", "total"):
            compare("validate_cart", field, cart[field], getattr(wanted, field))
    if "process_payment" in made:
        task, payment = made["process_payment"]
        compare("process_payment", "amount_charged", payment["amount_charged"], wanted.total)
        compare("process_payment", "payment_id", payment["payment_id"], named_after("PAY-", task))
    if "update_inventory" in made:
        task, reservation = made["update_inventory"]
        reserved = {each["sku"]: each["quantity"] for each in reservation["reserved"]}
        compare("update_inventory", "reserved", reserved, wanted.reserved)
        compare("update_inventory", "inventory_log_id", reservation["inventory_log_id"], named_after("LOG-", task))
    if "create_order" in made:
        task, record = made["create_order"]
        compare("create_order", "order_id", record["order_id"], named_after("ORD-", task))
        compare("create_order", "total", record["total"], wanted.total)
        compare("create_order", "payment_id", record["payment_id"], made["process_payment"][1]["payment_id"])
    return made


def check_mail(order, address, made, mails, differences):
    """One mail for each order that is confirmed, with what is in it; none for any other."""
    if "send_confirmation" not in made:
        differences.compare(order, "mails", len(mails), 0)
        return
    differences.compare(order, "mails", len(mails), 1)
    sent, record = made["send_confirmation"][1], made["create_order"][1]
    for mail in mails:
        amount = f"{int(record['total'] * 100) / 100:.2f}"
        differences.compare(order, "mail: to", mail["to"], address)
        differences.compare(order, "mail: subject", mail["subject"], f"Your order {record['order_id']}")
        differences.compare(order, "mail: id", mail["message_id"], sent["message_id"])
        differences.compare(order, f"mail: speaks of {amount}", f" {amount}," in mail["text"], True)


def show(orders, ends, mails, charged):
    seen = collections.Counter()
    for end in ends:
        if "refusal" in end:
            pointer = end["refusal"]["errors"][0]["pointer"]
            # One place stands for all items.
            place = "items" if pointer.startswith("/items/") else pointer.strip("/") or "input"
            seen["refused", place, "input_schema"] += 1
            continue
        steps = end["workflow"]["steps"]
        dead = next((step for step in steps if step["state"] == "dead"), None)
        if dead:
            seen[end["workflow"]["state"], dead["name"], dead["error"]["code"]] += 1
        else:
            retried = "+".join(step["name"] for step in steps if step["attempt"] > 1)
            seen[end["workflow"]["state"], retried, "at the second try" if retried else ""] += 1
    print("orders  ended      at                 because")
    for (state, place, reason), count in sorted(seen.items()):
        print(f"{count:>6}  {state:<9}  {place:<17}  {reason}".rstrip())
    print(f"{len(orders):>6}  orders, {float(charged):,.2f} charged, {len(mails)} mails")


def main():
    settings, orders, ends, mails = sys.argv[1:]
    with open(settings, "rb") as file:
        stock = tomllib.load(file)["handler"]["update_inventory"]["settings"]["stock"]
    orders, ends, mails = lines(orders), lines(ends), lines(mails)
    differences = Differences()
    differences.compare("all", "orders that ended", [end["id"] for end in ends], [order["id"] for order in orders])
    by_address = collections.defaultdict(list)
    for mail in mails:
        by_address[mail["to"]].append(mail)
    charged = 0
    for order, end in zip(orders, ends):
        wanted = expected(order["input"], stock)
        if wanted.refused_at is not None or "refusal" in end:
            check_refusal(order["id"], end, wanted, differences)
            continue
        workflow = end["workflow"]
        differences.compare(order["id"], "the workflow", workflow["state"], wanted.state)
        differences.compare(order["id"], "steps", [step["name"] for step in workflow["steps"]], STEPS)
        check_steps(order["id"], workflow["steps"], wanted, differences)
        made = check_results(order["id"], workflow["steps"], wanted, differences)
        address = order["input"]["customer_email"]
        check_mail(order["id"], address, made, by_address.pop(address, []), differences)
        if "process_payment" in made:
            charged += made["process_payment"][1]["amount_charged"]
    differences.compare("all", "mails to anybody else", sorted(by_address), [])
    show(orders, ends, mails, charged)
    for difference in differences[:20]:
        print(difference, file=sys.stderr)
    if differences:
        sys.exit(f"{len(differences)} things are not as they must be")
    print("All of it is as expected.")


main()

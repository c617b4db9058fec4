#!/usr/bin/env python3
"""Trains every model again that was compared, and shows the table: `check.py input.json result.json`.

The same operations in the same order give the same bits, so that errors are compared as they are.
"""

import json
import sys

SEED, POINTS = 7, 200
BOUND = 1e6


def points(degree):
    state = SEED

    def chance():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 32) / 2**32

    for _ in range(POINTS):
        place = 2.0 * chance() - 1.0
        noise = chance() + chance() + chance() - 1.5
        features = [1.0, place]
        while len(features) <= degree:
            features.append(2.0 * place * features[-1] - features[-2])
        yield features[: degree + 1], 1.0 / (1.0 + 25.0 * place * place) + 0.1 * noise


def distance(weights, features, value):
    sum_ = 0.0
    for weight, feature in zip(weights, features):
        sum_ += weight * feature
    return sum_ - value


def error(weights, some):
    sum_ = 0.0
    for features, value in some:
        far = distance(weights, features, value)
        sum_ += far * far
    return sum_ / len(some)


def train(degree, rate, epochs):
    """The error on points that it has not learned from; none where the weights grow without end."""
    every = list(points(degree))
    learned, judged = every[: POINTS * 3 // 4], every[POINTS * 3 // 4 :]
    weights = [0.0] * (degree + 1)
    for _ in range(epochs):
        slope = [0.0] * (degree + 1)
        for features, value in learned:
            far = distance(weights, features, value)
            for place, feature in enumerate(features):
                slope[place] += far * feature
        weights = [weight - rate * part / len(learned) for weight, part in zip(weights, slope)]
        if not all(abs(weight) < BOUND for weight in weights):
            return None
    return error(weights, judged)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        variants = json.load(file)["variants"]
    with open(sys.argv[2], encoding="utf-8") as file:
        selection = json.load(file)["select"]
    table, problems = selection["table"], []
    for row in table:
        variant = variants[int(row["name"].removeprefix("train_")) - 1]
        wanted = train(**variant)
        if any(row[name] != variant[name] for name in variant):
            problems.append(f"{row['name']} was trained with other parameters: {row}")
        if row["error"] != wanted:
            problems.append(f"{row['name']} has the error {row['error']}, and not {wanted}")
    errors = [row["error"] for row in table]
    if errors != sorted(errors) or selection["best"]["name"] != table[0]["name"]:
        problems.append("the best does not come first")
    failed = dict(selection["failed"])
    diverging = sum(train(**variant) is None for variant in variants if variant["epochs"] < 1000)
    # Those that had not ended when there were enough.
    others = failed.pop("cancelled", 0) + failed.pop("not_ended", 0)
    if failed.pop("diverged", 0) > diverging or failed or len(table) + others < len(variants) - diverging:
        problems.append(f"of {len(variants)}, of which {diverging} lead nowhere, failed: {selection['failed']}")
    if len({row["name"] for row in table}) != len(table) or len(table) < 48:
        problems.append(f"{len(table)} models were compared; 48 must be, each of them once")
    if problems:
        sys.exit("\n".join(problems))
    print("  error    degree  rate")
    for row in table[:5]:
        print(f"  {row['error']:.6f}  {row['degree']:>5}  {row['rate']:>4}")
    print(f"{len(table)} models were compared; Python comes to the same errors, to the last bit")


main()

#!/bin/sh
# Runs the whole example from a checkout, and fails where anything is otherwise than it must be. BULKHEAD may name the program
# `bulkhead`, and HANDLERS the folder with the components, which are built otherwise.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
folder=$(mktemp -d)
host=
trap '[ -z "$host" ] || { kill "$host" && wait "$host" || :; } 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# Waits until the host has written its address.
address() {
    until [ -s ready ]; do
        kill -0 "$host" 2>/dev/null || { cat host.log >&2; exit 1; }
        sleep 0.1
    done
    head -n 1 ready
}

cd "$root"
mkdir -p "${CARGO_TARGET_DIR:-target}"
into=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
if [ -z "${BULKHEAD:-}" ]; then
    echo "== the host is built" >&2
    cargo build --quiet --release --package bulkhead
    BULKHEAD=$into/release/bulkhead
fi
if [ -z "${HANDLERS:-}" ]; then
    echo "== the handlers are built" >&2
    (cd "$example" && cargo build --quiet --locked --release --target wasm32-wasip2 --target-dir "$into/handlers")
    HANDLERS=$into/handlers/wasm32-wasip2/release
fi

cd "$folder"
"$BULKHEAD" init . >&2
cp "$example/bulkhead.toml" .
mkdir -p workflows
cp "$example"/workflows/*.yaml workflows/
cp "$HANDLERS/sweep_train.wasm" "$HANDLERS/sweep_select.wasm" handlers/
"$example/make_input.py" > input.json
"$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2> host.log &
host=$!
BULKHEAD_URL=$(address)
export BULKHEAD_URL

echo "== 64 sets of parameters, of which 48 must come to something" >&2
"$BULKHEAD" workflow start ml_sweep --id sweep --input @input.json --wait > result.json || { cat host.log >&2; exit 1; }
"$example/check.py" input.json result.json
"$example/look.py" account sweep

echo "== the same, but all 64 must" >&2
if "$BULKHEAD" workflow start ml_sweep_all --id sweep-all --input @input.json --wait; then
    echo "it has succeeded, and must not" >&2
    exit 1
fi
"$example/look.py" account sweep-all

echo "== those that came to nothing are given up" >&2
# shellcheck disable=SC2046
"$BULKHEAD" dlq resolve $("$example/look.py" dead sweep-all) > resolved
"$BULKHEAD" dlq retry "$("$example/look.py" step sweep-all)" >&2
"$example/look.py" account sweep-all

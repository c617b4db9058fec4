#!/bin/sh
# Runs the whole example from a checkout: `run.sh [REQUESTS]`, two hundred unless said otherwise. Shows how they ended, and fails
# where one of them ended otherwise than it must. BULKHEAD may name the program `bulkhead`, and HANDLERS the folder with the
# components, which are built otherwise.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
requests=${1:-200}
folder=$(mktemp -d)
host=
trap 'if [ -n "$host" ]; then kill "$host" && wait "$host" || :; fi 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

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
mkdir -p workflows
cp "$example"/workflows/*.yaml workflows/
for handler in check_request choose_path auto_approve manager_review fraud_check settle notify; do
    cp "$HANDLERS/$handler.wasm" handlers/
done
"$BULKHEAD" workflow check workflows/*.yaml >&2
"$example/make_requests.py" "$requests" > requests.ndjson

"$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2> host.log &
host=$!
until [ -s ready ]; do
    kill -0 "$host" 2>/dev/null || { cat host.log >&2; exit 1; }
    sleep 0.1
done
BULKHEAD_URL=$(head -n 1 ready)
export BULKHEAD_URL

echo "== $requests requests are made" >&2
"$example/start_requests.py" requests.ndjson || { cat host.log >&2; exit 1; }
for turn in first again; do
    "$example/answers.py" "$turn" requests.ndjson > answers || { cat host.log >&2; exit 1; }
    echo "== $turn, managers give $(wc -l < answers) answers" >&2
    while read -r task answer; do
        "$BULKHEAD" task resume "$task" --payload "$answer" > answered || { cat answered host.log >&2; exit 1; }
    done < answers
done
"$example/check.py" requests.ndjson

#!/bin/sh
# Runs the whole example from a checkout and shows how it went. The model is the scripted one, unless MODEL_URL names a server
# that speaks OpenAI's chat completions; MODEL is then the model's name, and MODEL_KEY its key, where it needs one. BULKHEAD may
# name the program `bulkhead`, which is built otherwise.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
folder=$(mktemp -d)
processes=
# The host first: what it has left to do ends while the model is still there.
trap 'for process in $processes; do kill "$process" && wait "$process" || :; done 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# Waits until a process has written its address into a file.
address() {
    until [ -s "$2" ]; do
        kill -0 "$1" 2>/dev/null || { echo "$3 has ended; see above" >&2; exit 1; }
        sleep 0.1
    done
    head -n 1 "$2"
}

echo "== handlers, host and image are built" >&2
cd "$root"
mkdir -p "${CARGO_TARGET_DIR:-target}"
into=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
if [ -z "${BULKHEAD:-}" ]; then
    cargo build --quiet --release --package bulkhead
    BULKHEAD=$into/release/bulkhead
fi
for workspace in handlers examples/evolve; do
    (cd "$workspace" && cargo build --quiet --locked --release --target wasm32-wasip2 --target-dir "$into/handlers")
done
"$example/make-image.sh" >&2

cd "$folder"
"$BULKHEAD" init . >&2
cp "$example/bulkhead.toml" .
for handler in patch_mutator execute_docker evaluate evolve; do
    cp "$into/handlers/wasm32-wasip2/release/$handler.wasm" "handlers/$(echo "$handler" | tr _ -).wasm"
done
"$example/make_payload.py" "$example/lcs.awk" > payload.json

if [ -n "${MODEL_URL:-}" ]; then
    export BULKHEAD_LLM__BACKENDS__MODEL__URL="$MODEL_URL"
    if [ -n "${MODEL:-}" ]; then export BULKHEAD_LLM__BACKENDS__MODEL__MODEL="$MODEL"; fi
    if [ -n "${MODEL_KEY:-}" ]; then export BULKHEAD_LLM__BACKENDS__MODEL__KEY=env:MODEL_KEY; fi
else
    (cd "$root" && cargo build --quiet --package bulkhead-tests --bin evolve-model)
    "$into/debug/evolve-model" "$example/answers" > model &
    processes=$!
    BULKHEAD_LLM__BACKENDS__MODEL__URL=$(address "$processes" model "the model")
    # Some of its answers never come.
    export BULKHEAD_LLM__BACKENDS__MODEL__URL BULKHEAD_LLM__BACKENDS__MODEL__TIMEOUT=3s
fi

case ${DOCKER_HOST:-} in
unix://*) export BULKHEAD_DOCKER__SOCKET="${DOCKER_HOST#unix://}" ;;
esac
"$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2> host.log &
host=$!
processes="$host $processes"
BULKHEAD_URL=$(address "$host" ready "the host") || { cat host.log >&2; exit 1; }
export BULKHEAD_URL

echo "== the program is improved; this takes a minute or more" >&2
"$BULKHEAD" submit EVOLVE --id evolution --payload @payload.json --wait > result.json || { cat host.log >&2; exit 1; }
"$example/table.py" evolution

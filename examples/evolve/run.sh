#!/bin/sh
# Runs the whole example from a checkout and shows how it went. The model is the scripted one, unless MODEL_URL names a server
# that speaks OpenAI's chat completions; MODEL is then the model's name, and MODEL_KEY its key, where it needs one.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../common.sh
. "$example/../common.sh"

build_host
build_handlers "$root/handlers" "$example"
echo "== the image is built" >&2
"$example/make-image.sh" >&2
make_folder
for handler in patch_mutator execute_docker evaluate evolve; do
    cp "$HANDLERS/$handler.wasm" "handlers/$(echo "$handler" | tr _ -).wasm"
done
"$example/make_payload.py" "$example/lcs.awk" > payload.json

if [ -n "${MODEL_URL:-}" ]; then
    export BULKHEAD_LLM__BACKENDS__MODEL__URL="$MODEL_URL"
    if [ -n "${MODEL:-}" ]; then export BULKHEAD_LLM__BACKENDS__MODEL__MODEL="$MODEL"; fi
    if [ -n "${MODEL_KEY:-}" ]; then export BULKHEAD_LLM__BACKENDS__MODEL__KEY=env:MODEL_KEY; fi
else
    (cd "$root" && cargo build --quiet --package bulkhead-tests --bin evolve-model --target-dir "$target")
    "$target/debug/evolve-model" "$example/answers" > model 2> model.log &
    wait_for_address model model.log
    # Some of its answers never come.
    export BULKHEAD_LLM__BACKENDS__MODEL__URL="$address" BULKHEAD_LLM__BACKENDS__MODEL__TIMEOUT=3s
fi

case ${DOCKER_HOST:-} in
unix://*) export BULKHEAD_DOCKER__SOCKET="${DOCKER_HOST#unix://}" ;;
esac
start_host

echo "== the program is improved; this takes a minute or more" >&2
or_show_log "$BULKHEAD" submit EVOLVE --id evolution --payload @payload.json --wait > result.json
"$example/table.py" evolution

#!/bin/sh
# Runs the whole example from a checkout, and fails where anything is otherwise than it must be.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../common.sh
. "$example/../common.sh"

build_host
build_handlers "$example"
make_folder sweep_train sweep_select
"$example/make_input.py" > input.json
start_host

echo "== 64 sets of parameters, of which 48 must come to something" >&2
or_show_log "$BULKHEAD" workflow start ml_sweep --id sweep --input @input.json --wait > result.json
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

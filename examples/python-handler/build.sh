#!/bin/sh
# Builds a component: ./build.sh [MODULE [COMPONENT]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH="$PATH:$here/.venv/bin"
exec componentize-py --quiet --wit-path "$here/../../wit" --world task-handler \
    componentize "${1:-greet}" --output "${2:-greet_py.wasm}"

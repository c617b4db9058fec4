#!/bin/sh
# Builds a component: ./build.sh [SOURCE [COMPONENT]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH="$PATH:$here/node_modules/.bin"
# The host has no wasi:http.
exec componentize-js "${1:-greet.js}" --wit "$here/../../wit" --world-name task-handler \
    --disable http fetch-event --out "${2:-greet_js.wasm}"

#!/bin/sh
# Runs the whole example from a checkout: `run.sh [ORDERS]`, a thousand unless said otherwise. Shows how they ended, and fails
# where one of them ended otherwise than it must. BULKHEAD may name the program `bulkhead`, and HANDLERS the folder with the
# components, which are built otherwise.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
orders=${1:-1000}
folder=$(mktemp -d)
processes=
# The host first: what it has left to do ends while the mail service is still there.
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
for handler in validate_cart process_payment update_inventory create_order send_confirmation; do
    cp "$HANDLERS/$handler.wasm" handlers/
done
"$BULKHEAD" workflow check workflows/*.yaml >&2
"$example/make_orders.py" "$orders" > orders.ndjson

"$example/mail_sink.py" 0 mails.ndjson > mail &
mail=$!
processes=$mail
mail_url=$(address "$mail" mail "the mail service")
sed "s,http://127.0.0.1:8025,$mail_url,g" "$example/bulkhead.toml" > bulkhead.toml

"$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2> host.log &
host=$!
processes="$host $processes"
BULKHEAD_URL=$(address "$host" ready "the host") || { cat host.log >&2; exit 1; }
export BULKHEAD_URL

echo "== $orders orders are made" >&2
"$example/run_orders.py" < orders.ndjson > ends.ndjson || { cat host.log >&2; exit 1; }
"$example/check.py" bulkhead.toml orders.ndjson ends.ndjson mails.ndjson

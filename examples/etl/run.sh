#!/bin/sh
# Runs the whole example from a checkout: `run.sh [ROWS]`, a million unless said otherwise. The host is killed when half of the
# batches are done, and started again. Fails where the report is not what it must be. BULKHEAD may name the program `bulkhead`,
# and HANDLERS the folder with the components, which are built otherwise.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$example/../.." && pwd)
rows=${1:-1000000}
folder=$(mktemp -d)
host=
trap '[ -z "$host" ] || { kill "$host" && wait "$host" || :; } 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# Starts the host, and waits until it has written its address.
start() {
    rm -f ready
    "$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2>> host.log &
    host=$!
    until [ -s ready ]; do
        kill -0 "$host" 2>/dev/null || { cat host.log >&2; exit 1; }
        sleep 0.1
    done
    BULKHEAD_URL=$(head -n 1 ready)
    export BULKHEAD_URL
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
mkdir -p workflows data
# Twenty batches of ten parts, however many rows there are.
sed -e "s/batch_size: .*/batch_size: $(((rows + 19) / 20))/" -e "s/checkpoint_rows: .*/checkpoint_rows: $(((rows + 199) / 200))/" \
    "$example/workflows/etl.yaml" > workflows/etl.yaml
cp "$HANDLERS/etl_analyze.wasm" "$HANDLERS/etl_transform.wasm" "$HANDLERS/etl_load.wasm" handlers/
"$example/make_csv.py" "$rows" > data/sales.csv

start
echo "== $rows rows are added up" >&2
"$BULKHEAD" workspace push sales data >&2
"$example/look.py" half sales &
half=$!
"$BULKHEAD" workflow start etl --id sales --input '{"file": "sales.csv"}' > id
wait "$half" || { cat host.log >&2; exit 1; }

echo "== the host is killed, and started again" >&2
kill -9 "$host"
wait "$host" 2>/dev/null || :
start
"$example/look.py" account sales || { cat host.log >&2; exit 1; }

"$BULKHEAD" workspace pull sales back >&2
"$example/check.py" data/sales.csv back/report.json

#!/bin/sh
# Runs the whole example from a checkout: `run.sh [ROWS]`, a million unless said otherwise. The host is killed when half of the
# batches are done, and started again. Fails where the report is not what it must be.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../common.sh
. "$example/../common.sh"
rows=${1:-1000000}

build_host
build_handlers "$example"
make_folder etl_analyze etl_transform etl_load
# Twenty batches of ten parts, however many rows there are.
sed -e "s/batch_size: .*/batch_size: $(((rows + 19) / 20))/" -e "s/checkpoint_rows: .*/checkpoint_rows: $(((rows + 199) / 200))/" \
    "$example/workflows/etl.yaml" > workflows/etl.yaml
mkdir data
"$example/make_csv.py" "$rows" > data/sales.csv
start_host

echo "== $rows rows are added up" >&2
"$BULKHEAD" workspace push sales data >&2
"$example/look.py" half sales &
half=$!
"$BULKHEAD" workflow start etl --id sales --input '{"file": "sales.csv"}' > id
or_show_log wait "$half"

echo "== the host is killed, and started again" >&2
kill_host
start_host
or_show_log "$example/look.py" account sales

"$BULKHEAD" workspace pull sales back >&2
"$example/check.py" data/sales.csv back/report.json

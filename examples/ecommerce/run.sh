#!/bin/sh
# Runs the whole example from a checkout: `run.sh [ORDERS]`, a thousand unless said otherwise. Shows how they ended, and fails
# where one of them ended otherwise than it must.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../common.sh
. "$example/../common.sh"
orders=${1:-1000}

build_host
build_handlers "$example"
make_folder validate_cart process_payment update_inventory create_order send_confirmation
"$example/make_orders.py" "$orders" > orders.ndjson

"$example/mail_sink.py" 0 mails.ndjson > mail 2> mail.log &
wait_for_address mail mail.log
sed "s,http://127.0.0.1:8025,$address,g" "$example/bulkhead.toml" > bulkhead.toml
start_host

echo "== $orders orders are made" >&2
or_show_log "$example/run_orders.py" < orders.ndjson > ends.ndjson
"$example/check.py" bulkhead.toml orders.ndjson ends.ndjson mails.ndjson

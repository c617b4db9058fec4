#!/bin/sh
# Runs the whole example from a checkout: `run.sh [REQUESTS]`, two hundred unless said otherwise. Shows how they ended, and fails
# where one of them ended otherwise than it must.
set -eu

example=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../common.sh
. "$example/../common.sh"
requests=${1:-200}

build_host
build_handlers "$example"
make_folder check_request choose_path auto_approve manager_review fraud_check settle notify
"$example/make_requests.py" "$requests" > requests.ndjson
start_host

echo "== $requests requests are made" >&2
or_show_log "$example/start_requests.py" requests.ndjson
for turn in first again; do
    or_show_log "$example/answers.py" "$turn" requests.ndjson > answers
    echo "== $turn, managers give $(wc -l < answers) answers" >&2
    while read -r task answer; do
        "$BULKHEAD" task resume "$task" --payload "$answer" > answered || { cat answered host.log >&2; exit 1; }
    done < answers
done
"$example/check.py" requests.ndjson

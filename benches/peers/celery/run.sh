#!/usr/bin/env bash
# Celery on the empty Redis at REDIS_URL: ./run.sh [--tasks N] [--processes N] [--pool solo|prefork]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
into="${BULKHEAD_PEERS:-$here/../../../target/peers}/celery"
if ! cmp -s "$here/requirements.txt" "$into/.installed"; then
    mkdir -p "$into"
    python3 -m venv --clear "$into" >&2
    "$into/bin/pip" install --quiet --requirement "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$into/.installed"
fi
[ "${1:-}" = --install ] || exec timeout 120 "$into/bin/python" "$here/peer_celery.py" "$@"

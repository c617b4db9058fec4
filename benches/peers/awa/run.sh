#!/usr/bin/env bash
# awa on the empty PostgreSQL at DATABASE_URL: ./run.sh [--tasks N]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
into="${BULKHEAD_PEERS:-$here/../../../target/peers}/awa"
CARGO_TARGET_DIR="$into" cargo build --quiet --locked --release --manifest-path "$here/Cargo.toml" >&2
[ "${1:-}" = --install ] || exec timeout 120 "$into/release/peer-awa" "$@"

#!/usr/bin/env bash
# pg-boss on the empty PostgreSQL at DATABASE_URL: ./run.sh [--tasks N] [--batched] [--processes N] [--workers N]
set -euo pipefail
. "$(dirname "$0")/../npm.sh"
[ "${1:-}" = --install ] || exec timeout 120 node pg-boss.mjs "$@"

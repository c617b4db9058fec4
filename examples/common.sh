# shellcheck shell=sh
# What the scripts of the examples have in common; they say in `example` which folder is theirs. BULKHEAD may name the program
# `bulkhead`, and HANDLERS the folder with the components, which are built otherwise.

root=$(cd "$example/../.." && pwd)
folder=$(mktemp -d)
# The latest first: what the host has left to do ends while the services that it uses are still there.
processes=
trap 'for process in $processes; do kill "$process" && wait "$process" || :; done 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

# Where things are built.
target=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)

build_host() {
    [ -z "${BULKHEAD:-}" ] || return 0
    echo "== the host is built" >&2
    (cd "$root" && cargo build --quiet --locked --release --package bulkhead --target-dir "$target")
    BULKHEAD=$target/release/bulkhead
}

# Builds the handlers of these folders.
build_handlers() {
    [ -z "${HANDLERS:-}" ] || return 0
    echo "== the handlers are built" >&2
    for workspace in "$@"; do
        (cd "$workspace" && cargo build --quiet --locked --release --target wasm32-wasip2 --target-dir "$target/handlers")
    done
    HANDLERS=$target/handlers/wasm32-wasip2/release
}

# A new folder for the host, with these handlers and the templates of the example; the script goes on there.
make_folder() {
    cd "$folder"
    "$BULKHEAD" init . >&2
    for handler in "$@"; do
        cp "$HANDLERS/$handler.wasm" handlers/
    done
    if [ -f "$example/bulkhead.toml" ]; then cp "$example/bulkhead.toml" .; fi
    if [ -d "$example/workflows" ]; then
        mkdir -p workflows
        cp "$example"/workflows/*.yaml workflows/
        "$BULKHEAD" workflow check workflows/*.yaml >&2
    fi
}

# Waits until the process that was started last has written its address into a file: `wait_for_address FILE LOG`.
wait_for_address() {
    processes="$! $processes"
    until [ -s "$1" ]; do
        kill -0 "${processes%% *}" 2>/dev/null || { cat "$2" >&2; exit 1; }
        sleep 0.1
    done
    address=$(head -n 1 "$1")
}

# Starts the host in this folder, for every command that follows.
start_host() {
    rm -f ready
    "$BULKHEAD" run --listen 127.0.0.1:0 --ready-file ready 2>> host.log &
    wait_for_address ready host.log
    BULKHEAD_URL=$address
    export BULKHEAD_URL
}

# Kills the host as a power cut would.
kill_host() {
    host=${processes%% *}
    processes=${processes#"$host"}
    kill -9 "$host"
    wait "$host" 2>/dev/null || :
}

# Runs a command; where it fails, what the host has written is shown.
or_show_log() {
    "$@" || { cat host.log >&2; exit 1; }
}

# Sourced by the peers in JavaScript: puts one, with what it needs from npm, into a folder and enters it.
# The exact versions, dependencies included, are those of package-lock.json; Node.js is the one on the path.
here=$(cd "$(dirname "$0")" && pwd)
into="${BULKHEAD_PEERS:-$here/../../../target/peers}/$(basename "$here")"
mkdir -p "$into"
cp "$here"/*.mjs "$here"/../measure.mjs "$into"
if ! cmp -s "$here/package-lock.json" "$into/.installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$into"
    (cd "$into" && npm ci --silent --no-fund --no-audit >&2)
    cp "$here/package-lock.json" "$into/.installed"
fi
cd "$into"

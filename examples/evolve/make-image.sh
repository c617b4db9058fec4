#!/bin/sh
# Makes the image that programs are run in: busybox, which has an awk, and nothing else. The engine is Docker's usual one, or
# that of DOCKER_HOST. An image of this name that is there already is kept.
set -eu

image=${1:-bulkhead-evolve:1}

if docker image inspect "$image" >/dev/null 2>&1; then
    echo "$image is there already"
    exit
fi

busybox=
for path in /bin/busybox /usr/bin/busybox; do
    if [ -x "$path" ]; then busybox=$path; fi
done
if [ -z "$busybox" ]; then
    echo "there is no busybox; next: apt-get install busybox-static" >&2
    exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
cp "$busybox" "$folder/bin/busybox"
ln -s busybox "$folder/bin/awk"
ln -s busybox "$folder/bin/sh"
tar -C "$folder" -c bin | docker import - "$image" >/dev/null

# The image has no libraries: a busybox that needs some does not start in it.
if ! docker run --rm --network none "$image" awk 'BEGIN { exit }'; then
    docker image rm "$image" >/dev/null
    echo "$busybox does not run by itself; next: apt-get install busybox-static" >&2
    exit 1
fi
echo "$image is made"

#!/bin/sh
# What a call of a compiled function costs: bench/call/run.sh [BUILD-DIR]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cc -std=gnu11 -O3 -march=native -I"$root/include" "$here/call.c" "$here/kernels.c" \
    -L"$build" -ljitrun -Wl,-rpath,"$build" -o "$out/call"
"$out/call"

#!/bin/sh
# How late runs stop when they are cancelled: bench/stop/run.sh [BUILD-DIR [ROUNDS [MILLIONS [ENGINES
# [KERNEL...]]]]]. ENGINES is a list such as llvm,tcc,interp, to which unchecked and fastmath may be added.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cc -std=gnu11 -O2 -rdynamic -I"$root/include" "$here/stop.c" -L"$build" -ljitrun -lpthread \
    -Wl,-rpath,"$build" -o "$out/stop"
rounds=${2:-9} millions=${3:-50} engines=${4:-llvm,tcc,interp}
if [ $# -ge 4 ]; then shift 4; else shift $#; fi
"$out/stop" "$here/kernels.src" "$rounds" "$millions" "$engines" "$@"

#!/bin/sh
# The LLVM engine against clang on the same loops: bench/llvm/run.sh [BUILD-DIR]
# Needs a build with the LLVM engine (build/ by default) and clang-19.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
clang-19 -O3 -march=native -ffp-contract=off -fPIC -shared "$here/kernels.c" -o "$out/kernels.so"
cc -std=gnu11 -O2 -D_GNU_SOURCE -I"$root" "$here/bench.c" "$root"/ir/*.c "$root"/ir/*/*.c \
    -o "$out/bench" -ldl -lm
"$out/bench" "$build/libjitrun-llvm.so" "$here/kernels.ir" "$out/kernels.so"

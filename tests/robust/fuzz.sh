#!/bin/sh
# Fuzzes every parser of ours with libFuzzer (clang), each for so many seconds from its corpus, and prints how
# many inputs each saw. What crashes is kept in build-fuzz/found/NAME-*; small ones belong into tests/fuzz/corpus.
#
#     tests/robust/fuzz.sh SECONDS [NAME...]
#
# SPDX-License-Identifier: Apache-2.0
set -eu
seconds=${1:?seconds for each target}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-fuzz
if [ ! -f "$build/build.ninja" ]; then
    CC=${CC:-clang} meson setup "$build" "$root" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
        -Doptimization=1 -Dc_args=-fsanitize=fuzzer-no-link > /dev/null
fi
targets=$(ninja -C "$build" -t targets all | sed -n 's/^\(tests\/fuzz\/fuzz_[a-z_]*\): .*/\1/p' | sort -u)
# shellcheck disable=SC2086 # words are wanted
ninja -C "$build" $targets > "$build/ninja.log" || { tail -20 "$build/ninja.log"; exit 1; }
mkdir -p "$build/found" "$build/corpus" "$build/empty"
cd "$build/empty"
one() { # program, name
    mkdir -p "$build/corpus/$2"
    if "$build/$1" -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/found/$2-" "$build/corpus/$2" "$root/tests/fuzz/corpus/$2" > "$build/found/$2.log" 2>&1; then
        printf '%-12s %s inputs\n' "$2" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/found/$2.log")"
    else
        touch "$build/found/$2.failed"
        echo "FAILED $2: see $build/found/$2.log"
    fi
}
rm -f "$build"/found/*.failed
running=0
for t in $targets; do
    name=${t##*/fuzz_} && name=${name#codec_}
    case " $* " in "  " | *" $name "*) ;; *) continue ;; esac
    one "$t" "$name" &
    running=$((running + 1))
    [ $((running % 2)) = 0 ] && wait # two at a time
done
wait
bad=$(find "$build/found" -name '*.failed' | wc -l)
echo "fuzz: $bad targets failed"
[ "$bad" = 0 ]

#!/bin/sh
# Builds with a sanitizer and runs what can race, leak or overrun: the unit tests, runs over small mixed
# folders with four jobs, and, where the reference files are, every broken file and every format.
#
#     tests/robust/sanitize.sh thread|address [quick]
#
# `quick` leaves the reference files out. Findings go to build-KIND/sanitizer.*; the last line counts them.
# Foreign libraries are not built with sanitizers: what they do inside the decoding process is not ours.
# SPDX-License-Identifier: Apache-2.0
set -eu
kind=${1:?thread or address}
root=$(cd "$(dirname "$0")/../.." && pwd)
case $kind in
thread) build=$root/build-tsan flags=thread ;;
address) build=$root/build-asan flags=address,undefined ;;
*) echo "usage: sanitize.sh thread|address [quick]" >&2; exit 2 ;;
esac
CC=${CC:-gcc}
export CC
if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" "$root" -Db_sanitize=$flags -Db_lundef=false -Doptimization=1 > /dev/null
fi
ninja -C "$build" > "$build/ninja.log" || { tail -20 "$build/ninja.log"; exit 1; }
rm -f "$build"/sanitizer.* "$build/ran"
log="log_path=$build/sanitizer:exitcode=66"
export ASAN_OPTIONS="$log:detect_leaks=1:allocator_may_return_null=1"
export UBSAN_OPTIONS="$log:print_stacktrace=1"
export LSAN_OPTIONS="suppressions=$root/tests/robust/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="$log:halt_on_error=0:allocator_may_return_null=1:suppressions=$root/tests/robust/tsan.supp"
export VIDIMUS_LIBEXEC="$build" VIDIMUS_BIN="$build/vidimus"
export VIDIMUS_TEST_DATA="${VIDIMUS_TEST_DATA:-$root/../shared/data}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0
run() {
    if ! timeout 900 "$@" > "$scratch/said" 2>&1; then
        bad=$((bad + 1))
        echo "FAILED $*"
        tail -5 "$scratch/said"
    fi
}
for t in $(find "$build/tests" -name "unit_*" -type f -perm -u+x | sort); do
    echo "$t" >> "$build/ran"
    case $t in
    *_codec_broken | *_codec_formats) [ "${2:-}" = quick ] && continue ;; # the reference files, below
    *_image_* | *_measure_* | *_video_* | *_index_* | *_synth*) [ $kind = thread ] && continue ;; # no threads in there, or the run below has them; slow
    esac
    run "$t"
done
python3 - "$root" "$scratch/in" <<'PY'
import os, sys
sys.path.insert(0, os.path.join(sys.argv[1], "tests", "robust"))
import common
common.captures(sys.argv[2], 8, 2)
PY
run "$build/vidimus" run "$scratch/in" --out "$scratch/d.vidimus" --jobs 4
run "$build/vidimus" run "$scratch/in" --out "$scratch/d.vidimus" --jobs 4 --dihedral --near-distance 40
for op in list issues groups status report; do run "$build/vidimus" $op "$scratch/d.vidimus" --json; done
run "$build/vidimus" tag "$scratch/d.vidimus" --where 1 +x
run "$build/vidimus" gc "$scratch/d.vidimus"
if [ "${2:-}" != quick ] && [ -d "$VIDIMUS_TEST_DATA/broken" ]; then
    run "$build/vidimus" run "$VIDIMUS_TEST_DATA/broken" "$VIDIMUS_TEST_DATA/formats" --out "$scratch/b.vidimus" --jobs 2 --quiet
fi
found=$(find "$build" -maxdepth 1 -name 'sanitizer.*' | wc -l)
echo "sanitize $kind: $bad commands failed, $found reports in $build/sanitizer.*"
[ "$bad" = 0 ] && [ "$found" = 0 ]

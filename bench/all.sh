#!/bin/sh
# Runs every bench, one JSON line an input: bench/all.sh [quick] > bench.jsonl
# Takes about half an hour on two quiet cores, five minutes with "quick". SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
BUILD=${VIDIMUS_BUILD:-build}
ninja -C "$BUILD" programs bench/bench_json bench/bench_hamming bench/bench_measure bench/bench_motion bench/bench_codec bench/bench_bundle \
    bench/bench_coco bench/bench_points bench/bench_match bench/bench_sift bench/bench_solvers bench/bench_two_view bench/sift_export bench/match_export \
    bench/choose_export bench/bench_confident bench/bench_maps >&2
ninja -C "$BUILD" bench/bench_jpeg_ceiling >&2 || echo "no TurboJPEG library: no ingest" >&2
quick=${1:-}
failed=0
run() {
    echo "bench: $*" >&2
    "$@" || { failed=1; echo "bench: $1 failed" >&2; }
}
if [ "$quick" = quick ]; then
    run bench/ingest.py 1 44 375
    run bench/tiny.py 1
    run bench/million.py 100000 1
    run python3 tests/robust/memory.py "$BUILD"
    run python3 tests/robust/memory.py "$BUILD" --features
    run bench/defects.py 1 2 800
    run bench/neardup.py
    run bench/labels.py --images 10000
    run bench/labels.py --maps
    run bench/label_checks.py --images 10000 --planted 500
    run bench/publish.py --pictures 500 --objects 50000 --repeats 1
    run bench/scene_labels.py 1
    run "$BUILD/bench/bench_points" 100 100000
    run bench/tracking.py 1
    run "$BUILD/bench/bench_bundle" 50 10000
    run bench/coco_eval.py --images 300
    run bench/eval_slices.py --images 300 --repeats 1
    run "$BUILD/bench/bench_solvers" 10000
    run "$BUILD/bench/bench_two_view" 10
    run "$BUILD/bench/bench_sift"
    run "$BUILD/bench/bench_match" 4096 1
    run bench/curate.py quick
    run bench/stratify.py 1
else
    run bench/ingest.py 5
    run bench/tiny.py 5
    run bench/million.py 1000000 3
    run python3 tests/robust/memory.py "$BUILD"
    run python3 tests/robust/memory.py "$BUILD" --features
    run bench/cleanvision.py 3
    run bench/defects.py 3 6 1600
    run bench/neardup.py
    run bench/labels.py
    run bench/labels.py --maps
    run bench/label_checks.py
    run bench/publish.py
    run bench/scene_labels.py
    run "$BUILD/bench/bench_points"
    run bench/tracking.py 5
    run "$BUILD/bench/bench_measure"
    run "$BUILD/bench/bench_bundle" 200 100000 2 0
    run "$BUILD/bench/bench_bundle" 200 100000 2 1
    # one photo in about ten
    run "$BUILD/bench/bench_motion" "${VIDIMUS_TEST_DATA:-../shared/data}"/photos/imagenet-sample/*5_*.JPEG
    run "$BUILD/bench/bench_solvers" 100000
    run "$BUILD/bench/bench_two_view" 100
    run bench/two_view_peers.py 20
    run "$BUILD/bench/bench_sift"
    run "$BUILD/bench/bench_match"
    run bench/sift_quality.py
    run bench/pairs.py
    run bench/curate.py
    run bench/stratify.py
    run bench/scenes.py
    run bench/coco_eval.py
    run bench/eval_slices.py
fi
exit $failed

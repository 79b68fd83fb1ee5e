# The Debian 12 packages the project needs, once, and how they get there; sourced by ./demo, ./check.
# SPDX-License-Identifier: Apache-2.0
#
# need build    what it takes to build and run
# need check    what the tests need besides
# need ci       what .ci/run needs besides
# Does nothing, and touches no network, when all is in place.
PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkg-config python3 libjpeg62-turbo-dev libpng-dev
libxxhash-dev libsqlite3-dev libarchive-dev liblcms2-dev libvips-dev libwebp-dev libexif-dev libexpat1-dev
libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libsuitesparse-dev libopenblas-serial-dev"
PACKAGES_CHECK="g++ clang-format binutils"
PACKAGES_CI="clang"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$*"
    exit 3
}

missing_packages() {
    for p in "$@"; do
        case "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" in
        installed) ;;
        *) printf '%s ' "$p" ;;
        esac
    done
}

# Without dpkg there is nothing to ask but the tools themselves.
need_elsewhere() {
    for t in meson ninja pkg-config python3 cc; do
        command -v "$t" >/dev/null 2>&1 || die "$t is not installed. This script installs packages on" \
            "Debian only; elsewhere install the counterparts of: $*"
    done
}

need() {
    case "$1" in
    build) wanted="$PACKAGES_BUILD" ;;
    check) wanted="$PACKAGES_BUILD $PACKAGES_CHECK" ;;
    *) wanted="$PACKAGES_BUILD $PACKAGES_CHECK $PACKAGES_CI" ;;
    esac
    # shellcheck disable=SC2086 # words are wanted
    set -- $wanted
    if ! command -v dpkg-query >/dev/null 2>&1; then
        need_elsewhere "$@"
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    say "Debian packages to install (apt-get, 1 to 5 minutes, up to 1.2 GB of disk on a bare system):"
    say "  $missing"
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then as_root="sudo"
    else die "this needs root; run:  apt-get install --no-install-recommends $missing"; fi
    # shellcheck disable=SC2086
    $as_root apt-get update -q >&2 || die "apt-get update failed; is there a network?"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >&2 ||
        die "apt-get could not install: $missing"
}

# build_in DIR MESON_ARGS...: configures once, then builds what is out of date.
build_in() {
    dir="$1"
    shift
    if [ ! -f "$dir/build.ninja" ]; then
        say "configuring $dir (meson) ..."
        meson setup "$dir" "$root" "$@" >"$dir.log" 2>&1 || {
            cat "$dir.log" >&2
            die "meson could not configure $dir"
        }
        mv "$dir.log" "$dir/setup.log"
        say "building $dir (ninja; about 2 minutes on 2 cores the first time) ..."
    fi
    ninja -C "$dir" >"$dir/build.log" 2>&1 || {
        grep -v '^\[' "$dir/build.log" >&2
        die "the build failed; the whole log is $dir/build.log"
    }
}

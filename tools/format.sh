#!/bin/sh
# Writes every C file as clang-format (14, of Debian 12) and the file .clang-format would have it.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
git ls-files 'src/*.c' 'src/*.h' 'src/*.inc' 'tests/*.c' 'tests/*.h' 'bench/*.c' 'include/*.h' |
    xargs clang-format -i

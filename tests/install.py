#!/usr/bin/env python3
"""What a user of the library gets. SPDX-License-Identifier: Apache-2.0

Installs the build into an empty prefix and checks there: each public header compiles alone as C11 and as
C++17 without a warning; a program built with the pkg-config file runs, linked with the shared and with
the static library; the shared library exports the functions of the headers and nothing else; the
installed command decodes pictures, so it has found its decoding processes and what they load; it names the
same libraries as the build. Usage: install.py BUILD_DIR
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

WARN = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
PROGRAM = r"""
#include <vidimus/vidimus.h>
#include <vidimus/arrow.h>
#include <stdio.h>
#include <string.h>
int main(void) {
    vd_ctx *ctx = NULL;
    vd_result *r = NULL;
    vd_err err = { VD_OK, "" };
    if (strcmp(vd_version(), VIDIMUS_VERSION) != 0) return 1;
    if (vd_ctx_new(&ctx, NULL, &err) != VD_OK || vd_call(ctx, "doctor", NULL, 0, &r, &err) != VD_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 2;
    }
    struct ArrowArrayStream s;
    struct ArrowSchema schema;
    if (vd_result_rows(r) < 3 || vd_result_stream(r, &s, &err) != VD_OK) return 3;
    if (s.get_schema(&s, &schema) != 0 || schema.n_children != vd_result_columns(r)) return 4;
    schema.release(&schema);
    s.release(&s);
    vd_result_free(r);
    vd_ctx_free(ctx);
    return 0;
}
"""
results = []


def check(name, ok, detail=""):
    results.append(ok)
    if not ok:
        print(f"failed: {name}\n{detail[:2000]}")


def run(cmd, **kw):
    done = subprocess.run([str(c) for c in cmd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    return done.returncode, done.stdout.decode(errors="replace")


def headers(include, work, cc, cxx):
    for header in sorted((include / "vidimus").glob("*.h")):
        for compiler, std, suffix in ((cc, "c11", "c"), (cxx, "c++17", "cc")):
            if shutil.which(compiler[0]) is None:
                print(f"no {compiler[0]} here: {header.name} is not compiled as {std}")
                continue
            src = work / f"one.{suffix}"
            src.write_text(f'#include "vidimus/{header.name}"\nint one(void);\nint one(void) {{ return 1; }}\n')
            rc, out = run([*compiler, f"-std={std}", *WARN, "-I", include, "-c", src, "-o", work / "one.o"])
            check(f"{header.name} alone as {std}", rc == 0, out)


def exports(lib, include):
    if shutil.which("nm") is None:
        print("no nm here: the exported symbols are not looked at")
        return
    declared = set(re.findall(r"^VD_API [^;]*?(\w+)\(", (include / "vidimus/vidimus.h").read_text(), re.M))
    rc, out = run(["nm", "-D", "--defined-only", lib])
    found = {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}
    check("exported symbols", rc == 0 and found == declared and declared,
          f"too many: {sorted(found - declared)}\nmissing: {sorted(declared - found)}")


def programs(prefix, libdir, work, cc):
    src = work / "user.c"
    src.write_text(PROGRAM)
    env = dict(os.environ, PKG_CONFIG_PATH=str(libdir / "pkgconfig"), LD_LIBRARY_PATH=str(libdir))
    pkg = ["pkg-config", f"--define-variable=prefix={prefix}"]
    rc, flags = run(pkg + ["--cflags", "--libs", "vidimus"], env=env)
    check("pkg-config", rc == 0, flags)
    rc, out = run([*cc, "-std=c11", *WARN, src, "-o", work / "shared", *flags.split()])
    check("linking with the shared library", rc == 0, out)
    # our library static, the others as they come: --static would ask for their private libraries too
    rc, names = run(pkg + ["--print-requires-private", "vidimus"], env=env)
    rc, others = run(["pkg-config", "--libs", *re.findall(r"^lib\S+|^sqlite3|^expat", names, re.M)])
    check("pkg-config names what the static library needs", rc == 0 and "-l" in others, names + others)
    pc = (libdir / "pkgconfig/vidimus.pc").read_text()
    private = re.findall(r"(?<=\s)-[lp]\S+", re.search(r"^Libs\.private:(.*)$", pc, re.M).group(1))
    words = ["-I", prefix / "include", libdir / "libvidimus.a", *others.split(), *private]
    rc, out = run([*cc, "-std=c11", *WARN, src, "-o", work / "static", *words])
    check("linking with the static library", rc == 0, out)
    env["VIDIMUS_LIBEXEC"] = str(prefix / "libexec/vidimus")
    for name in ("shared", "static"):
        rc, out = run([work / name], env=env) if (work / name).exists() else (1, "not built")
        check(f"running the program linked with the {name} library", rc == 0, f"status {rc}\n{out}")


def png(path, side=32):
    """A grey ramp; PNG is decoded by libvips, which is loaded when it is needed."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes(8 * (x + y) % 256 for x in range(side)) for y in range(side))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def doctor(exe, env):
    rc, out = run([exe, "doctor", "--json"], env=env)
    return rc, {row["item"]: row["value"] for row in json.loads(out)} if rc == 0 else out


def command(prefix, work, build):
    """Without VIDIMUS_LIBEXEC: the command must find its processes beside itself."""
    env = {k: v for k, v in os.environ.items() if k != "VIDIMUS_LIBEXEC"}
    exe = prefix / "bin/vidimus"
    rc, here = doctor(exe, env)
    _, there = doctor(build / "vidimus", env)
    check("installed: doctor names the libraries of the build", rc == 0 and here == there, f"{here}\n{there}")
    captures = work / "captures"
    rc, out = run([exe, "synth", captures, "--views", "2", "--width", "160", "--height", "120", "--defects", "0"],
                  env=env)
    check("installed: synth", rc == 0, out)
    png(captures / "images" / "ramp.png")
    rc, out = run([exe, "run", captures / "images", "--out", work / "a.vidimus"], env=env)
    check("installed: run", rc == 0, out)
    rc, out = run([exe, "sql", work / "a.vidimus", "SELECT format, verdict, count(*) AS n FROM asset_facts "
                   "GROUP BY 1, 2 ORDER BY 1, 2", "--format", "csv"], env=env)
    with_vips = here["libvips"] != "not in this build" if rc == 0 else False
    check("installed: JPEG decodes", rc == 0 and "jpeg,ok,2" in out.split(), out)
    check("installed: PNG decodes", rc == 0 and f"png,{'ok' if with_vips else 'unsupported'},1" in out.split(), out)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    cc, cxx = os.environ.get("CC", "cc").split(), os.environ.get("CXX", "c++").split()
    with tempfile.TemporaryDirectory(prefix="vidimus_install_") as tmp:
        work = pathlib.Path(tmp)
        rc, out = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", work / "root"])
        check("meson install", rc == 0, out)
        found = list((work / "root").rglob("include/vidimus/vidimus.h"))
        check("the header is installed", len(found) == 1)
        if found:
            prefix = found[0].parents[2]
            libdir = next(prefix.rglob("libvidimus.so")).parent
            headers(prefix / "include", work, cc, cxx)
            exports(libdir / "libvidimus.so", prefix / "include")
            programs(prefix, libdir, work, cc)
            command(prefix, work, build)
    failed = results.count(False)
    print("install: %d passed, %d failed" % (len(results) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

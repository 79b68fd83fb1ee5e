#!/usr/bin/env python3
"""bench million [ROWS [REPEATS]]: answers of a catalog with 10^6 assets, and near-duplicate search over 10^6 hashes.

The dataset is made by the binary (schema, view, state) from one picture; the other rows are written
straight into it: the folders of ten cameras, log-normal sharpness, 5 % findings, some 5 % in groups of two or three
duplicates. Each operation is a fresh process; medians. SPDX-License-Identifier: Apache-2.0
"""
import json
import math
import os
import random
import sqlite3
import sys

import common

KINDS = ["dark", "light", "blurry", "noisy", "clipped", "low_information", "odd_size", "grayscale"]


def columns(db, table):
    return [r[1] for r in db.execute("PRAGMA table_info(%s)" % table)]


def insert(db, table, fixed, generator):
    """Rows of `table`: the columns of the one real row, with those in `fixed` replaced."""
    names = columns(db, table)
    at = [names.index(n) for n in fixed]
    template = list(db.execute("SELECT * FROM %s ORDER BY 1 LIMIT 1" % table).fetchone())

    def made():
        for values in generator:
            row = template[:]
            for i, v in zip(at, values):
                row[i] = v
            yield row
    db.executemany("INSERT INTO %s VALUES(%s)" % (table, ",".join("?" * len(names))), made())


def fill(path, n):
    rng = random.Random(1)
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-200000")
    ids = range(2, n + 1)
    uri = {}
    insert(db, "asset", ["id", "uri", "size", "inode", "content_hash"],
           ((i, "/captures/cam%02d/%05d/img_%07d.jpg" % (i % 10, i // 1000, i), 90000 + i % 70000, i,
             "%032x" % rng.getrandbits(128)) for i in ids))
    insert(db, "fact_check", ["asset_id", "verdict", "taken_at"],
           ((i, "truncated" if i % 997 == 0 else "ok", "2024-%02d-%02dT%02d:%02d:%02d" %
             (1 + i % 12, 1 + i // 12 % 28, i // 336 % 24, i // 8064 % 60, i % 60)) for i in ids))
    insert(db, "fact_measure", ["asset_id", "sharpness", "brightness", "contrast", "entropy", "noise"],
           ((i, math.exp(rng.gauss(6, 1.2)), rng.gauss(118, 30), rng.gauss(55, 15), rng.gauss(7, 0.5), abs(rng.gauss(1, 1)))
            for i in ids))
    insert(db, "fact_fingerprint", ["asset_id", "pdq"], ((i, rng.getrandbits(256).to_bytes(32, "big")) for i in ids))
    db.execute("DELETE FROM fact_duplicates WHERE asset_id >= 2")
    key = db.execute("SELECT key FROM stage_config WHERE stage = 'duplicates'").fetchone()
    names = columns(db, "fact_duplicates")
    slot = {k: j for j, k in enumerate(names)}

    def duplicates():
        i = 2
        while i + 3 <= n:
            if i % 83 < 1 or i % 89 < 1:  # about 2.3 groups in a hundred, of two or three
                size = 3 if i % 2 else 2
                exact = i % 83 < 1
                for k in range(size):
                    row = [None] * len(names)
                    row[slot["asset_id"]], row[slot["key"]] = i + k, key[0] if key else 0
                    row[slot["duplicate_group" if exact else "near_group"]] = i
                    row[slot["duplicate_keep" if exact else "near_keep"]] = int(k == 0)
                    row[slot["near_distance"]] = None if exact else 7 * k
                    row[slot["keep_reason"]] = ("the same bytes: first found" if exact else "highest resolution") if k == 0 else None
                    yield row
                i += size
            i += 1
    db.executemany("INSERT INTO fact_duplicates VALUES(%s)" % ",".join("?" * len(names)), duplicates())
    db.executemany("INSERT INTO problem(kind, asset_id, score, evidence) VALUES(?,?,?,?)",
                   ((KINDS[i % 8], i, rng.random() * 0.3, "sharpness %.1f" % (rng.random() * 4)) for i in range(20, n + 1, 20)))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    counts = {t: db.execute("SELECT count(*) FROM " + t).fetchone()[0]
              for t in ("asset", "fact_check", "fact_measure", "fact_fingerprint", "fact_duplicates", "problem")}
    low = db.execute("SELECT sharpness FROM fact_measure ORDER BY sharpness LIMIT 1 OFFSET 1000").fetchone()[0]
    plan = [r[3] for r in db.execute("EXPLAIN QUERY PLAN SELECT id, uri, sharpness FROM asset_facts WHERE sharpness < ?"
                                     " ORDER BY id", (low,))]
    db.close()
    return counts, low, plan


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    base = os.environ.get("VIDIMUS_BENCH_KEEP") or common.scratch("million")
    dataset = os.path.join(base, "million.vidimus")
    first = common.distinct_copies(common.imagenet(), os.path.join(base, "one"), 1)
    common.fresh_run(dataset, os.path.dirname(first[0]))
    counts, low, plan = fill(os.path.join(dataset, "catalog.db"), n)
    where = "sharpness < %.6f" % low
    jobs = {
        "list_indexed": ["list", dataset, "--where", where],
        "list_indexed_limit": ["list", dataset, "--where", where, "--sort", "sharpness", "--limit", "50"],
        "list_common_limit": ["list", dataset, "--where", "sharpness > %.6f" % low, "--limit", "50"],
        "list_verdict": ["list", dataset, "--where", "verdict = 'truncated'"],
        "issues": ["issues", dataset],
        "issues_json": ["issues", dataset, "--json"],
        "issues_kind_limit": ["issues", dataset, "--kind", "blurry", "--limit", "50"],
        "groups_json": ["groups", dataset, "--json"],
        "groups_exact_limit": ["groups", dataset, "--kind", "exact", "--limit", "50"],
        "status": ["status", dataset],
        "report": ["report", dataset],
    }
    result = {}
    for name, argv in jobs.items():
        t = [common.vidimus(*argv, cwd=base) for _ in range(repeats)]
        result[name] = {"s": common.median([x.wall for x in t]), "spread": common.spread([x.wall for x in t]),
                        "cpu_s": common.median([x.cpu for x in t]), "bytes": len(t[0].out)}
    listed = len(json.loads(common.vidimus("list", dataset, "--where", where, "--json").out))
    hamming = os.path.join(common.BUILD, "bench", "bench_hamming")
    near = json.loads(common.Timed([hamming, str(n), str(common.JOBS)]).out) if os.path.exists(hamming) else None
    common.emit("million", input="generated catalog", rows=counts, catalog_bytes=os.path.getsize(os.path.join(dataset, "catalog.db")),
                repeats=repeats, target_s=0.5, target_report_s=5, results=result, rows_listed=listed, rows_expected=1000, plan=plan,
                index_used=any("fact_measure_sharpness" in p for p in plan), near_search=near, target_near_search_s=60)


if __name__ == "__main__":
    main()

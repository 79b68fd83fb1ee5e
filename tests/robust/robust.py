#!/usr/bin/env python3
"""What may happen to a dataset and its sources, from outside: kills, jobs, chunks, disks, folders, files that
move, change and vanish, old and new catalogs. Each test says in its name what must hold.

    tests/robust/robust.py [NAME...]

SPDX-License-Identifier: Apache-2.0
"""
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time

import common
import kill
from common import Skip, dump, need, read, same, vidimus, write


def rows(dataset, sql):
    return [list(r.values()) for r in json.loads(vidimus("sql", dataset, sql, "--json").out)]


def state_of(dataset):
    return {os.path.basename(u): s for u, s in rows(dataset, "SELECT uri, state FROM asset_facts WHERE parent_id IS NULL")}


def root_only():
    if os.geteuid() != 0:
        raise Skip("needs root")


def killed_and_resumed_is_identical(s):
    hit, _ = kill.kills(s, 8, 5, 2)
    need(hit >= 4, f"only {hit} kills hit a running process")


def any_number_of_jobs_gives_identical_facts(s):
    common.captures(s + "/in")
    truth = None
    for jobs in (1, 2, 8):
        d = f"{s}/d{jobs}.vidimus"
        vidimus("run", s + "/in", "--out", d, "--jobs", jobs)
        facts = dump(d)
        truth = truth or facts
        same(truth, facts, f"--jobs {jobs}")


def every_cpu_level_gives_identical_facts(s):
    common.captures(s + "/in", 6, 2)
    truth = None
    for level in ("c", "avx2", "avx512"):
        d = f"{s}/{level}.vidimus"
        p = subprocess.run([common.BIN, "run", s + "/in", "--out", d], capture_output=True, env={**common.env(), "VIDIMUS_CPU": level})
        need(p.returncode == 0, p.stderr.decode())
        facts = dump(d)
        truth = truth or facts
        same(truth, facts, f"VIDIMUS_CPU={level}")


def chunks_in_any_order_give_the_same_facts(s):
    made = common.captures(s + "/in")
    for i, p in enumerate(made):
        if i % 2:
            os.makedirs(s + "/in/odd", exist_ok=True)
            os.rename(p, f"{s}/in/odd/{os.path.basename(p)}")
    vidimus("run", s + "/in", "--out", s + "/whole.vidimus")
    for step in ("odd", "sub", "clip.avi", "images", "."):
        vidimus("run", f"{s}/in/{step}", "--out", s + "/parts.vidimus")
    same(dump(s + "/whole.vidimus", any_order=True), dump(s + "/parts.vidimus", any_order=True), "in parts")


def stages_one_by_one_give_the_same_facts(s):
    common.captures(s + "/in", 6, 2)
    vidimus("run", s + "/in", "--out", s + "/whole.vidimus")
    for stage in ("add", "measure", "check", "fingerprint", "features", "duplicates", "match", "reconstruct"):
        vidimus("run", s + "/in", "--out", s + "/parts.vidimus", "--only", stage)
    same(dump(s + "/whole.vidimus"), dump(s + "/parts.vidimus"), "stage by stage")


def nothing_new_means_nothing_done(s):
    common.captures(s + "/in", 4, 1)
    vidimus("run", s + "/in", "--out", s + "/d.vidimus")
    before = dump(s + "/d.vidimus")
    again = json.loads(vidimus("run", s + "/in", "--out", s + "/d.vidimus", "--json").out)
    need(all(r["total"] == 0 for r in again if r["stage"] != "add"), again)
    same(before, dump(s + "/d.vidimus"), "the second run")


def interrupted_politely_keeps_what_was_done(s):
    common.captures(s + "/in", 24, 2)
    p = subprocess.Popen([common.BIN, "run", s + "/in", "--out", s + "/d.vidimus", "--jobs", "1"], env=common.env(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(0.25)
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=20)[1].decode()
    common.wait_gone(p.pid)
    if p.returncode == 0:
        raise Skip("the run was done before the signal came")
    need(p.returncode == 3 and "run it again" in said, p.returncode, said)
    vidimus("run", s + "/in", "--out", s + "/d.vidimus")
    vidimus("run", s + "/in", "--out", s + "/e.vidimus")
    same(dump(s + "/e.vidimus"), dump(s + "/d.vidimus"), "after SIGINT")


def a_killed_decoder_costs_nothing_but_its_file(s):
    common.captures(s + "/in", 24, 2)
    p = subprocess.Popen([common.BIN, "run", s + "/in", "--out", s + "/d.vidimus", "--jobs", "2"], env=common.env(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    killed = 0
    end = time.time() + 20
    while p.poll() is None and killed < 5 and time.time() < end:
        for pid, name in common.session_members(p.pid):
            if pid != p.pid and "codec" in name:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
        time.sleep(0.03)
    said = p.communicate(timeout=60)[1].decode()
    need(p.returncode == 0, p.returncode, said)
    if not killed:
        raise Skip("no decoder was seen alive")
    n = rows(s + "/d.vidimus", "SELECT count(*) FROM asset_facts WHERE verdict IS NULL AND parent_id IS NULL")
    need(n == [[0]], "assets without a verdict:", n)


# ---- disks and folders ----

class Disk:
    """A small file system in memory."""

    def __init__(self, path, size):
        root_only()
        os.makedirs(path, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True).returncode:
            raise Skip("mount is not allowed here")
        self.path = path

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.path], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], capture_output=True)


def a_full_disk_is_told_and_nothing_is_lost(s):
    common.captures(s + "/in", 12, 1)
    vidimus("run", s + "/in", "--out", s + "/truth.vidimus")
    told = 0
    with Disk(s + "/disk", "400m") as disk:
        for size in ("16k", "128k", "256k", "300k", "400k", "512k", "640k", "800k", "1000k"):
            shutil.rmtree(s + "/disk/d.vidimus", ignore_errors=True)
            disk.remount("size=" + size)
            p = vidimus("run", s + "/in", "--out", s + "/disk/d.vidimus", want=None)
            need(p.returncode in (0, 3), f"{size}: status {p.returncode}: {p.err}")
            if p.returncode == 3:
                told += 1
                need("no space left" in p.err.lower() or "disk" in p.err.lower(), f"{size}: {p.err}")
                need("/disk" in p.err, "where is not told:", p.err)
            disk.remount("size=400m")
            vidimus("run", s + "/in", "--out", s + "/disk/d.vidimus")
            common.integrity(s + "/disk/d.vidimus")
            same(dump(s + "/truth.vidimus"), dump(s + "/disk/d.vidimus"), f"{size} first")
    need(told >= 3, f"the disk was full only {told} times")


def output_to_a_full_disk_fails(s):
    common.pictures(s + "/in", 2, 0)
    vidimus("run", s + "/in", "--out", s + "/d.vidimus")
    for args in (["list", s + "/d.vidimus", "--json"], ["sql", s + "/d.vidimus", "SELECT 1", "--format", "csv"], ["reference"], ["--help"]):
        with open("/dev/full", "wb") as full:
            p = subprocess.run([common.BIN, *args], stdout=full, stderr=subprocess.PIPE, env=common.env())
        need(p.returncode == 3 and p.stderr, f"{args}: status {p.returncode} {p.stderr}")


def a_read_only_dataset_can_be_read_and_says_so_when_written(s):
    common.pictures(s + "/in", 4, 1)
    with Disk(s + "/disk", "40m") as disk:
        d = s + "/disk/d.vidimus"
        vidimus("run", s + "/in", "--out", d)
        before = vidimus("list", d, "--json").out
        disk.remount("ro")
        for op in ("list", "issues", "groups", "status"):
            vidimus(op, d, "--json")
        need(vidimus("list", d, "--json").out == before, "the list differs")
        for args in (["run", s + "/in", "--out", d], ["tag", d, "--where", "1", "+x"], ["run", s + "/in", "--out", s + "/disk/new.vidimus"]):
            p = vidimus(*args, want=3)
            need("read-only" in p.err.lower() and s + "/disk" in p.err, p.err)


def a_foreign_user_is_told(s):
    root_only()
    if shutil.which("setpriv") is None:
        raise Skip("no setpriv")
    common.pictures(s + "/in", 4, 1)
    vidimus("run", s + "/in", "--out", s + "/d.vidimus")
    os.makedirs(s + "/in/secret")
    shutil.copy(s + "/in/images/view_001.jpg", s + "/in/secret/hidden.jpg")
    shutil.copy(s + "/in/images/view_001.jpg", s + "/in/locked.jpg")
    os.chmod(s + "/in/secret", 0)
    os.chmod(s + "/in/locked.jpg", 0)
    os.makedirs(s + "/theirs", exist_ok=True)
    os.chmod(s + "/theirs", 0o777)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def as_nobody(*args):
        p = subprocess.run([*nobody, common.BIN, *args], capture_output=True, env={**common.env(), "HOME": "/"}, text=True)
        if "failed to execute" in p.stderr:
            raise Skip("the build cannot be reached by another user")
        return p
    p = as_nobody("list", s + "/d.vidimus", "--json")
    need(p.returncode == 0 and len(json.loads(p.stdout)) > 4, p.stderr)
    p = as_nobody("run", s + "/in", "--out", s + "/d.vidimus")
    need(p.returncode == 3 and "permission denied" in p.stderr.lower() and "d.vidimus" in p.stderr, p.returncode, p.stderr)
    p = as_nobody("run", s + "/in", "--out", s + "/theirs/t.vidimus")
    need(p.returncode == 0, p.stderr)
    got = rows(s + "/theirs/t.vidimus", "SELECT verdict, reason FROM asset_facts WHERE uri LIKE '%locked.jpg'")
    need(got and got[0][0] == "unreadable" and got[0][1], got)
    notes = [r for r in sqlite3.connect(s + "/theirs/t.vidimus/catalog.db").execute("SELECT path, reason FROM note")]
    need(any("secret" in n[0] for n in notes), "no note on the unreadable folder:", notes)


def an_unreadable_folder_loses_nothing(s):
    """What was in a folder that cannot be read now has not vanished."""
    root_only()
    common.pictures(s + "/in", 2, 0)
    os.makedirs(s + "/in/deep")
    shutil.copy(s + "/in/images/view_001.jpg", s + "/in/deep/a.jpg")
    os.makedirs(s + "/theirs")
    for top, dirs, files in os.walk(s):
        os.chown(top, 65534, 65534)
        for f in files:
            os.chown(os.path.join(top, f), 65534, 65534)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", common.BIN]

    def run():
        return subprocess.run([*nobody, "run", s + "/in", "--out", s + "/theirs/d.vidimus"], capture_output=True,
                              env={**common.env(), "HOME": "/"}, text=True)
    p = run()
    if "failed to execute" in p.stderr:
        raise Skip("the build cannot be reached by another user")
    need(p.returncode == 0, p.stderr)
    os.chmod(s + "/in/deep", 0)
    p = run()
    need(p.returncode == 0, p.stderr)
    os.chmod(s + "/in/deep", 0o755)
    need(state_of(s + "/theirs/d.vidimus")["a.jpg"] == "present", state_of(s + "/theirs/d.vidimus"))


# ---- files that move, change and vanish ----

def small(s):
    """Three pictures and a dataset of them, with a tag on the first."""
    made = common.pictures(s + "/src", 4, 0)
    for i in range(3):
        write(f"{s}/in/{'abc'[i]}.jpg", read(made[i]))
    write(s + "/fourth.jpg", read(made[3]))
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    vidimus("tag", d, "--where", "uri LIKE '%/a.jpg'", "+mine")
    return d


def one(dataset, name):
    got = rows(dataset, f"SELECT id, state, tags, sharpness FROM asset_facts WHERE uri LIKE '%/{name}'")
    need(len(got) == 1, f"{name}: {len(got)} rows")
    return got[0]


def vanished_is_marked_not_forgotten_and_comes_back(s):
    d = small(s)
    before = one(d, "a.jpg")
    os.rename(s + "/in/a.jpg", s + "/away.jpg")
    vidimus("run", d)
    gone = one(d, "a.jpg")
    need(gone[1] == "vanished" and gone[0] == before[0] and gone[3] == before[3] and gone[2] == "mine", gone)
    common.counts_agree(d)
    os.rename(s + "/away.jpg", s + "/in/a.jpg")
    vidimus("run", d)
    need(one(d, "a.jpg") == before, one(d, "a.jpg"), before)
    shutil.move(s + "/in", s + "/elsewhere")
    vidimus("run", d)
    need(set(state_of(d).values()) == {"vanished"}, state_of(d))
    common.counts_agree(d)
    shutil.move(s + "/elsewhere", s + "/in")
    vidimus("run", d)
    need(set(state_of(d).values()) == {"present"}, state_of(d))
    need(one(d, "a.jpg") == before, "after the folder came back")


def a_renamed_file_keeps_id_and_tags(s):
    d = small(s)
    before = one(d, "a.jpg")
    os.makedirs(s + "/in/new")
    os.rename(s + "/in/a.jpg", s + "/in/new/z.jpg")
    vidimus("run", d)
    need(one(d, "z.jpg") == before, one(d, "z.jpg"), before)
    need(rows(d, "SELECT count(*) FROM asset_facts") == [[3]], "rows")
    common.counts_agree(d)


def a_copied_and_deleted_file_keeps_id_and_tags(s):
    d = small(s)
    before = one(d, "a.jpg")
    write(s + "/in/new/copy.jpg", read(s + "/in/a.jpg"))
    os.remove(s + "/in/a.jpg")
    vidimus("run", d)
    need(one(d, "copy.jpg") == before, one(d, "copy.jpg"), before)
    need(rows(d, "SELECT count(*) FROM asset_facts") == [[3]], "rows")
    common.counts_agree(d)


def a_moved_archive_and_video_keep_their_members(s):
    common.captures(s + "/in", 6, 0)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    vidimus("tag", d, "--where", "uri LIKE '%tar2.jpg'", "+mine")
    q = "SELECT id, tags, content_hash, pdq FROM asset_facts WHERE uri LIKE '%!%' OR uri LIKE '%#%' ORDER BY id"
    before = rows(d, q)
    need(len(before) >= 11, len(before))
    for name in ("shard.tar", "clip.avi", "more.zip"):
        os.rename(f"{s}/in/{name}", f"{s}/in/moved-{name}")
    vidimus("run", d)
    need(rows(d, q) == before, "members and frames differ after the move")
    names = [r[0] for r in rows(d, "SELECT uri FROM asset_facts WHERE uri LIKE '%!%' OR uri LIKE '%#%'")]
    need(all("/moved-" in n for n in names), names)
    common.counts_agree(d)
    os.remove(s + "/in/moved-clip.avi")
    vidimus("run", d)
    common.counts_agree(d)
    vidimus("gc", d, "--vanished")
    common.counts_agree(d)


def changed_content_is_measured_again_and_touched_is_not(s):
    d = small(s)
    before = one(d, "b.jpg")
    common.counts_agree(d)
    os.utime(s + "/in/b.jpg", ns=(1, 1))
    again = json.loads(vidimus("run", d, "--json").out)
    need([r["total"] for r in again if r["stage"] == "measure"] == [0], "a touched file was measured again", again)
    need(one(d, "b.jpg") == before, "touched")
    write(s + "/in/b.jpg", read(s + "/fourth.jpg"))
    vidimus("run", d)
    after = one(d, "b.jpg")
    need(after[0] == before[0] and after[3] != before[3], before, after)
    fresh = s + "/fresh.vidimus"
    vidimus("run", s + "/in", "--out", fresh)
    same(dump(fresh, drop=("tags",)), dump(d, drop=("tags",)), "after a change")


def stale_facts_are_counted(s):
    """Rows under keys that no configuration has, in the middle and at both ends of all keys; some of them gone."""
    d = small(s)
    db = sqlite3.connect(d + "/catalog.db")
    known = [r[0] for r in db.execute("SELECT key FROM stage_config ORDER BY 1")]
    for key in (known[0] - 1, known[1] + 1, 2 ** 63 - 1):
        db.execute("UPDATE fact_measure SET key = ? WHERE asset_id = (SELECT max(asset_id) FROM fact_measure WHERE key <> ?)", (key, key))
        db.execute("DELETE FROM fact_fingerprint WHERE asset_id = (SELECT min(asset_id) FROM fact_fingerprint)")
        db.commit()
        common.counts_agree(d)
    db.execute("UPDATE asset SET state = 'vanished' WHERE id = (SELECT max(id) FROM asset)")
    db.commit()
    common.counts_agree(d)
    for name, in db.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_key' OR name = 'asset_absent'").fetchall():
        db.execute("DROP INDEX " + name)  # as in a catalog of the release before
    db.commit()
    common.counts_agree(d)
    db.close()
    vidimus("run", d)
    common.counts_agree(d)


def a_changed_archive_is_indexed_again(s):
    made = common.pictures(s + "/src", 6, 0)

    def tar(which):
        with tarfile.open(s + "/in/t.tar", "w") as t:
            for i in which:
                info = tarfile.TarInfo(f"p{i}.jpg")
                info.size = os.path.getsize(made[i])
                t.addfile(info, io.BytesIO(read(made[i])))
    os.makedirs(s + "/in")
    tar([0, 1, 2])
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    tar([4, 2, 1, 3])
    os.utime(s + "/in/t.tar", ns=(7, 7))
    vidimus("run", d)
    common.counts_agree(d)
    vidimus("run", s + "/in", "--out", s + "/fresh.vidimus")
    need(state_of(d)["p0.jpg" if "p0.jpg" in state_of(d) else "t.tar!p0.jpg"] == "vanished", state_of(d))

    def there(x):
        return "\n".join(line for line in dump(x).split("\n") if "t.tar!p0" not in line)
    same(there(s + "/fresh.vidimus"), there(d), "a changed tar")


def a_file_that_vanishes_between_add_and_check_is_unreadable(s):
    made = common.pictures(s + "/in", 4, 0)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d, "--only", "add")
    os.rename(made[0], s + "/away.jpg")
    shutil.copy(made[1], s + "/keep.jpg")
    with open(made[1], "r+b") as f:
        f.truncate(1000)
    vidimus("run", d, "--skip", "add")
    got = dict(rows(d, "SELECT uri, verdict FROM asset_facts"))
    need(got[made[0]] == "unreadable", got)
    need(got[made[1]] in ("truncated", "unreadable", "corrupt"), got)
    os.rename(s + "/away.jpg", made[0])
    os.rename(s + "/keep.jpg", made[1])
    vidimus("run", d)
    vidimus("run", s + "/in", "--out", s + "/fresh.vidimus")
    same(dump(s + "/fresh.vidimus"), dump(d), "when the files are back")


def files_truncated_while_running_cost_only_themselves(s):
    made = common.pictures(s + "/in", 60, 0)
    d = s + "/d.vidimus"
    p = subprocess.Popen([common.BIN, "run", s + "/in", "--out", d, "--jobs", "2"], env=common.env(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for m in reversed(made[20:]):
        with open(m, "r+b") as f:
            f.truncate(500)
    said = p.communicate(timeout=60)[1].decode()
    need(p.returncode == 0, p.returncode, said)
    vidimus("run", d)
    vidimus("run", s + "/in", "--out", s + "/fresh.vidimus")
    same(dump(s + "/fresh.vidimus"), dump(d), "after truncation")


def two_writers_one_is_told(s):
    common.captures(s + "/in", 24, 2)
    d = s + "/d.vidimus"
    p = subprocess.Popen([common.BIN, "run", s + "/in", "--out", d, "--jobs", "1"], env=common.env(),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.time() + 10
    while not os.path.exists(d + "/catalog.db-wal") and p.poll() is None and time.time() < end:
        time.sleep(0.01)
    q = vidimus("run", s + "/in", "--out", d, want=None)
    first = p.communicate(timeout=60)
    need(p.returncode == 0, first)
    if q.returncode == 0:
        raise Skip("the first run was done too early")
    need(q.returncode == 3 and "another process" in q.err, q.returncode, q.err)


def readers_go_on_while_a_run_writes(s):
    common.captures(s + "/in", 24, 2)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in/sub", "--out", d)
    p = subprocess.Popen([common.BIN, "run", s + "/in", "--out", d, "--jobs", "1"], env=common.env(),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    n = 0
    while p.poll() is None and n < 20:
        json.loads(vidimus("list", d, "--json").out)
        json.loads(vidimus("issues", d, "--json").out)
        n += 1
    said = p.communicate(timeout=60)[1]
    need(p.returncode == 0, said)


# ---- catalogs of other times ----

def make_first_version(db):
    """What the later versions of the schema added goes."""
    later = "tag pair camera scene split split_asset snapshot snapshot_asset label label_image label_category label_set label_problem evaluation evaluation_match snapshot_label evaluation_picture"
    db.executescript("DROP VIEW asset_facts; " + "".join("DROP TABLE %s; " % t for t in later.split()) + "PRAGMA user_version=1;")


def an_old_catalog_is_migrated_after_a_backup(s):
    common.pictures(s + "/in", 3, 0)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    before = dump(d)
    db = sqlite3.connect(d + "/catalog.db")
    make_first_version(db)
    db.close()
    vidimus("list", d, "--json")
    db = sqlite3.connect(d + "/catalog.db")
    need(db.execute("PRAGMA user_version").fetchone()[0] >= 2, "not migrated")
    db.close()
    backup = d + "/catalog.v1.backup.db"
    need(os.path.exists(backup), os.listdir(d))
    db = sqlite3.connect(backup)
    need(db.execute("PRAGMA user_version").fetchone() == (1,), "the backup is not the old one")
    need(db.execute("SELECT count(*) FROM asset").fetchone()[0] == before.count("fact |"), "the backup is not whole")
    db.close()
    common.integrity(d)
    same(before, dump(d), "migration")
    vidimus("tag", d, "--where", "1", "+x")


def a_migration_that_is_killed_starts_again(s):
    common.pictures(s + "/in", 3, 0)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    before = dump(d)
    db = sqlite3.connect(d + "/catalog.db")
    make_first_version(db)
    db.close()
    write(d + "/catalog.v1.backup.db", b"half a backup")
    vidimus("list", d)
    common.integrity(d + "/../d.vidimus")
    same(before, dump(d), "migration")


def a_newer_catalog_is_refused(s):
    common.pictures(s + "/in", 2, 0)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    db = sqlite3.connect(d + "/catalog.db")
    db.execute("PRAGMA user_version=99")
    db.close()
    for args in (["list", d], ["run", d], ["tag", d, "--where", "1", "+x"]):
        p = vidimus(*args, want=3)
        need("99" in p.err and "newer" in p.err and d in p.err, p.err)
    need(sorted(n for n in os.listdir(d) if "backup" in n) == [], os.listdir(d))


def what_is_no_catalog_is_refused(s):
    for i, data in enumerate((b"", b"SQLite format 3\0" + b"\xff" * 500, b"hello" * 400, None)):
        d = f"{s}/d{i}.vidimus"
        os.makedirs(d)
        if data is None:
            db = sqlite3.connect(d + "/catalog.db")
            db.execute("CREATE TABLE other(x)")
            db.commit()
            db.close()
        else:
            write(d + "/catalog.db", data)
        p = vidimus("list", d, want=None)
        need(p.returncode == 3 or (data == b"" and p.returncode == 0), i, p.returncode, p.err)
        need(p.returncode == 0 or d in p.err, p.err)
    os.makedirs(s + "/full.vidimus")
    write(s + "/full.vidimus/mine.txt", b"x")
    write(s + "/in/a.txt", b"x")
    p = vidimus("run", s + "/in", "--out", s + "/full.vidimus", want=3)
    need("is not a dataset" in p.err, p.err)
    p = vidimus("list", s + "/nothing", want=3)
    need("is not a dataset" in p.err, p.err)


def a_damaged_catalog_is_told(s):
    common.captures(s + "/in", 8, 1)
    d = s + "/d.vidimus"
    vidimus("run", s + "/in", "--out", d)
    size = os.path.getsize(d + "/catalog.db")
    for at in range(100, size, max(size // 12, 1)):
        shutil.copytree(d, s + "/x.vidimus", dirs_exist_ok=True)
        with open(s + "/x.vidimus/catalog.db", "r+b") as f:
            f.seek(at)
            f.write(os.urandom(4096))
        for args in (["list", s + "/x.vidimus", "--json"], ["issues", s + "/x.vidimus", "--json"], ["run", s + "/in", "--out", s + "/x.vidimus"]):
            p = vidimus(*args, want=None)
            need(p.returncode in (0, 3), args, at, p.returncode, p.err)


TESTS = [v for v in list(globals().values()) if callable(v) and getattr(v, "__module__", "") == "__main__" and
         getattr(v, "__code__", None) and v.__code__.co_varnames[:1] == ("s",) and v.__code__.co_argcount == 1 and
         v.__name__ != "small"]

if __name__ == "__main__":
    sys.exit(common.main("robust", TESTS))

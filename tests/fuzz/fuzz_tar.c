/* Fuzz target: any bytes as a tar file. Every delivered member must lie inside the file.
 * clang -fsanitize=fuzzer,address; the corpus is replayed by tests/unit/source_tar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vd_status on_entry(void *user, const vd_tar_entry *e, vd_err *err) {
    (void)err;
    int64_t end = *(int64_t *)user;
    if (e->offset < 512 || e->size < 0 || e->offset > end || e->size > end - e->offset) abort();
    return VD_OK;
}

static vd_status on_note(void *user, const vd_note *n, vd_err *err) {
    (void)err;
    if (n->offset < 0 || n->offset > *(int64_t *)user + 512) abort();
    return VD_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = memfd_create("tar", MFD_CLOEXEC);
    int64_t end = (int64_t)size;
    vd_tar_opt o = VD_TAR_OPT;
    o.on_entry = on_entry;
    o.on_note = on_note;
    o.user = &end;
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size) vd_tar_index(fd, "fuzz", &o, NULL);
    if (fd >= 0) close(fd);
    return 0;
}

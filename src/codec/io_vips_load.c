/* The module with libvips: found, loaded, looked at. SPDX-License-Identifier: Apache-2.0
 *
 * It is never unloaded: among a hundred libraries some keep threads, exit handlers or types behind
 * that would outlive their code. */
#include "codec/io_vips.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MODULE "vidimus-codec-vips.so"

void vd_vips_find(vd_vips_file *f) {
    char path[4096];
    if (f->fd != 0) return;
    f->fd = -1;
    f->error = ENOENT;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof MODULE);
    if (n < 0 || n == (ssize_t)(sizeof path - sizeof MODULE)) return;
    path[n] = '\0';
    char *slash = strrchr(path, '/'); /* " (deleted)", after an update, goes with the name */
    if (slash == NULL) return;
    memcpy(slash + 1, MODULE, sizeof MODULE);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    f->error = errno;
}

/* Whether there would be room for all that the module brings, with what its constructors take.
 * dlerror speaks of a segment that was not mapped, and not why; the loader's errno is its own. */
static bool has_room(void) {
    enum { ENOUGH = 256 << 20 };
    void *p = mmap(NULL, ENOUGH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED) munmap(p, ENOUGH);
    return p != MAP_FAILED;
}

static vd_status refuse(vd_err *err) {
    const char *why = dlerror();
    if (!has_room()) return vd_nomem(err);
    return vd_fail(err, VD_E_UNSUPPORTED, MODULE ": %s", why != NULL ? why : "cannot be loaded");
}

vd_status vd_vips_load(vd_vips_file *f, vd_err *err) {
    static const vd_vips_stamp ours = VD_VIPS_STAMP;
    char by_fd[32], path[4096];
    if (f->api != NULL) return VD_OK;
    vd_vips_find(f);
    if (f->fd < 0) return vd_fail(err, VD_E_UNSUPPORTED, MODULE ": %s", strerror(f->error));
    /* debuggers and sanitizers like the name that the file has, as long as it is there */
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", f->fd);
    ssize_t n = readlink(by_fd, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    void *module = dlopen(access(path, R_OK) == 0 ? path : by_fd, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) return refuse(err);
    const vd_vips_api *api = dlsym(module, VD_VIPS_SYMBOL);
    if (api == NULL) return refuse(err);
    if (memcmp(&api->stamp, &ours, sizeof ours) != 0)
        return vd_fail(err, VD_E_UNSUPPORTED,
                       MODULE ": of another build: version %.15s, interface %u; here %s, %u",
                       api->stamp.release, api->stamp.number, ours.release, ours.number);
    close(f->fd);
    f->fd = -1;
    f->api = api;
    return VD_OK;
}

/* Features of pictures as NumPy files, for the scripts that compare them with other programs':
 *     sift_export [KEY=VALUE...] PICTURE.pgm KEYPOINTS.npy DESCRIPTORS.npy ...
 * Keypoints are rows of x, y, scale, angle. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "feature/sift.h"
#include "pgm.h"

static bool set(vd_sift_opt *o, const char *arg) {
    char key[32];
    double v;
    if (sscanf(arg, "%31[a-z_]=%lf", key, &v) != 2) return false;
    if (strcmp(key, "max_features") == 0) o->max_features = (int)v;
    if (strcmp(key, "octaves_up") == 0) o->octaves_up = (int)v;
    if (strcmp(key, "levels") == 0) o->levels = (int)v;
    if (strcmp(key, "peak_threshold") == 0) o->peak_threshold = v;
    if (strcmp(key, "edge_threshold") == 0) o->edge_threshold = v;
    if (strcmp(key, "max_orientations") == 0) o->max_orientations = (int)v;
    return true;
}

static vd_status export(vd_sift_work *work, const vd_sift_opt *opt, char **name, vd_err *err) {
    int w, h;
    uint8_t *luma = pgm_read(name[0], &w, &h);
    vd_features f = { 0 };
    if (luma == NULL) return vd_fail(err, VD_E_FORMAT, "%s: no binary PGM", name[0]);
    vd_status st = vd_sift_extract_in(work, &f, luma, w, h, w, NULL, 0, opt, err);
    vd_npy kp = { .type = VD_NPY_F32, .n_dims = 2, .dim = { f.n, 4 } },
           desc = { .type = VD_NPY_U8, .n_dims = 2, .dim = { f.n, VD_SIFT_DIM } };
    if (st == VD_OK) st = vd_npy_write(name[1], &kp, f.kp, err);
    if (st == VD_OK) st = vd_npy_write(name[2], &desc, f.desc, err);
    vd_features_reset(&f);
    free(luma);
    return st;
}

int main(int argc, char **argv) {
    vd_sift_opt opt = VD_SIFT_OPT;
    vd_sift_work *work = NULL;
    vd_err err = { 0 };
    vd_status st = vd_sift_work_new(&work, &err);
    int i = 1;
    while (i < argc && set(&opt, argv[i])) i++;
    if (i >= argc || (argc - i) % 3 != 0) {
        fprintf(stderr, "usage: %s [KEY=VALUE...] PICTURE.pgm KEYPOINTS.npy DESCRIPTORS.npy ...\n",
                argv[0]);
        return 2;
    }
    for (; i < argc && st == VD_OK; i += 3) st = export(work, &opt, argv + i, &err);
    if (st != VD_OK) fprintf(stderr, "%s\n", err.msg);
    vd_sift_work_free(work);
    return st == VD_OK ? 0 : 3;
}

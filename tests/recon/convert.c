/* A helper of tests/recon/foreign.py: recon_convert FROM TO FORM reads a COLMAP model and writes it
 * as bin, text, bundler (TO.out, TO.list), nerfstudio or ply (TO is then a file); with FORM stats
 * it prints the figures. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "recon/bundler.h"
#include "recon/colmap.h"
#include "recon/nerfstudio.h"
#include "recon/ply.h"

static vd_status to_bundler(const vd_model *m, const char *to, vd_err *err) {
    const vd_bundler_opt opt = { .mean_focal = true };
    char out[1000], list[1000];
    snprintf(out, sizeof out, "%s.out", to);
    snprintf(list, sizeof list, "%s.list", to);
    return vd_bundler_write(m, out, list, &opt, err);
}

static vd_status print_stats(const vd_model *m) {
    vd_model_stats s = vd_model_stats_of(m);
    printf("%lld %lld %lld %lld %.6f %.6f %.6f\n", (long long)s.cameras, (long long)s.images,
           (long long)s.points, (long long)s.observations, s.mean_track_length,
           s.mean_observations_per_image, s.mean_error_px);
    return VD_OK;
}

static vd_status convert(vd_model *m, const char *to, const char *form, vd_err *err) {
    const vd_ply_opt frusta = { .frustum_size = 0.1 };
    if (strcmp(form, "bin") == 0) return vd_colmap_write(m, to, VD_COLMAP_BINARY, err);
    if (strcmp(form, "text") == 0) return vd_colmap_write(m, to, VD_COLMAP_TEXT, err);
    if (strcmp(form, "nerfstudio") == 0) return vd_nerfstudio_write(m, to, NULL, err);
    if (strcmp(form, "ply") == 0) return vd_ply_write(m, to, &frusta, err);
    if (strcmp(form, "bundler") == 0) return to_bundler(m, to, err);
    if (strcmp(form, "errors") == 0) vd_model_update_errors(m);
    return print_stats(m);
}

int main(int argc, char **argv) {
    vd_model m = { 0 };
    vd_err err = { 0 };
    if (argc != 4) return 2;
    vd_status st = vd_colmap_read(&m, argv[1], &err);
    if (st == VD_OK) st = convert(&m, argv[2], argv[3], &err);
    if (st != VD_OK) fprintf(stderr, "%s\n", err.msg);
    vd_model_reset(&m);
    return st == VD_OK ? 0 : 1;
}

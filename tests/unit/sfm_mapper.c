/* The incremental mapper on scenes whose truth is known, and on input that means no good.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/pool.h"
#include "sfm/tracks.h"
#include "sfm_views.h"

/* The ring has a radius of 4; half a pixel of 1200 at that distance is 1.7 mm, and a pose rests on
 * hundreds of points. */
static const double CENTRE_LIMIT = 0.002, ROTATION_LIMIT_DEG = 0.05;

T(a_ring_is_mapped_whole) {
    const int poses[] = { 10, 30, 100 };
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(poses); i++) {
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = poses[i],
                                              .points = 1500,
                                              .model = VD_CAMERA_SIMPLE_RADIAL,
                                              .see = 0.7,
                                              .noise_px = 0.5 });
        views v = views_of(&s, &r,
                           (views_opt){ .clutter = 100, .wrong = 0.03, .least = 50, .miss = 0.3 });
        vd_sfm_result out = { 0 };
        vd_sfm_stats st;
        T_OK(vd_sfm_incremental(&out, &v.in, NULL, &st, NULL, &err));
        T_EQ(out.n_models, 1);
        T_NEED(out.n_models > 0);
        T_EQ(out.model[0].n_images, poses[i]);
        views_error e = views_compare(&out.model[0], &s);
        T_LT(e.centre_rmse, CENTRE_LIMIT);
        T_LT(e.rotation_deg, ROTATION_LIMIT_DEG);
        T_LT(out.model[0].mean_error_px, 0.8);
        fprintf(
            stderr,
            "%d: rmse %g rot %g err %g track %g points %d | total %.3f tracks %.3f start %.3f resect %.3f tri %.3f local %.3f (%d) global %.3f (%d) filter %.3f\n",
            poses[i], e.centre_rmse, e.rotation_deg, out.model[0].mean_error_px,
            out.model[0].mean_track, out.model[0].n_points, st.total_s, st.tracks_s, st.start_s,
            st.resection_s, st.triangulate_s, st.local_s, st.local_adjustments, st.global_s,
            st.global_adjustments, st.filter_s);
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}

/* The problem table agrees with the scores it is made from. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "measure/score.h"
#include "stage/problems.h"

T(defaults_are_those_of_the_scores) {
    for (int i = 0; i < VD_SCORE_KINDS; i++) {
        bool found = false;
        for (int k = 0; k < vd_n_problem_kinds; k++) {
            if (strcmp(vd_problem_kinds[k].key, vd_score_table[i].key) != 0) continue;
            found = true;
            T_NEAR(vd_problem_kinds[k].threshold, vd_score_table[i].threshold, 0);
        }
        if (!found) T_FAIL("no problem kind for the score %s", vd_score_table[i].key);
    }
}

T(thresholds_are_parsed_strictly) {
    vd_err err = { 0 };
    T_OK(vd_problem_check_thresholds("", &err));
    T_OK(vd_problem_check_thresholds("blurry=0.4,dark=1", &err));
    static const char *const bad[] = { "blurry",      "blurry=",     "blurry=2",
                                       "blurry=-1",   "nothing=0.5", "=0.5",
                                       "blurry=0.5x", "blurry=nan",  "blurry=0.4,,dark=1" };
    for (int i = 0; i < VD_COUNT(bad); i++)
        if (vd_problem_check_thresholds(bad[i], NULL) != VD_E_ARG) T_FAIL("accepted '%s'", bad[i]);
    for (int k = 0; k < vd_n_problem_kinds; k++) {
        double want =
            strcmp(vd_problem_kinds[k].key, "blurry") == 0 ? 0.4 : vd_problem_kinds[k].threshold;
        T_NEAR(vd_problem_threshold(k, "blurry=0.4"), want, 0);
        T_NEAR(vd_problem_threshold(k, NULL), vd_problem_kinds[k].threshold, 0);
    }
}

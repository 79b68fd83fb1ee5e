/* Arguments that operations of this room share. SPDX-License-Identifier: Apache-2.0 */
#include "front/args.h"

#include <ctype.h>
#include <string.h>

#include "base/cpu.h"

enum { MAX_NAME = 60 };

vd_status vd_front_pool(const vd_opcall *c, vd_pool **pool, vd_err *err) {
    int jobs = (int)vd_arg_int(c, "jobs");
    return vd_pool_new(pool, jobs > 0 ? jobs : vd_cpu_count(), err);
}

vd_status vd_front_check_name(const char *what, const char *text, vd_err *err) {
    bool ok = text[0] != '\0' && strlen(text) <= MAX_NAME;
    for (const char *p = text; ok && *p != '\0'; p++)
        ok = isalnum((unsigned char)*p) || strchr("_-.:/", *p) != NULL;
    return ok ? VD_OK
              : vd_fail(err, VD_E_ARG,
                        "%s '%.80s' is not a name of letters, digits and _-.:/ up to %d characters",
                        what, text, MAX_NAME);
}

/* Arguments that operations of this room share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FRONT_ARGS_H
#define VD_FRONT_ARGS_H

#include "base/pool.h"
#include "ops/op.h"

#define DATASET_ARG                                                                                \
    {                                                                                              \
        .name = "dataset", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "DATASET",               \
        .help = "dataset directory"                                                                \
    }
#define WHERE_ARG                                                                                  \
    { .name = "where", .value = "EXPR", .help = "SQL condition over asset_facts: which pictures" }
#define SKIP_ARG                                                                                   \
    {                                                                                              \
        .name = "skip", .value = "LIST",                                                           \
        .help =                                                                                    \
            "leave out, by commas: duplicates (all but the one to keep), near (likewise), "        \
            "problems (with any other finding), labels (with any problem of labels), or kinds of"  \
            " problems"                                                                            \
    }
#define VECTORS_ARG(words)                                                                         \
    {                                                                                              \
        .name = "vectors", .value = "FROM", .def = "look",                                         \
        .help = "look (colour and texture), global (VLAD of SIFT), a file *.npy with a row for "   \
                "each picture in the order of ids, or the name of arrays in the dataset" words     \
    }
#define JOBS_ARG                                                                                   \
    {                                                                                              \
        .name = "jobs", .type = VD_T_INT, .max = 256, .def = "0",                                  \
        .help = "workers; 0: one a processor"                                                      \
    }
#define SEED_ARG                                                                                   \
    { .name = "seed", .type = VD_T_INT, .max = 9e15, .def = "1", .help = "of random choices" }

/* A pool of --jobs workers. */
vd_status vd_front_pool(const vd_opcall *c, vd_pool **pool, vd_err *err);

/* A name of letters, digits and _-.:/ for a tag, a split, a part, a snapshot; `what` begins the
 * message. Fails with VD_E_ARG. */
vd_status vd_front_check_name(const char *what, const char *text, vd_err *err);
#endif

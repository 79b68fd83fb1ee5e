/* The operation table's row, a call of one, and where its results go. SPDX-License-Identifier:
 * Apache-2.0
 *
 * One row per operation drives parsing, --help, --json, completion, the C API and the reference
 * page. docs/adding-an-operation.md has the steps. */
#ifndef VD_OPS_OP_H
#define VD_OPS_OP_H

#include "base/arena.h"
#include "base/str.h"
#include "store/dataset.h"

typedef enum vd_arg_type {
    VD_T_TEXT,
    VD_T_INT,
    VD_T_REAL,
    VD_T_FLAG,
    VD_T_BYTES,   /* 64M, 2G */
    VD_T_SECONDS, /* 0.5s, 250ms, 2min; a bare number is seconds */
    VD_T_CHOICE,  /* one of `choices`, by '|' */
} vd_arg_type;

enum { VD_POSITIONAL = 1, VD_REQUIRED = 2, VD_MANY = 4 };

typedef struct vd_arg {
    const char *name;
    vd_arg_type type;
    unsigned flags;
    double min, max;     /* of numbers; both 0: any */
    const char *def;     /* as text; NULL: none */
    const char *choices; /* of VD_T_CHOICE */
    const char *value;   /* what help shows for the value: "EXPR" */
    const char *help;    /* with unit */
} vd_arg;

/* Where results go: columns first, then rows, then perhaps closing words for people. A sink's
 * status other than VD_OK stops the operation. */
typedef struct vd_sink {
    vd_status (*columns)(void *user, const vd_column *columns, int n, vd_err *err);
    vd_status (*row)(void *user, const vd_value *values, vd_err *err); /* borrowed for the call */
    void (*words)(void *user, const char *line);                       /* shown to people only */
    void *user;
} vd_sink;

typedef struct vd_opcall vd_opcall;

enum {
    VD_OP_WRITES = 1,  /* changes a dataset */
    VD_OP_LINES = 2,   /* people see aligned lines without a header */
    VD_OP_DYNAMIC = 4, /* columns depend on the call */
    VD_OP_FILES = 8,   /* writes files outside a dataset */
    VD_OP_RAW = 16,    /* its one text column is printed as it is */
    VD_OP_ONE = 32,    /* always one row: its --json is an object, not an array; see rows_if */
};

typedef struct vd_op {
    const char *name; /* may be two words, "eval poses": operations of one family */
    const char *summary;
    const char *help; /* paragraphs for --help */
    const char *example;
    const vd_arg *args;
    int n_args;
    const vd_column *columns; /* of the result; NULL with VD_OP_DYNAMIC */
    int n_columns;
    unsigned flags;
    const char *rows_if; /* arguments, by '|', of which any makes rows of a VD_OP_ONE */
    vd_status (*run)(vd_opcall *call, vd_err *err);
} vd_op;

extern const vd_op *const vd_ops[];
extern const int vd_n_ops;
const vd_op *vd_op_find(const char *name); /* NULL: none */
/* Whether it is the first word of a family, "eval". */
bool vd_op_is_family(const char *name);
/* The operation of one word, or of that and `next` (may be NULL); how many of them it took. */
const vd_op *vd_op_find_words(const char *name, const char *next, int *words);

typedef struct vd_arg_set {
    const char *text; /* as given, or the default */
    int64_t integer;
    double real;
    bool given;
    const char **many; /* VD_MANY */
    int n_many;
} vd_arg_set;

struct vd_opcall {
    const vd_op *op;
    vd_arg_set *sets; /* one an argument */
    vd_arena arena;   /* for the length of the call */
    vd_sink sink;
    vd_progress_fn on_progress;
    vd_cancel_fn on_cancel;
    bool for_people; /* the result is shown as text: a summary serves better than every row */
    void *user;
    const char *libexec_dir;
};

/* Arguments: set by text, finished by filling defaults and checking what is required. */
vd_status vd_opcall_init(vd_opcall *c, const vd_op *op, vd_err *err);
vd_status vd_opcall_set(vd_opcall *c, const char *name, const char *text, vd_err *err);
vd_status vd_opcall_set_positional(vd_opcall *c, const char *text, vd_err *err);
vd_status vd_opcall_finish(vd_opcall *c, vd_err *err);
/* Whether the result is one row, an object in JSON. */
bool vd_opcall_one(const vd_opcall *c);
void vd_opcall_reset(vd_opcall *c);

/* Values of arguments by name; the name must be in the operation's row (a test calls each). */
const char *vd_arg_text(const vd_opcall *c, const char *name); /* NULL: not given, no default */
int64_t vd_arg_int(const vd_opcall *c, const char *name);
double vd_arg_real(const vd_opcall *c, const char *name);
bool vd_arg_flag(const vd_opcall *c, const char *name);
bool vd_arg_given(const vd_opcall *c, const char *name);
int vd_arg_many(const vd_opcall *c, const char *name, const char *const **out);

/* Results. vd_out_columns sends the row's own columns when `columns` is NULL. */
vd_status vd_out_columns(vd_opcall *c, const vd_column *columns, int n, vd_err *err);
vd_status vd_out_row(vd_opcall *c, const vd_value *values, vd_err *err);
void vd_out_words(vd_opcall *c, const char *fmt, ...) VD_PRINTF(2, 3);

/* Opens the dataset named by argument "dataset". */
vd_status vd_op_open(const vd_opcall *c, vd_db_mode mode, vd_dataset **out, vd_err *err);
/* Sends every row of a statement with its column names. */
vd_status vd_out_query(vd_opcall *c, vd_stmt *s, vd_err *err);
/* Checks a condition over asset_facts and says what is wrong with it. */
vd_status vd_op_check_where(vd_db *db, const char *where, vd_err *err);
#endif

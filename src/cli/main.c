/* The command: vidimus OPERATION ARGUMENTS. Everything about arguments comes from the operation
 * table; what is here is the syntax of the command line, the exit status, and where output goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/progress.h"
#include "cli/render.h"
#include "ops/describe.h"

enum { EXIT_DONE = 0, EXIT_CHECK = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

static atomic_int interrupted; /* set by the signal handler: there is no other way to tell it */

static void on_signal(int sig) {
    if (atomic_fetch_add(&interrupted, 1) > 0) _Exit(128 + sig); /* the second time: at once */
}

static bool on_cancel(void *user) {
    (void)user;
    return atomic_load(&interrupted) > 0;
}

static int exit_of(vd_status st) {
    switch (st) {
    case VD_OK: return EXIT_DONE;
    case VD_E_CHECK: return EXIT_CHECK;
    case VD_E_ARG: return EXIT_USAGE;
    default: return EXIT_FAILED;
    }
}

typedef struct options {
    bool help, quiet;
    vd_format format;
} options;

static vd_status set_format(const vd_op *op, options *o, const char *text, vd_err *err) {
    if (strcmp(text, "csv") == 0)
        o->format = VD_F_CSV;
    else if (strcmp(text, "jsonl") == 0)
        o->format = VD_F_JSONL;
    else if (strcmp(text, "json") == 0)
        o->format = VD_F_JSON;
    else if (strcmp(text, "table") == 0)
        o->format = VD_F_TABLE;
    else
        return vd_fail(err, VD_E_ARG, "%s: --format '%.40s' is not table, csv, jsonl or json",
                       op->name, text);
    return VD_OK;
}

static const vd_arg *find_arg(const vd_op *op, const char *name, size_t n) {
    for (int i = 0; i < op->n_args; i++) {
        const vd_arg *a = &op->args[i];
        if (!(a->flags & VD_POSITIONAL) && strlen(a->name) == n && strncmp(a->name, name, n) == 0)
            return a;
    }
    return NULL;
}

static bool is_option(const char *text, const char *name) {
    size_t n = strlen(name);
    return strncmp(text, name, n) == 0 && (text[n] == '\0' || text[n] == '=');
}

/* One "--name", "--name=value" or "--name value"; moves `*i` past the value. */
static vd_status parse_option(vd_opcall *c, options *o, int argc, char **argv, int *i,
                              vd_err *err) {
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    size_t n = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const vd_arg *a = find_arg(c->op, text, n);
    bool format = is_option(text, "format");
    if (a == NULL && strcmp(text, "help") == 0)
        o->help = true;
    else if (a == NULL && strcmp(text, "quiet") == 0)
        o->quiet = true;
    else if (a == NULL && strcmp(text, "json") == 0)
        o->format = VD_F_JSON;
    else if (a == NULL && !format)
        return vd_fail(err, VD_E_ARG, "%s: no option --%.*s; see vidimus %s --help", c->op->name,
                       (int)VD_MIN(n, 60), text, c->op->name);
    else if (a != NULL && a->type == VD_T_FLAG)
        return vd_opcall_set(c, a->name, equals != NULL ? equals + 1 : "true", err);
    else {
        if (equals == NULL && *i + 1 >= argc)
            return vd_fail(err, VD_E_ARG, "%s: --%.*s needs a value", c->op->name,
                           (int)VD_MIN(n, 60), text);
        const char *value = equals != NULL ? equals + 1 : argv[++*i];
        return a == NULL ? set_format(c->op, o, value, err) : vd_opcall_set(c, a->name, value, err);
    }
    return VD_OK;
}

/* `first` is the index of the first argument. */
static vd_status parse(vd_opcall *c, options *o, int first, int argc, char **argv, vd_err *err) {
    bool only_positional = false;
    for (int i = first; i < argc; i++) {
        if (!only_positional && strcmp(argv[i], "--") == 0)
            only_positional = true;
        else if (!only_positional && strcmp(argv[i], "-h") == 0)
            o->help = true;
        else if (!only_positional && strncmp(argv[i], "--", 2) == 0)
            VD_TRY(parse_option(c, o, argc, argv, &i, err));
        else
            VD_TRY(vd_opcall_set_positional(c, argv[i], err));
        if (o->help) return VD_OK;
    }
    return vd_opcall_finish(c, err);
}

static vd_status print_text(vd_str *s, vd_err *err) {
    vd_status st = vd_str_check(s, err);
    if (st == VD_OK && (fputs(vd_str_text(s), stdout) == EOF || fflush(stdout) != 0))
        st = vd_fail(err, VD_E_IO, "output: cannot be written");
    vd_str_reset(s);
    return st;
}

static vd_status run(vd_opcall *c, const options *o, vd_err *err) {
    vd_render *r = NULL;
    vd_live live;
    vd_live_init(&live, o->quiet);
    VD_TRY(vd_render_new(&r, stdout, o->format, err));
    c->sink = vd_render_sink(r);
    c->on_progress = vd_live_progress;
    c->on_cancel = on_cancel;
    c->user = &live;
    c->for_people = o->format == VD_F_TABLE || o->format == VD_F_LINES;
    vd_status st = c->op->run(c, err);
    vd_live_close(&live);
    if (st == VD_OK || st == VD_E_CHECK) {
        vd_status st2 = vd_render_finish(r, st == VD_OK ? err : NULL);
        if (st == VD_OK) st = st2;
    }
    vd_render_free(r);
    return st;
}

static int complain(const vd_err *err, vd_status st) {
    fprintf(stderr, "vidimus: %s\n", err->msg[0] != '\0' ? err->msg : vd_status_name(st));
    return exit_of(st);
}

static int call(const vd_op *op, int first, int argc, char **argv) {
    vd_err err = { 0 };
    vd_opcall c;
    options o = { .format = op->flags & VD_OP_RAW     ? VD_F_RAW
                            : op->flags & VD_OP_LINES ? VD_F_LINES
                                                      : VD_F_TABLE };
    vd_status st = vd_opcall_init(&c, op, &err);
    if (st == VD_OK) st = parse(&c, &o, first, argc, argv, &err);
    if (st == VD_OK && o.help) {
        vd_str s = { 0 };
        vd_describe_help(op, &s);
        st = print_text(&s, &err);
    } else if (st == VD_OK) {
        if (o.format == VD_F_JSON && vd_opcall_one(&c)) o.format = VD_F_JSONL; /* the one line */
        st = run(&c, &o, &err);
    }
    vd_opcall_reset(&c);
    return st == VD_OK ? EXIT_DONE : complain(&err, st);
}

/* Help about all operations, a family of them, or one: of so many words. */
static int help(int n, char **word, int status) {
    vd_err err = { 0 };
    vd_str s = { 0 };
    int words = 0;
    const vd_op *about = n > 0 ? vd_op_find_words(word[0], n > 1 ? word[1] : NULL, &words) : NULL;
    if (about != NULL)
        vd_describe_help(about, &s);
    else if (n > 0 && vd_op_is_family(word[0]))
        vd_describe_family(word[0], &s);
    else
        vd_describe_overview(&s);
    vd_status st = print_text(&s, &err);
    return st == VD_OK ? status : complain(&err, st);
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_str s = { 0 };
    const struct sigaction act = { .sa_handler = on_signal };
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    vd_db_tune_process();
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--version") == 0) {
        vd_str_add(&s, "vidimus " VIDIMUS_VERSION "\n");
        vd_status st = print_text(&s, &err);
        return st == VD_OK ? EXIT_DONE : complain(&err, st);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc - 2, argv + 2, argc > 1 ? EXIT_DONE : EXIT_USAGE);
    int words = 1;
    const vd_op *op = vd_op_find_words(name, argc > 2 ? argv[2] : NULL, &words);
    if (op != NULL) return call(op, 1 + words, argc, argv);
    if (vd_op_is_family(name) && (argc < 3 || strcmp(argv[2], "--help") == 0))
        return help(1, argv + 1, argc > 2 ? EXIT_DONE : EXIT_USAGE);
    if (vd_op_is_family(name)) {
        vd_describe_kinds(name, &s);
        fprintf(stderr, "vidimus: %s: what '%.60s' is not %s\n", name, argv[2], vd_str_text(&s));
        vd_str_reset(&s);
    } else {
        fprintf(stderr, "vidimus: no operation '%.60s'; see vidimus --help\n", name);
    }
    return EXIT_USAGE;
}

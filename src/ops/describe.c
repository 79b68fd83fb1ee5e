/* Texts made from the operation table. SPDX-License-Identifier: Apache-2.0 */
#include "ops/describe.h"

#include <string.h>

static const char *type_name(const vd_arg *a) {
    switch (a->type) {
    case VD_T_TEXT: return "text";
    case VD_T_INT: return "integer";
    case VD_T_REAL: return "real";
    case VD_T_FLAG: return "flag";
    case VD_T_BYTES: return "bytes";
    case VD_T_SECONDS: return "seconds";
    case VD_T_CHOICE: return "choice";
    }
    return "text";
}

static const char *value_name(const vd_arg *a) {
    if (a->value != NULL) return a->value;
    switch (a->type) {
    case VD_T_INT:
    case VD_T_REAL: return "N";
    case VD_T_BYTES: return "BYTES";
    case VD_T_SECONDS: return "TIME";
    case VD_T_CHOICE: return a->choices;
    default: return "TEXT";
    }
}

static void usage(const vd_op *op, vd_str *out) {
    vd_str_addf(out, "vidimus %s", op->name);
    for (int i = 0; i < op->n_args; i++) {
        const vd_arg *a = &op->args[i];
        if (!(a->flags & VD_POSITIONAL)) continue;
        bool optional = !(a->flags & VD_REQUIRED);
        vd_str_addf(out, " %s%s%s%s", optional ? "[" : "", value_name(a),
                    a->flags & VD_MANY ? "..." : "", optional ? "]" : "");
    }
    vd_str_add(out, " [OPTIONS]");
}

static void range_and_default(const vd_arg *a, vd_str *out) {
    if (a->min != 0 || a->max != 0) {
        vd_str_add(out, " [");
        vd_str_num(out, a->min);
        vd_str_add(out, " to ");
        vd_str_num(out, a->max);
        vd_str_add(out, "]");
    }
    if (a->def != NULL && a->type != VD_T_FLAG) vd_str_addf(out, " (default %s)", a->def);
}

static void argument(const vd_arg *a, vd_str *out) {
    vd_str left = { 0 };
    if (a->flags & VD_POSITIONAL)
        vd_str_add(&left, value_name(a));
    else if (a->type == VD_T_FLAG)
        vd_str_addf(&left, "--%s", a->name);
    else
        vd_str_addf(&left, "--%s %s", a->name, value_name(a));
    vd_str_addf(out, "  %-28s ", vd_str_text(&left));
    if (left.size > 28) vd_str_addf(out, "\n  %-28s ", "");
    vd_str_add(out, a->help);
    range_and_default(a, out);
    vd_str_addc(out, '\n');
    if (left.status != VD_OK) out->status = left.status;
    vd_str_reset(&left);
}

void vd_describe_help(const vd_op *op, vd_str *out) {
    vd_str_addf(out, "%s\n\nusage: ", op->summary);
    usage(op, out);
    vd_str_add(out, "\n\n");
    for (int i = 0; i < op->n_args; i++) argument(&op->args[i], out);
    vd_str_addf(out, "  %-28s %s\n", "--json",
                "one JSON document on standard output, nothing else");
    vd_str_addf(out, "  %-28s %s\n", "--format table|csv|jsonl|json", "how to print the result");
    vd_str_addf(out, "  %-28s %s\n", "--quiet", "no progress on standard error");
    vd_str_addf(out, "  %-28s %s\n", "--help", "this text");
    if (op->help != NULL && op->help[0] != '\0') vd_str_addf(out, "\n%s\n", op->help);
    vd_str_addf(out, "\nexample:\n  %s\n", op->example);
    vd_str_add(out, "\nexit status: 0 done whatever was found, 1 a check that was asked for failed,"
                    " 2 wrong usage, 3 failed\n");
}

void vd_describe_overview(vd_str *out) {
    vd_str_add(out, "vidimus " VIDIMUS_VERSION ": an embedded visual data engine\n\n"
                    "usage: vidimus OPERATION [ARGUMENTS]\n\n");
    for (int i = 0; i < vd_n_ops; i++)
        vd_str_addf(out, "  %-19s %s\n", vd_ops[i]->name, vd_ops[i]->summary);
    vd_str_add(out,
               "\nstart with:  vidimus run FOLDER\nmore about one:  vidimus OPERATION --help\n");
}

/* The second words of the operations whose first is the first n bytes of `family`. */
static void kinds(const char *family, size_t n, const char *between, vd_str *out) {
    bool any = false;
    for (int i = 0; i < vd_n_ops; i++) {
        const char *name = vd_ops[i]->name;
        if (strncmp(name, family, n) != 0 || name[n] != ' ') continue;
        vd_str_addf(out, "%s%s", any ? between : "", name + n + 1);
        any = true;
    }
}

void vd_describe_kinds(const char *family, vd_str *out) {
    kinds(family, strlen(family), "|", out);
}

void vd_describe_family(const char *name, vd_str *out) {
    size_t n = strlen(name);
    const vd_op *first = NULL;
    vd_str_addf(out, "%s of several kinds\n\nusage: vidimus %s KIND [ARGUMENTS]\n\n", name, name);
    for (int i = 0; i < vd_n_ops; i++) {
        if (strncmp(vd_ops[i]->name, name, n) != 0 || vd_ops[i]->name[n] != ' ') continue;
        vd_str_addf(out, "  %-15s %s\n", vd_ops[i]->name + n + 1, vd_ops[i]->summary);
        if (first == NULL) first = vd_ops[i];
    }
    vd_str_addf(out, "\nmore about one:  vidimus %s --help\n", first->name);
    vd_str_addf(out, "\nexample:\n  %s\n", first->example);
}

void vd_describe_json(const vd_op *op, vd_str *out) {
    vd_str_add(out, "{\"name\":");
    vd_str_json(out, op->name);
    vd_str_add(out, ",\"summary\":");
    vd_str_json(out, op->summary);
    vd_str_addf(out, ",\"writes\":%s,\"arguments\":[", op->flags & VD_OP_WRITES ? "true" : "false");
    for (int i = 0; i < op->n_args; i++) {
        const vd_arg *a = &op->args[i];
        vd_str_addf(out, "%s{\"name\":\"%s\",\"type\":\"%s\"", i > 0 ? "," : "", a->name,
                    type_name(a));
        if (a->flags & VD_POSITIONAL) vd_str_add(out, ",\"positional\":true");
        if (a->flags & VD_REQUIRED) vd_str_add(out, ",\"required\":true");
        if (a->flags & VD_MANY) vd_str_add(out, ",\"many\":true");
        if (a->choices != NULL) {
            vd_str_add(out, ",\"choices\":");
            vd_str_json(out, a->choices);
        }
        if (a->min != 0 || a->max != 0) {
            vd_str_add(out, ",\"minimum\":");
            vd_str_json_num(out, a->min);
            vd_str_add(out, ",\"maximum\":");
            vd_str_json_num(out, a->max);
        }
        if (a->def != NULL) {
            vd_str_add(out, ",\"default\":");
            vd_str_json(out, a->def);
        }
        vd_str_add(out, ",\"help\":");
        vd_str_json(out, a->help);
        vd_str_add(out, "}");
    }
    vd_str_add(out, "],\"columns\":[");
    for (int i = 0; i < op->n_columns; i++) {
        vd_str_addf(out, "%s{\"name\":\"%s\",\"unit\":", i > 0 ? "," : "", op->columns[i].name);
        vd_str_json(out, op->columns[i].unit);
        vd_str_add(out, ",\"help\":");
        vd_str_json(out, op->columns[i].help);
        vd_str_add(out, "}");
    }
    vd_str_add(out, "]}");
}

void vd_describe_reference(vd_str *out) {
    vd_str_add(
        out,
        "# Reference of the operations\n\nMade by `vidimus reference` from the operation table;"
        " a test compares it.\n");
    for (int i = 0; i < vd_n_ops; i++) {
        vd_str_addf(out, "\n## %s\n\n```text\n", vd_ops[i]->name);
        vd_describe_help(vd_ops[i], out);
        vd_str_add(out, "```\n");
        if (vd_ops[i]->n_columns == 0) continue;
        vd_str_add(out, "\n| column | unit | meaning |\n|---|---|---|\n");
        for (int k = 0; k < vd_ops[i]->n_columns; k++) {
            const vd_column *c = &vd_ops[i]->columns[k];
            vd_str_addf(out, "| %s | %s | %s |\n", c->name, c->unit, c->help);
        }
    }
}

/* ---- completion ---- */

/* The length of the first word, and whether an operation before this one begins with it. */
static int first_word(int i, bool *seen) {
    int n = (int)strcspn(vd_ops[i]->name, " ");
    *seen = false;
    for (int k = 0; k < i; k++)
        *seen = *seen || ((int)strcspn(vd_ops[k]->name, " ") == n &&
                          strncmp(vd_ops[k]->name, vd_ops[i]->name, (size_t)n) == 0);
    return n;
}

static void names(vd_str *out) {
    for (int i = 0; i < vd_n_ops; i++) {
        bool seen;
        int n = first_word(i, &seen);
        if (!seen) vd_str_addf(out, "%s%.*s", i > 0 ? " " : "", n, vd_ops[i]->name);
    }
}

static void options(const vd_op *op, vd_str *out) {
    vd_str_add(out, "--json --format --quiet --help");
    for (int i = 0; i < op->n_args; i++)
        if (!(op->args[i].flags & VD_POSITIONAL)) vd_str_addf(out, " --%s", op->args[i].name);
}

static void fish(vd_str *out) {
    vd_str_add(out, "complete -c vidimus -n __fish_use_subcommand -f -a '");
    names(out);
    vd_str_add(out, "'\n");
    for (int i = 0; i < vd_n_ops; i++) {
        bool seen;
        int n = first_word(i, &seen);
        const char *name = vd_ops[i]->name;
        if (!seen && name[n] == ' ') {
            vd_str_addf(out, "complete -c vidimus -n '__fish_seen_subcommand_from %.*s' -f -a '", n,
                        name);
            kinds(vd_ops[i]->name, (size_t)n, " ", out);
            vd_str_add(out, "'\n");
        }
        for (int k = 0; k < vd_ops[i]->n_args; k++)
            if (!(vd_ops[i]->args[k].flags & VD_POSITIONAL))
                vd_str_addf(out, "complete -c vidimus -n '__fish_seen_subcommand_from %s' -l %s\n",
                            name[n] == ' ' ? name + n + 1 : name, vd_ops[i]->args[k].name);
    }
}

/* The cases of a family: its second words, then the options of the one that was written. */
static void bash_family(int i, int n, vd_str *out) {
    vd_str_addf(out, "    %.*s) if [ \"$COMP_CWORD\" -eq 2 ]; then COMPREPLY=($(compgen -W '", n,
                vd_ops[i]->name);
    kinds(vd_ops[i]->name, (size_t)n, " ", out);
    vd_str_add(out, "' -- \"$cur\")); return; fi\n      case ${COMP_WORDS[2]} in\n");
    for (int k = 0; k < vd_n_ops; k++) {
        const char *name = vd_ops[k]->name;
        if (strncmp(name, vd_ops[i]->name, (size_t)n) != 0 || name[n] != ' ') continue;
        vd_str_addf(out, "      %s) words='", name + n + 1);
        options(vd_ops[k], out);
        vd_str_add(out, "' ;;\n");
    }
    vd_str_add(out, "      esac ;;\n");
}

vd_status vd_describe_completion(const char *shell, vd_str *out, vd_err *err) {
    if (strcmp(shell, "fish") == 0) {
        fish(out);
        return vd_str_check(out, err);
    }
    if (strcmp(shell, "zsh") == 0) vd_str_add(out, "autoload -U +X bashcompinit && bashcompinit\n");
    vd_str_add(out, "_vidimus() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
                    "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='");
    names(out);
    vd_str_add(out, "'; else case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < vd_n_ops; i++) {
        bool seen;
        int n = first_word(i, &seen);
        if (vd_ops[i]->name[n] == ' ') {
            if (!seen) bash_family(i, n, out);
            continue;
        }
        vd_str_addf(out, "    %s) words='", vd_ops[i]->name);
        options(vd_ops[i], out);
        vd_str_add(out, "' ;;\n");
    }
    vd_str_add(out,
               "  esac; fi\n  case $cur in -*) ;; *) [ \"$COMP_CWORD\" -gt 1 ] && words= ;; esac\n"
               "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
               "complete -o default -F _vidimus vidimus\n");
    return vd_str_check(out, err);
}

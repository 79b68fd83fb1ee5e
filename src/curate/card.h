/* The data card: what a dataset has, where it came from, and what it lacks.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CURATE_CARD_H
#define VD_CURATE_CARD_H

#include "base/str.h"
#include "store/dataset.h"

/* One line: in a section, a name with a value that is a number or a text. Borrowed for the call. */
typedef vd_status (*vd_card_fn)(void *user, const char *section, const char *name, vd_value value,
                                vd_err *err);

/* Calls `each` with every line, section by section. Long lists are capped, with a line that says
 * how many more there are. Fails with catalog errors and what `each` returns. */
vd_status vd_card_lines(const vd_dataset *ds, vd_card_fn each, void *user, vd_err *err);

/* The card as a page of Markdown, or of HTML that needs nothing else. */
vd_status vd_card_page(vd_str *out, const vd_dataset *ds, bool html, vd_err *err);
#endif

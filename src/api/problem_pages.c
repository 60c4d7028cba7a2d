// SPDX-License-Identifier: MIT
#include "api/handlers.h"
#include "api/html_page.h"
#include "api/respond.h"

/* GET /problems/{code}: where the `type` of every problem leads. */

static enum error find_error(struct slice code)
{
    for (unsigned i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
        if (slice_eq(slice_of(error_row((enum error)i)->code), code)) {
            return (enum error)i;
        }
    }
    return ERROR_NONE;
}

void problem_pages_get(struct http_exchange *x)
{
    enum error error = find_error(x->request.parameters[0]);
    if (error == ERROR_NONE) {
        respond_error(x, ERROR_NOT_FOUND,
                      "There is no problem of that name. The codes stand in the schema ProblemCode "
                      "of /openapi.json.");
        return;
    }
    const struct error_row *row = error_row(error);
    html_page_begin(x, row->title);
    buffer_add_format(x->response.body, "<p class=\"status\">Status %d, code <code>%s</code></p>\n",
                      row->status, row->code);
    html_page_add_paragraph(x, row->meaning);
    html_page_add_paragraph(x, row->advice);
    html_page_send(x);
}

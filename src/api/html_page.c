// SPDX-License-Identifier: MIT
#include "api/html_page.h"

static void add_escaped(struct buffer *out, char c)
{
    switch (c) {
    case '&': buffer_add_text(out, "&amp;"); break;
    case '<': buffer_add_text(out, "&lt;"); break;
    case '>': buffer_add_text(out, "&gt;"); break;
    case '"': buffer_add_text(out, "&quot;"); break;
    default: buffer_add_char(out, c); break;
    }
}

/* What stands between two backticks becomes code. */
static void add_text(struct buffer *out, const char *text)
{
    bool code = false;
    for (const char *p = text; *p; p++) {
        if (*p == '`') {
            code = !code;
            buffer_add_text(out, code ? "<code>" : "</code>");
        } else {
            add_escaped(out, *p);
        }
    }
}

static void add_element(struct buffer *out, const char *name, const char *text)
{
    buffer_add_format(out, "<%s>", name);
    add_text(out, text);
    buffer_add_format(out, "</%s>\n", name);
}

void html_page_begin(struct http_exchange *x, const char *title)
{
    struct buffer *out = x->response.body;
    buffer_add_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                         "\n<meta name=\"color-scheme\" content=\"light dark\">\n");
    add_element(out, "title", title);
    buffer_add_text(out, "<link rel=\"icon\" href=\"data:,\">\n"
                         "<link rel=\"stylesheet\" href=\"");
    buffer_add(out, http_reference(x, SLICE("/docs/page.css")));
    buffer_add_text(out, "\">\n</head>\n<body>\n<header><strong>Taskhold</strong>\n"
                         "<nav><a href=\"");
    buffer_add(out, http_reference(x, SLICE("/docs")));
    buffer_add_text(out, "\">Documentation</a></nav></header>\n<main>\n");
    add_element(out, "h1", title);
}

void html_page_add_paragraph(struct http_exchange *x, const char *text)
{
    add_element(x->response.body, "p", text);
}

void html_page_add_policy(struct http_exchange *x)
{
    http_respond_field(x, "Content-Security-Policy",
                       SLICE("default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'"));
    http_respond_field(x, "Referrer-Policy", SLICE("no-referrer"));
}

void html_page_send(struct http_exchange *x)
{
    buffer_add_text(x->response.body, "</main>\n</body>\n</html>\n");
    html_page_add_policy(x);
    http_respond_field(x, "Cache-Control", SLICE("no-cache"));
    http_respond_body(x, 200, "text/html; charset=utf-8");
}

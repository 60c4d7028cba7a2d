#include "api/page.h"

static void add_escaped(struct buffer *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&': buffer_add_text(out, "&amp;"); break;
        case '<': buffer_add_text(out, "&lt;"); break;
        case '>': buffer_add_text(out, "&gt;"); break;
        case '"': buffer_add_text(out, "&quot;"); break;
        default: buffer_add_char(out, *p); break;
        }
    }
}

static void add_element(struct buffer *out, const char *name, const char *text)
{
    buffer_add_format(out, "<%s>", name);
    add_escaped(out, text);
    buffer_add_format(out, "</%s>\n", name);
}

void page_begin(struct http_exchange *x, const char *title)
{
    struct buffer *out = x->response.body;
    buffer_add_text(out, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n");
    add_element(out, "title", title);
    add_element(out, "h1", title);
}

void page_add_paragraph(struct http_exchange *x, const char *text)
{
    add_element(x->response.body, "p", text);
}

void page_add_link(struct http_exchange *x, const char *path, const char *text)
{
    buffer_add_format(x->response.body, "<p><a href=\"%s\">", path);
    add_escaped(x->response.body, text);
    buffer_add_text(x->response.body, "</a></p>\n");
}

void page_send(struct http_exchange *x)
{
    http_respond_field(x, "Content-Security-Policy",
                       SLICE("default-src 'none'; base-uri 'none'; form-action 'none'; "
                             "frame-ancestors 'none'"));
    http_respond_field(x, "Referrer-Policy", SLICE("no-referrer"));
    http_respond_field(x, "Cache-Control", SLICE("no-cache"));
    http_respond_body(x, 200, "text/html; charset=utf-8");
}

// SPDX-License-Identifier: MIT
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/weburl.h"
#include "http/fields.h"

/* GET /openapi.json, /openapi-3.0.json, /openapi.yaml, /postman.json: files of the repository or
 * made from them; /docs and the files it loads: Swagger UI, which a build may lack, and what we put
 * around it; GET /problems/{code}: where the `type` of every problem leads. */

/* Files as they were when the program was built. */
#define EMBEDDED(file)                                                                             \
    extern const unsigned char embed_##file[];                                                     \
    extern const size_t embed_##file##_len;
EMBEDDED(openapi_json)
EMBEDDED(openapi_3_0_json)
EMBEDDED(openapi_yaml)
EMBEDDED(postman_json)
EMBEDDED(docs_index_html)
EMBEDDED(docs_plain_html)
EMBEDDED(docs_init_js)
EMBEDDED(docs_page_css)
EMBEDDED(docs_swagger_js) /* compressed with gzip; empty in a build without Swagger UI */
EMBEDDED(docs_swagger_css)

#define HTML       "text/html; charset=utf-8"
#define FILE(file) .bytes = embed_##file, .len = &embed_##file##_len

static const struct document {
    const char *name; /* the path of its route, or what stands for {file} in it */
    const char *type;
    const unsigned char *bytes;
    const size_t *len;
    bool page; /* shown by a browser, under our policy */
    bool gzip; /* kept compressed, and in no other form */
} documents[] = {
    {"/openapi.json", "application/json", FILE(openapi_json)},
    {"/openapi-3.0.json", "application/json", FILE(openapi_3_0_json)},
    {"/openapi.yaml", "application/yaml", FILE(openapi_yaml)},
    {"/postman.json", "application/json", FILE(postman_json)},
    {"/docs", HTML, FILE(docs_index_html), .page = true}, /* see find_document */
    {"/docs", HTML, FILE(docs_plain_html), .page = true},
    {"init.js", "text/javascript; charset=utf-8", FILE(docs_init_js)},
    {"page.css", "text/css; charset=utf-8", FILE(docs_page_css)},
    {"swagger-ui-bundle.js", "text/javascript; charset=utf-8", FILE(docs_swagger_js), .gzip = true},
    {"swagger-ui.css", "text/css; charset=utf-8", FILE(docs_swagger_css), .gzip = true},
};
_Static_assert(sizeof documents / sizeof *documents == API_FILES, "each has an entity tag");

/* ---- PUBLIC_URL ---- */

/* What PUBLIC_URL changes: after `before` and in front of `after`, the prefix of
 * its path is put in; or, where `url` stands between them, the whole URL in its place. */
static const struct rewriting {
    const char *before;
    const char *url;
    const char *after;
} rewritings[] = {
    {"=\"", "", "/"},            /* links of the pages */
    {"'", "", "/openapi.json'"}, /* of the script */
    {"](", "", "/"},             /* of the description */
    {"\"servers\":[{\"url\":\"", "/", "\""},
    {"\nservers:\n  - url: ", "/", "\n"},
    {"\"value\": \"", "http://127.0.0.1:8080", "\""}, /* of the collection */
};

/* The rewriting that begins at `rest`, or NULL. */
static const struct rewriting *find_rewriting(struct slice rest)
{
    for (size_t i = 0; i < sizeof rewritings / sizeof *rewritings; i++) {
        const char *const parts[] = {rewritings[i].before, rewritings[i].url, rewritings[i].after};
        struct slice left = rest;
        unsigned met = 0;
        while (met < 3 && slice_starts(left, slice_of(parts[met]))) {
            const size_t len = strlen(parts[met++]);
            left = (struct slice){left.ptr + len, left.len - len};
        }
        if (met == 3) {
            return &rewritings[i];
        }
    }
    return NULL;
}

/* A copy of `text` for those who ask under `url`; NULL without memory. */
static char *rewrite(struct slice text, const char *url, size_t *len)
{
    struct buffer out;
    size_t at = 0;
    buffer_init(&out, SIZE_MAX / 2);
    while (at < text.len) {
        const struct slice rest = slice_from(text, at);
        const struct rewriting *rewriting = find_rewriting(rest);
        if (!rewriting) {
            buffer_add_char(&out, text.ptr[at++]);
            continue;
        }
        buffer_add_text(&out, rewriting->before);
        buffer_add(&out, *rewriting->url ? weburl_base(url) : weburl_path(url));
        buffer_add_text(&out, rewriting->after);
        at += strlen(rewriting->before) + strlen(rewriting->url) + strlen(rewriting->after);
    }
    if (out.failed) {
        buffer_finish(&out);
        return NULL;
    }
    *len = out.len;
    return out.data;
}

bool documents_init(struct api *api)
{
    const char *url = api->options.settings->public_url;
    assert(!api->files[0].content.ptr);
    for (unsigned i = 0; i < API_FILES; i++) {
        const struct document *document = &documents[i];
        struct api_file *file = &api->files[i];
        unsigned char hash[crypto_generichash_BYTES];
        char digits[17];
        file->content = (struct slice){(const char *)document->bytes, *document->len};
        if (url && !document->gzip && file->content.len > 0) {
            file->made = rewrite(file->content, url, &file->content.len);
            file->content.ptr = file->made;
            if (!file->made) {
                return false;
            }
        }
        crypto_generichash(hash, sizeof hash, (const unsigned char *)file->content.ptr,
                           file->content.len, NULL, 0);
        sodium_bin2hex(digits, sizeof digits, hash, 8);
        snprintf(file->tag, sizeof file->tag, "\"%s\"", digits);
    }
    return true;
}

void documents_finish(struct api *api)
{
    for (unsigned i = 0; i < API_FILES; i++) {
        free(api->files[i].made);
        api->files[i].made = NULL;
    }
}

/* ---- files ---- */

/* Files and answers of this server only, nothing inline. */
static void add_policy(struct http_exchange *x)
{
    http_respond_field(x, "Content-Security-Policy",
                       SLICE("default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'"));
    http_respond_field(x, "Referrer-Policy", SLICE("no-referrer"));
}

static void send_document(struct http_exchange *x, unsigned index)
{
    const struct document *document = &documents[index];
    const struct api_file *file = &api_of(x)->files[index];
    struct http_conditions conditions;
    if (!precondition_parse(x, &conditions)) {
        return;
    }
    const struct slice tag = slice_of(file->tag);
    const struct slice cache = SLICE("no-cache");
    if (!precondition_holds(x, &conditions, tag, cache)) {
        return;
    }
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", cache);
    if (document->gzip) {
        http_respond_field(x, "Content-Encoding", SLICE("gzip"));
    }
    x->response.fixed = file->content;
    http_respond_body(x, 200, document->type);
}

/* API_FILES when this build has none of that name. Without Swagger UI its page is passed over, and
 * the plain one stands in its place. */
static unsigned find_document(struct slice name)
{
    const bool has_swagger = embed_docs_swagger_js_len > 0;
    for (unsigned i = 0; i < API_FILES; i++) {
        const struct document *document = &documents[i];
        const bool there = has_swagger || document->bytes != embed_docs_index_html;
        if (there && *document->len > 0 && slice_eq(slice_of(document->name), name)) {
            return i;
        }
    }
    return API_FILES;
}

void documents_get(struct http_exchange *x)
{
    const unsigned index = find_document(slice_of(x->route->path));
    assert(index < API_FILES);
    if (documents[index].page) {
        add_policy(x);
    }
    send_document(x, index);
}

void documents_get_file(struct http_exchange *x)
{
    assert(x->request.parameters[0].ptr);
    const unsigned index = find_document(x->request.parameters[0]);
    if (index == API_FILES) {
        respond_error(x, ERROR_NOT_FOUND,
                      "The documentation has no such file; it begins at /docs.");
        return;
    }
    /* The type depends on the file, so the route cannot name it. */
    const struct document *document = &documents[index];
    http_respond_field(x, "Vary",
                       document->gzip ? SLICE("Accept, Accept-Encoding") : SLICE("Accept"));
    if (!http_accepts(&x->request, slice_of(document->type))) {
        http_respond_not_acceptable(x, document->type);
        return;
    }
    if (document->gzip && !http_accepts_gzip(&x->request)) {
        respond_error(x, ERROR_NOT_ACCEPTABLE,
                      "This file is kept compressed: Accept-Encoding must allow gzip.");
        return;
    }
    send_document(x, index);
}

/* ---- pages about problems ---- */

/* Escapes `text`; what stands between two backticks becomes code. */
static void add_element(struct buffer *out, const char *name, const char *text)
{
    bool code = false;
    buffer_add_format(out, "<%s>", name);
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&': buffer_add_text(out, "&amp;"); break;
        case '<': buffer_add_text(out, "&lt;"); break;
        case '>': buffer_add_text(out, "&gt;"); break;
        case '"': buffer_add_text(out, "&quot;"); break;
        case '`':
            code = !code;
            buffer_add_text(out, code ? "<code>" : "</code>");
            break;
        default: buffer_add_char(out, *p); break;
        }
    }
    buffer_add_format(out, "</%s>\n", name);
}

static const struct error_row *find_problem(struct slice code)
{
    for (unsigned i = ERROR_NONE + 1; i < ERROR_COUNT; i++) {
        if (slice_eq(slice_of(error_row((enum error)i)->code), code)) {
            return error_row((enum error)i);
        }
    }
    return NULL;
}

void documents_get_problem(struct http_exchange *x)
{
    const struct error_row *problem = find_problem(x->request.parameters[0]);
    struct buffer *out = x->response.body;
    if (!problem) {
        respond_error(x, ERROR_NOT_FOUND,
                      "There is no problem of that name. The codes are listed in the schema "
                      "ProblemCode of /openapi.json.");
        return;
    }
    buffer_add_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                         "\n<meta name=\"color-scheme\" content=\"light dark\">\n");
    add_element(out, "title", problem->title);
    buffer_add_text(out, "<link rel=\"icon\" href=\"data:,\">\n"
                         "<link rel=\"stylesheet\" href=\"");
    buffer_add(out, http_reference(x, SLICE("/docs/page.css")));
    buffer_add_text(out, "\">\n</head>\n<body>\n<header><strong>Taskhold</strong>\n"
                         "<nav><a href=\"");
    buffer_add(out, http_reference(x, SLICE("/docs")));
    buffer_add_text(out, "\">Documentation</a></nav></header>\n<main>\n");
    add_element(out, "h1", problem->title);
    buffer_add_format(out, "<p class=\"status\">Status %d, code <code>%s</code></p>\n",
                      problem->status, problem->code);
    add_element(out, "p", problem->meaning);
    add_element(out, "p", problem->advice);
    buffer_add_text(out, "</main>\n</body>\n</html>\n");
    add_policy(x);
    http_respond_field(x, "Cache-Control", SLICE("no-cache"));
    http_respond_body(x, 200, HTML);
}

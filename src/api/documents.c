// SPDX-License-Identifier: MIT
#include "api/documents.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/embedded.h"
#include "api/handlers.h"
#include "api/html_page.h"
#include "api/precondition.h"
#include "api/respond.h"
#include "base/weburl.h"
#include "http/negotiate.h"

/* GET /openapi.json, /openapi-3.0.json, /openapi.yaml, /postman.json: files of the repository or
 * made of them; /docs and the files it loads: Swagger UI, which a build may lack, and what we put
 * around it. */

enum {
    OPENAPI_JSON,
    OPENAPI_3_0_JSON,
    OPENAPI_YAML,
    POSTMAN,
    DOCS,
    PLAIN_DOCS,
    DOCS_FILES, /* from here on: what stands below /docs/ */
};

static const struct document {
    const char *name; /* below /docs/ */
    const char *type;
    const unsigned char *bytes;
    const size_t *len;
    bool gzip; /* it is kept compressed, and in no other form */
} documents[] = {
    [OPENAPI_JSON] = {NULL, "application/json", embed_openapi_json, &embed_openapi_json_len, false},
    [OPENAPI_3_0_JSON] = {NULL, "application/json", embed_openapi_3_0_json,
                          &embed_openapi_3_0_json_len, false},
    [OPENAPI_YAML] = {NULL, "application/yaml", embed_openapi_yaml, &embed_openapi_yaml_len, false},
    [POSTMAN] = {NULL, "application/json", embed_postman_json, &embed_postman_json_len, false},
    [DOCS] = {NULL, "text/html; charset=utf-8", embed_docs_index_html, &embed_docs_index_html_len,
              false},
    [PLAIN_DOCS] = {NULL, "text/html; charset=utf-8", embed_docs_plain_html,
                    &embed_docs_plain_html_len, false},
    [DOCS_FILES] = {"init.js", "text/javascript; charset=utf-8", embed_docs_init_js,
                    &embed_docs_init_js_len, false},
    {"page.css", "text/css; charset=utf-8", embed_docs_page_css, &embed_docs_page_css_len, false},
    {"swagger-ui-bundle.js", "text/javascript; charset=utf-8", embed_docs_swagger_js,
     &embed_docs_swagger_js_len, true},
    {"swagger-ui.css", "text/css; charset=utf-8", embed_docs_swagger_css,
     &embed_docs_swagger_css_len, true},
};
_Static_assert(sizeof documents / sizeof *documents == API_FILES, "each has an entity tag");

/* What is written otherwise with PUBLIC_URL: `from` up to the slash of a path, or a whole URL. */
static const struct rewriting {
    struct slice from;
    struct slice before; /* what of it stays in front of what is put in */
    struct slice after;
    bool whole; /* put in the URL; else the prefix of the path */
} rewritings[] = {
#define PATH(before, path)                                                                         \
    {                                                                                              \
        SLICE(before path), SLICE(before), SLICE(path), false                                      \
    }
#define URL(before, url, after)                                                                    \
    {                                                                                              \
        SLICE(before url after), SLICE(before), SLICE(after), true                                 \
    }
    PATH("=\"", "/"),            /* links of the pages */
    PATH("'", "/openapi.json'"), /* of the script */
    PATH("](", "/"),             /* of the description */
    URL("\"servers\":[{\"url\":\"", "/", "\""),
    URL("\nservers:\n  - url: ", "/", "\n"),
    URL("\"value\": \"", "http://127.0.0.1:8080", "\""), /* of the collection */
#undef PATH
#undef URL
};

/* The rewriting that begins at `rest`, or NULL. */
static const struct rewriting *find_rewriting(struct slice rest)
{
    for (size_t i = 0; i < sizeof rewritings / sizeof *rewritings; i++) {
        if (slice_starts(rest, rewritings[i].from)) {
            return &rewritings[i];
        }
    }
    return NULL;
}

/* A copy of `text` for who asks under `url`; NULL without memory. */
static char *rewrite(struct slice text, const char *url, size_t *len)
{
    struct buffer out;
    size_t at = 0;
    buffer_init(&out, SIZE_MAX / 2);
    while (at < text.len) {
        const struct slice rest = {text.ptr + at, text.len - at};
        const struct rewriting *rewriting = find_rewriting(rest);
        if (!rewriting) {
            buffer_add_char(&out, text.ptr[at++]);
            continue;
        }
        buffer_add(&out, rewriting->before);
        buffer_add(&out, rewriting->whole ? weburl_base(url) : weburl_path(url));
        buffer_add(&out, rewriting->after);
        at += rewriting->from.len;
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
    for (unsigned i = 0; i < API_FILES; i++) {
        unsigned char hash[crypto_generichash_BYTES];
        char digits[17];
        api->files[i] = (struct slice){(const char *)documents[i].bytes, *documents[i].len};
        if (url && !documents[i].gzip && api->files[i].len > 0) {
            api->made_files[i] = rewrite(api->files[i], url, &api->files[i].len);
            api->files[i].ptr = api->made_files[i];
            if (!api->made_files[i]) {
                return false;
            }
        }
        crypto_generichash(hash, sizeof hash, (const unsigned char *)api->files[i].ptr,
                           api->files[i].len, NULL, 0);
        sodium_bin2hex(digits, sizeof digits, hash, 8);
        snprintf(api->file_tags[i], API_TAG_LEN, "\"%s\"", digits);
    }
    return true;
}

void documents_finish(struct api *api)
{
    for (unsigned i = 0; i < API_FILES; i++) {
        free(api->made_files[i]);
        api->made_files[i] = NULL;
    }
}

static void send_document(struct http_exchange *x, unsigned index)
{
    const struct document *document = &documents[index];
    struct slice tag = slice_of(api_of(x)->file_tags[index]);
    struct http_conditions conditions;
    if (!precondition_parse(x, &conditions)) {
        return;
    }
    const struct slice cache = SLICE("no-cache");
    const enum http_conditions_verdict verdict = http_conditions_judge(&conditions, tag);
    if (verdict != HTTP_CONDITIONS_GO) {
        precondition_answer(x, verdict, tag, cache);
        return;
    }
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", cache);
    if (document->gzip) {
        http_respond_field(x, "Content-Encoding", SLICE("gzip"));
    }
    x->response.fixed = api_of(x)->files[index];
    http_respond_body(x, 200, document->type);
}

void documents_openapi_json(struct http_exchange *x)
{
    send_document(x, OPENAPI_JSON);
}

void documents_openapi_3_0_json(struct http_exchange *x)
{
    send_document(x, OPENAPI_3_0_JSON);
}

void documents_openapi_yaml(struct http_exchange *x)
{
    send_document(x, OPENAPI_YAML);
}

void documents_postman(struct http_exchange *x)
{
    send_document(x, POSTMAN);
}

void documents_docs(struct http_exchange *x)
{
    html_page_add_policy(x);
    send_document(x, embed_docs_swagger_js_len > 0 ? DOCS : PLAIN_DOCS);
}

/* API_FILES when there is none of that name in this build. */
static unsigned find_file(struct slice name)
{
    for (unsigned i = DOCS_FILES; i < API_FILES; i++) {
        if (slice_eq(slice_of(documents[i].name), name) && *documents[i].len > 0) {
            return i;
        }
    }
    return API_FILES;
}

void documents_docs_file(struct http_exchange *x)
{
    unsigned index = find_file(x->request.parameters[0]);
    if (index == API_FILES) {
        respond_error(x, ERROR_NOT_FOUND,
                      "The documentation has no such file; it begins at /docs.");
        return;
    }
    /* The type depends on the file, so the route cannot name it. */
    http_respond_field(x, "Vary",
                       documents[index].gzip ? SLICE("Accept, Accept-Encoding") : SLICE("Accept"));
    if (!negotiate_accepts(&x->request, slice_of(documents[index].type))) {
        negotiate_refuse_accept(x, documents[index].type);
        return;
    }
    if (documents[index].gzip && !negotiate_accepts_gzip(&x->request)) {
        respond_error(x, ERROR_NOT_ACCEPTABLE,
                      "This file is kept compressed: Accept-Encoding must allow gzip.");
        return;
    }
    send_document(x, index);
}

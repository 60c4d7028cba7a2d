#include "api/documents.h"

#include <sodium.h>
#include <stdio.h>

#include "api/embedded.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/respond.h"
#include "http/conditional.h"

/* GET /openapi.json, /openapi.yaml, /postman.json: files of the repository; and /docs. */

enum document { OPENAPI_JSON, OPENAPI_YAML, POSTMAN };

static struct slice bytes_of(enum document document)
{
    switch (document) {
    case OPENAPI_JSON:
        return (struct slice){(const char *)embed_openapi_json, embed_openapi_json_len};
    case OPENAPI_YAML:
        return (struct slice){(const char *)embed_openapi_yaml, embed_openapi_yaml_len};
    case POSTMAN: break;
    }
    return (struct slice){(const char *)embed_postman_json, embed_postman_json_len};
}

void documents_init(struct api *api)
{
    for (unsigned i = 0; i < API_FILES; i++) {
        struct slice bytes = bytes_of((enum document)i);
        unsigned char hash[crypto_generichash_BYTES];
        crypto_generichash(hash, sizeof hash, (const unsigned char *)bytes.ptr, bytes.len, NULL, 0);
        char digits[17];
        sodium_bin2hex(digits, sizeof digits, hash, 8);
        snprintf(api->file_tags[i], API_TAG_LEN, "\"%s\"", digits);
    }
}

static void send_document(struct http_exchange *x, enum document document, const char *type)
{
    struct slice tag = slice_of(api_of(x)->file_tags[document]);
    struct http_condition condition = {0};
    if (!http_condition_parse(&x->request, HTTP_FIELD_IF_NONE_MATCH, &condition)) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "If-None-Match must be `*` or a list of entity tags.");
        return;
    }
    http_respond_field(x, "ETag", tag);
    http_respond_field(x, "Cache-Control", SLICE("no-cache"));
    if (condition.present && http_condition_names(&condition, tag, true)) {
        http_respond_status(x, 304);
        return;
    }
    x->response.fixed = bytes_of(document);
    http_respond_body(x, 200, type);
}

void documents_openapi_json(struct http_exchange *x)
{
    send_document(x, OPENAPI_JSON, "application/json");
}

void documents_openapi_yaml(struct http_exchange *x)
{
    send_document(x, OPENAPI_YAML, "application/yaml");
}

void documents_postman(struct http_exchange *x)
{
    send_document(x, POSTMAN, "application/json");
}

void documents_docs(struct http_exchange *x)
{
    page_begin(x, "Taskhold");
    page_add_paragraph(x, "The backend of a to-do application: accounts, tokens and tasks over "
                          "HTTP. Start with POST /v1/auth/register, then POST /v1/auth/login, and "
                          "send the access token with every other call.");
    page_add_link(x, "/openapi.yaml", "The description of every call, as YAML (OpenAPI 3.1)");
    page_add_link(x, "/openapi.json", "The same as JSON");
    page_add_link(x, "/postman.json", "The Postman collection: import it and press Run");
    page_add_link(x, "/problems/validation_failed", "What a problem looks like");
    page_add_link(x, "/readyz", "Is the server well?");
    page_send(x);
}

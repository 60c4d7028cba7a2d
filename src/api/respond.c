// SPDX-License-Identifier: MIT
#include "api/respond.h"

#include "http/route.h"

void respond_error(struct http_exchange *x, enum error error, const char *detail)
{
    http_respond_problem(x, error, detail, NULL);
}

void respond_no_memory(struct http_exchange *x)
{
    respond_error(x, ERROR_OVERLOADED, NULL);
}

void respond_no_store(struct http_exchange *x)
{
    http_respond_field(x, "Cache-Control", SLICE("no-store"));
}

void respond_done(struct http_exchange *x)
{
    respond_no_store(x);
    http_respond_status(x, 204);
}

struct json_writer respond_json_begin(struct http_exchange *x)
{
    struct json_writer w;
    json_writer_init(&w, x->response.body);
    return w;
}

void respond_json(struct http_exchange *x, int status)
{
    http_respond_body(x, status, "application/json");
}

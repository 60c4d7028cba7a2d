// SPDX-License-Identifier: MIT
#include "api/respond.h"

#include <assert.h>

#include "http/route.h"

void respond_error(struct http_exchange *x, enum error error, const char *detail)
{
    assert(error > ERROR_NONE && error < ERROR_COUNT);
    http_respond_problem(x, error, detail, NULL);
}

bool respond_failed(struct http_exchange *x, enum error result, enum error common,
                    const char *detail)
{
    if (result != ERROR_NONE) {
        respond_error(x, result, result == common ? detail : NULL);
    }
    return result != ERROR_NONE;
}

void respond_no_memory(struct http_exchange *x)
{
    respond_error(x, ERROR_OVERLOADED, NULL);
}

void respond_user_error(struct http_exchange *x, enum error error)
{
    assert(x->route->access != HTTP_ACCESS_PUBLIC);
    if (error == ERROR_NOT_FOUND) {
        respond_error(x, ERROR_INVALID_TOKEN,
                      "The account of this token has since been deleted or disabled. Log in with "
                      "another one.");
        return;
    }
    respond_error(x, error, NULL);
}

void respond_no_store(struct http_exchange *x)
{
    http_respond_field(x, "Cache-Control", SLICE("no-store"));
}

void respond_done(struct http_exchange *x)
{
    assert(x->response.body->len == 0);
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
    assert(status >= 200 && status < 600);
    http_respond_body(x, status, "application/json");
}

void respond_write(struct json_writer *w, const struct user_body *body, const void *row)
{
    assert(body->count > 0 && row);
    jw_open_object(w);
    field_write(body->fields, body->count, row, w);
    jw_close_object(w);
}

void respond_write_session(struct json_writer *w, const struct session *session, bool current)
{
    jw_open_object(w);
    field_write(user_body_session.fields, user_body_session.count, session, w);
    jw_name(w, SLICE("current"));
    jw_bool(w, current);
    jw_close_object(w);
}

void respond_row(struct http_exchange *x, int status, const struct user_body *body, const void *row)
{
    struct json_writer w = respond_json_begin(x);
    respond_write(&w, body, row);
    respond_no_store(x);
    respond_json(x, status);
}

/* ---- bodies ---- */

bool body_read(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
{
    assert(x->route->consumes != HTTP_CONSUMES_NOTHING && reading->input);
    struct json_reader reader;
    char why[JSON_READER_WHY];
    bool ok = false;
    enum json_read result = json_reader_init(&reader, x->request.body, why);
    if (result == JSON_READ_INVALID) {
        respond_error(x, ERROR_INVALID_JSON, why);
        goto out;
    }
    reading->arena = x->arena;
    if (result == JSON_READ_NO_MEMORY || !field_read(reading, &reader)) {
        respond_no_memory(x);
        goto out;
    }
    if (content) {
        json_reader_digest(&reader, content);
    }
    ok = true;
out:
    json_reader_finish(&reader);
    return ok;
}

bool body_valid(struct http_exchange *x, const struct field_errors *errors)
{
    if (errors->count == 0) {
        return true;
    }
    struct http_problem_errors list = {.overflow = errors->overflow};
    for (unsigned i = 0; i < errors->count; i++) {
        const struct field_error *error = &errors->list[i];
        http_problem_errors_add(&list, (struct http_problem_error){.pointer = error->pointer,
                                                                   .code = error->code,
                                                                   .detail = error->detail});
    }
    http_respond_problem(x, ERROR_VALIDATION_FAILED, NULL, &list);
    return false;
}

bool body_decode(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
{
    return body_read(x, reading, content) && body_valid(x, &reading->errors);
}

// SPDX-License-Identifier: MIT
#include "api/body.h"

#include <assert.h>

#include "api/respond.h"
#include "http/route.h"

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

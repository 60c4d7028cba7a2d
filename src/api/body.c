// SPDX-License-Identifier: MIT
#include "api/body.h"

#include <assert.h>
#include <stdio.h>

#include "api/context.h"
#include "api/respond.h"
#include "auth/password.h"

static bool read_body(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
{
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

bool body_read(struct http_exchange *x, struct field_reading *reading)
{
    return read_body(x, reading, NULL);
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
    return read_body(x, reading, content) && body_valid(x, &reading->errors);
}

/* ---- the policy for passwords ---- */

static const struct {
    const char *code;
    const char *detail;
} verdicts[] = {
    [PASSWORD_TOO_SHORT] = {"too_short", "Is too short."},
    [PASSWORD_TOO_LONG] = {"too_long", "Must have at most 1024 bytes."},
    [PASSWORD_COMMON] = {"password_common",
                         "Is one of the passwords that everybody tries first; choose another."},
    [PASSWORD_CONTAINS_EMAIL] = {"password_contains_email",
                                 "Must not hold the part of the e-mail address before the @."},
};

/* The least length is a setting. */
static const char *too_short(struct arena *arena, unsigned least)
{
    char text[64];
    snprintf(text, sizeof text, "Must have at least %u characters.", least);
    struct slice copy = arena_copy(arena, slice_of(text));
    return copy.ptr ? copy.ptr : verdicts[PASSWORD_TOO_SHORT].detail;
}

void body_judge_password(struct http_exchange *x, const char *pointer, struct slice password,
                         struct slice email, struct field_errors *errors)
{
    unsigned least = (unsigned)api_of(x)->options.settings->password_min_length;
    if (!password.ptr) {
        return;
    }
    enum password_verdict verdict = password_judge(password, email, least);
    if (verdict == PASSWORD_OK) {
        return;
    }
    const char *detail =
        verdict == PASSWORD_TOO_SHORT ? too_short(x->arena, least) : verdicts[verdict].detail;
    field_errors_add(errors, slice_of(pointer), verdicts[verdict].code, detail);
}

// SPDX-License-Identifier: MIT
#include "api/user_answer.h"

#include "api/body.h"
#include "api/encode.h"
#include "api/respond.h"

void user_answer(struct http_exchange *x, int status, const struct user *user)
{
    respond_no_store(x);
    struct json_writer w = respond_json_begin(x);
    encode_user(&w, user);
    respond_json(x, status);
}

void user_answer_error(struct http_exchange *x, enum error error)
{
    if (error == ERROR_NOT_FOUND) {
        respond_error(x, ERROR_INVALID_TOKEN,
                      "The account of this token has been deleted or disabled meanwhile. Log in "
                      "with one that there is.");
        return;
    }
    respond_error(x, error, NULL);
}

bool user_body_decode(struct http_exchange *x, const struct user_body *body, enum field_mode mode,
                      struct user_input *input, unsigned *set)
{
    struct field_reading reading = {
        .fields = body->fields, .count = body->count, .mode = mode, .input = input};
    if (!body_decode(x, &reading, NULL)) {
        return false;
    }
    *set = reading.set;
    return true;
}

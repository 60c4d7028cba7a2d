// SPDX-License-Identifier: MIT
#include "api/respond.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "api/context.h"
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

void respond_no_answer(struct http_exchange *x)
{
    respond_error(x, ERROR_OUTCOME_UNKNOWN, HTTP_ANSWER_LOST);
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

const char *respond_seconds(int64_t seconds, char text[static RESPOND_SECONDS_MOST])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t unit = 0;
    assert(seconds > 0);
    while (seconds % units[unit].seconds != 0) {
        unit++;
    }
    const long long number = seconds / units[unit].seconds;
    (void)snprintf(text, RESPOND_SECONDS_MOST, "%lld %s%s", number, units[unit].name,
                   number > 1 ? "s" : "");
    return text;
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

void respond_member(struct json_writer *w, struct slice name, struct slice text)
{
    assert(w->depth > 0);
    jw_name(w, name);
    if (text.ptr) {
        jw_text(w, text);
    } else {
        jw_null(w);
    }
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

/* ---- entity tags ---- */

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(struct uuid), "an epoch is a key");

/* Letters and digits only, so that a tag never ends as a proxy's addition does. */
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define ALPHABET_LEN (sizeof alphabet - 1)

static const struct slice marks[] = {
    [TAG_ITEM] = {"", 0}, [TAG_LIST] = {"l", 1}, [TAG_CONTENT] = {"c", 1}, [TAG_USER] = {"u", 1}};

struct tag_space tag_space_of(struct uuid epoch, struct uuid user)
{
    struct tag_space space;
    unsigned char message[sizeof user.bytes + 1];
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t rest = 0;

    memcpy(message, user.bytes, sizeof user.bytes);
    message[sizeof user.bytes] = TAG_FORM;
    crypto_shorthash(hash, message, sizeof message, epoch.bytes);
    for (size_t i = 0; i < sizeof hash; i++) {
        rest = rest << 8 | hash[i];
    }
    for (size_t i = 0; i < TAG_SPACE_LEN; i++) {
        space.text[i] = alphabet[rest % ALPHABET_LEN];
        rest /= ALPHABET_LEN;
    }
    return space;
}

int64_t tag_content(struct slice body)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "an answer's tag";
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t version = 0;
    assert(body.ptr);
    crypto_shorthash(hash, (const unsigned char *)body.ptr, body.len, key);
    for (size_t i = 0; i < sizeof hash; i++) {
        version = version << 8 | hash[i];
    }
    return (int64_t)(version >> 1);
}

struct slice tag_make(struct tag_space space, enum tag_kind kind, int64_t version,
                      char tag[static TAG_MOST])
{
    char *end = tag + TAG_MOST;
    char *p = end;
    assert(version >= 0);
    uint64_t rest = (uint64_t)version;
    *--p = '"';
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (marks[kind].len > 0) {
        *--p = marks[kind].ptr[0];
    }
    *--p = '-';
    p -= TAG_SPACE_LEN;
    memcpy(p, space.text, TAG_SPACE_LEN);
    *--p = '"';
    return (struct slice){p, (size_t)(end - p)};
}

bool tag_read(struct tag_space space, enum tag_kind kind, struct slice opaque, int64_t *version)
{
    const size_t head = TAG_SPACE_LEN + 1 + marks[kind].len;
    uint64_t value = 0;

    if (opaque.len <= head || memcmp(opaque.ptr, space.text, TAG_SPACE_LEN) != 0 ||
        opaque.ptr[TAG_SPACE_LEN] != '-') {
        return false;
    }
    const struct slice digits = slice_from(opaque, head);
    if (!slice_eq((struct slice){digits.ptr - marks[kind].len, marks[kind].len}, marks[kind]) ||
        (digits.ptr[0] == '0' && digits.len > 1) || !slice_to_u64(digits, INT64_MAX, &value)) {
        return false;
    }
    *version = (int64_t)value;
    return true;
}

/* ---- bodies ---- */

bool body_read_with(struct http_exchange *x, struct field_reading *reading, body_reader *read,
                    uint8_t *content)
{
    assert(x->route->consumes != HTTP_CONSUMES_NOTHING && read);
    struct json_reader reader;
    char why[JSON_READER_WHY];
    bool ok = false;
    enum json_read result = json_reader_init(&reader, x->request.body, JSON_TOKENS, why);
    if (result == JSON_READ_INVALID) {
        respond_error(x, ERROR_INVALID_JSON, why);
        goto out;
    }
    reading->arena = x->arena;
    reading->zones = api_of(x)->options.zones;
    if (result == JSON_READ_NO_MEMORY || !read(reading, &reader)) {
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

bool body_read(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
{
    assert(reading->input);
    return body_read_with(x, reading, field_read, content);
}

void respond_invalid(struct http_exchange *x, const struct field_errors *errors)
{
    assert(errors->count > 0);
    struct http_problem_errors list = {.overflow = errors->overflow};
    for (unsigned i = 0; i < errors->count; i++) {
        const struct field_error *error = &errors->list[i];
        http_problem_errors_add(&list, (struct http_problem_error){.pointer = error->pointer,
                                                                   .code = error->code,
                                                                   .detail = error->detail});
    }
    http_respond_problem(x, ERROR_VALIDATION_FAILED, NULL, &list);
}

bool body_valid(struct http_exchange *x, const struct field_errors *errors)
{
    const bool valid = errors->count == 0; /* they may be gone with the exchange */
    if (!valid) {
        respond_invalid(x, errors);
    }
    return valid;
}

bool body_decode(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
{
    return body_read(x, reading, content) && body_valid(x, &reading->errors);
}

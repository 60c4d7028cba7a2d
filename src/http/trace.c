// SPDX-License-Identifier: MIT
#include "http/trace.h"

/* 2 digits, 32, 16, 2, with dashes between them. */
#define VERSION 0
#define TRACE   3
#define PARENT  36
#define FLAGS   53
#define LENGTH  55

static bool is_hex(struct slice text, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++) {
        if (!ascii_is_in(text.ptr[i], ASCII_HEX)) {
            return false;
        }
    }
    return true;
}

static bool is_zero(struct slice text, size_t at, size_t len)
{
    size_t i = at;
    while (i < at + len && text.ptr[i] == '0') {
        i++;
    }
    return i == at + len;
}

/* Version 00 ends after the flags; a later one may go on after a dash; ff is none. */
static bool has_version(struct slice text)
{
    if (!is_hex(text, VERSION, 2) || memcmp(text.ptr, "ff", 2) == 0) {
        return false;
    }
    return text.len == LENGTH || (!is_zero(text, VERSION, 2) && text.ptr[LENGTH] == '-');
}

struct slice http_trace_id(const struct http_request *request)
{
    const struct http_field_value *field = &request->fields[HTTP_FIELD_TRACEPARENT];
    const struct slice text = field->value;
    if (field->count != 1 || text.len < LENGTH || !has_version(text)) {
        return (struct slice){0};
    }
    const bool good = text.ptr[TRACE - 1] == '-' && text.ptr[PARENT - 1] == '-' &&
                      text.ptr[FLAGS - 1] == '-' && is_hex(text, TRACE, HTTP_TRACE_ID_LEN) &&
                      !is_zero(text, TRACE, HTTP_TRACE_ID_LEN) && is_hex(text, PARENT, 16) &&
                      !is_zero(text, PARENT, 16) && is_hex(text, FLAGS, 2);
    return good ? (struct slice){text.ptr + TRACE, HTTP_TRACE_ID_LEN} : (struct slice){0};
}

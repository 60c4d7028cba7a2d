// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_JSON_WRITER_H
#define TASKHOLD_BASE_JSON_WRITER_H

#include "base/buffer.h"
#include "base/uuid.h"

/* Streams JSON (RFC 8259) into a buffer. Commas are the writer's business. At most
 * JSON_WRITER_DEPTH levels; the buffer's sticky error is the writer's error. Text must be valid
 * UTF-8; it is escaped as little as the RFC allows. The prefix is jw_, because jansson has json_.
 */
#define JSON_WRITER_DEPTH 8

struct json_writer {
    struct buffer *out;
    struct slice name; /* of the value to come; ptr NULL: none */
    unsigned depth;
    bool first[JSON_WRITER_DEPTH + 1];
};

void json_writer_init(struct json_writer *w, struct buffer *out);

void jw_open_object(struct json_writer *w);
void jw_close_object(struct json_writer *w);
void jw_open_array(struct json_writer *w);
void jw_close_array(struct json_writer *w);

/* `name` needs no escaping; a literal of ours. The next call gives its value, and writes both. */
void jw_name(struct json_writer *w, struct slice name);

void jw_text(struct json_writer *w, struct slice text);
void jw_i64(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
void jw_raw(struct json_writer *w, struct slice json); /* a value that is JSON already */
void jw_uuid(struct json_writer *w, struct uuid id);

/* Milliseconds as RFC 3339 in UTC. */
void jw_time(struct json_writer *w, int64_t ms);

#endif

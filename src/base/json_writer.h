#ifndef TASKHOLD_BASE_JSON_WRITER_H
#define TASKHOLD_BASE_JSON_WRITER_H

#include "base/buffer.h"
#include "base/uuid.h"

/* Streams JSON (RFC 8259) into a buffer. Commas are the writer's business. At most
 * JSON_WRITER_DEPTH levels; the buffer's sticky error is the writer's error. Text must be valid
 * UTF-8; it is escaped as little as the RFC allows. */
#define JSON_WRITER_DEPTH 8

struct json_writer {
    struct buffer *out;
    unsigned depth;
    bool first[JSON_WRITER_DEPTH + 1];
};

void json_writer_init(struct json_writer *w, struct buffer *out);

void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);

/* `name` needs no escaping; a literal of ours. The next call gives its value. */
void json_name(struct json_writer *w, struct slice name);

void json_text(struct json_writer *w, struct slice text);
void json_i64(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
void json_uuid(struct json_writer *w, struct uuid id);

/* Milliseconds as RFC 3339 in UTC. */
void json_time(struct json_writer *w, int64_t ms);

#endif

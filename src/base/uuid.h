// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_UUID_H
#define TASKHOLD_BASE_UUID_H

#include <stdint.h>

#include "base/slice.h"

struct uuid {
    uint8_t bytes[16];
};

#define UUID_TEXT_LEN 36

/* A new UUIDv7 (RFC 9562 section 5.7): milliseconds of clock_wall_ms, a counter, random bits. Ids
 * are ascending over all threads of the process: one that was asked for after another was made
 * stands after it, unless the clock was set back. Any thread. */
struct uuid uuid_make_v7(void);

/* The same, in order within a thread only: for ids that nobody sorts and every request needs. It
 * shares no memory with other threads. */
struct uuid uuid_make_v7_unordered(void);

/* The UUIDv8 (RFC 9562 section 5.8) of a digest's first bytes: the same ones give the same id. */
struct uuid uuid_make_v8(const uint8_t digest[static 16]);

/* Its first 48 bits: of a UUIDv7 the time it was made at, in milliseconds since 1970. */
int64_t uuid_time_ms(struct uuid id);

/* Writes 36 lower-case characters, no NUL. */
void uuid_format(struct uuid id, char text[static UUID_TEXT_LEN]);

/* Accepts the 36-character lower-case form of any UUID, nothing else. */
bool uuid_parse(struct slice text, struct uuid *id);

/* The same in any case: what people and other programs write (RFC 9562 section 4). */
bool uuid_parse_any_case(struct slice text, struct uuid *id);

bool uuid_eq(struct uuid a, struct uuid b);

#endif

// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_JSON_READER_H
#define TASKHOLD_BASE_JSON_READER_H

#include "base/slice.h"

/* Reads one JSON object (RFC 8259), strictly: UTF-8 without a byte order mark, no duplicate names,
 * no \u0000, no lone surrogate, nothing after the object but white space. A number that no integer
 * and no double of 64 bits holds is read as one that is no integer. */

#define JSON_DEPTH      16   /* levels of nesting at most */
#define JSON_TOKENS     4096 /* members, elements and brackets at most */
#define JSON_READER_WHY 320  /* bytes of a sentence, NUL included */

struct json_t;

struct json_reader {
    struct json_t *root;
    void *next; /* the member that json_reader_next gives */
};

enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_NUMBER,
    JSON_KIND_TEXT,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};

/* The slices live until json_reader_finish. */
struct json_member {
    struct slice name;
    enum json_kind kind;
    struct slice text;    /* of JSON_KIND_TEXT */
    struct json_t *value; /* the reader's own */
};

/* Before and after a call of jansson's in this thread: whether there was no memory for a part of
 * it. What it gave is then not to be believed, a tree neither. */
void json_memory_watch(void);
bool json_memory_lacked(void);
void json_memory_miss(void); /* for an allocator of tests: there was none */

enum json_read { JSON_READ_OK, JSON_READ_INVALID, JSON_READ_NO_MEMORY };

/* `tokens`: the most members, elements and brackets that the text may have, JSON_TOKENS as a rule.
 * JSON_READ_INVALID: `why` holds one sentence that says what is wrong and where; of `text` it
 * repeats the name that stands twice and nothing else. Whatever the result, json_reader_finish may
 * be called. */
enum json_read json_reader_init(struct json_reader *reader, struct slice text, unsigned tokens,
                                char why[static JSON_READER_WHY])
    __attribute__((warn_unused_result));

void json_reader_finish(struct json_reader *reader);

/* Steps through the members in the order in which they stand. Returns false after the last. */
bool json_reader_next(struct json_reader *reader, struct json_member *member);

/* A reader of the members of a JSON_KIND_OBJECT. It lives as long as the one that gave the object,
 * and is not to be finished. */
struct json_reader json_member_reader(const struct json_member *object);

/* The value of a JSON_KIND_NUMBER; false: it is no whole number, or does not fit. 7.0 and 70e-1 are
 * 7, up to 2^53: a larger one is whole because it has lost what follows the point. */
bool json_member_i64(const struct json_member *member, int64_t *number);

/* The same of a value of jansson's. */
bool json_whole_number(const struct json_t *value, int64_t *number);

/* The value of a JSON_KIND_BOOL. */
bool json_member_bool(const struct json_member *member);

/* Steps through the parts of a JSON_KIND_ARRAY, which have no name, or of a JSON_KIND_OBJECT, in
 * the order in which they stand. `parts` starts from {0}. Returns false after the last. */
struct json_parts {
    size_t index; /* of the part that comes next */
    void *last;   /* the one before it, of an object */
};
bool json_member_next(const struct json_member *whole, struct json_parts *parts,
                      struct json_member *part);

/* How many parts there are. */
size_t json_member_parts(const struct json_member *whole);

/* For json_digest.c. */
enum json_kind json_reader_kind(const struct json_t *value);

/* A digest of what the object says: the same for the same members with the same values, whatever
 * their order, white space, escapes and the form of their numbers; another one for anything else.
 */
#define JSON_READER_DIGEST 32
void json_reader_digest(const struct json_reader *reader,
                        uint8_t digest[static JSON_READER_DIGEST]);

/* Overwrites the reader's copy of a text that is a secret. */
void json_reader_wipe(const struct json_member *member);

#endif

// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_RESPOND_H
#define TASKHOLD_API_RESPOND_H

#include "base/json_writer.h"
#include "http/problem.h"
#include "model/user_fields.h"

/* What handlers have in common: reading a body (body_…) and answering (respond_…). Every function
 * that says `sends` ends the exchange: nothing of the request may be touched after it. */

/* Sends the problem of `error`; `detail` NULL: its default text. What was written into the body
 * before is dropped. */
void respond_error(struct http_exchange *x, enum error error, const char *detail);

/* Sends the problem of a store call that failed and returns true; `result` ERROR_NONE: it did not.
 * `detail` is what `common` means in this call (NULL: what it means everywhere). */
bool respond_failed(struct http_exchange *x, enum error result, enum error common,
                    const char *detail) __attribute__((warn_unused_result));

/* Sends the 503 of a request whose arena is used up. */
void respond_no_memory(struct http_exchange *x);

/* The same after a change was made: who is told that nothing was changed would make it twice. */
void respond_no_answer(struct http_exchange *x);

/* Sends the problem of a store call about the caller's own account, where ERROR_NOT_FOUND means
 * that the account went away after the token was checked. */
void respond_user_error(struct http_exchange *x, enum error error);

/* Cache-Control for what carries tokens or personal data. */
void respond_no_store(struct http_exchange *x);

/* Sends 204 that nothing may store. */
void respond_done(struct http_exchange *x);

/* A number of seconds in words, in the largest unit that divides it: `30 days`. Answers `text`. */
#define RESPOND_SECONDS_MOST 32
const char *respond_seconds(int64_t seconds, char text[static RESPOND_SECONDS_MOST]);

/* Begins the JSON body; the answer is sent with respond_json. */
struct json_writer respond_json_begin(struct http_exchange *x);
void respond_json(struct http_exchange *x, int status);

/* Writes a member that is a text; ptr NULL: null. */
void respond_member(struct json_writer *w, struct slice name, struct slice text);

/* Writes one object: the members of `row` that `body` names. The same row always gives the same
 * bytes. */
void respond_write(struct json_writer *w, const struct user_body *body, const void *row);

/* `current`: it is the session of the request. */
void respond_write_session(struct json_writer *w, const struct session *session, bool current);

/* Sends one object that nothing may store. */
void respond_row(struct http_exchange *x, int status, const struct user_body *body,
                 const void *row);

/* ---- entity tags ---- */

/* Those (RFC 9110 section 8.8.3) of what a space holds: `"SPACE-VERSION"`, where SPACE is 6
 * characters that hang on the space (the user's id, today) and on the database's epoch. So no two
 * accounts, and no account before and after a restore, ever give out the same tag for two versions,
 * whatever ids a client makes and however often revisions are counted anew. Pure functions. */

enum tag_kind {
    TAG_ITEM,    /* "aB3xY9-42": 42 is the item's revision */
    TAG_LIST,    /* "aB3xY9-l42": the space's revision */
    TAG_CONTENT, /* "aB3xY9-c42": a hash of an answer */
    TAG_USER,    /* "aB3xY9-u42": user_version() */
};

#define TAG_SPACE_LEN 6
#define TAG_MOST      32 /* bytes; quotes included, no NUL */

/* To be raised when an answer shows another form of the same version: what clients and caches hold
 * is then read anew. */
#define TAG_FORM 2

struct tag_space {
    char text[TAG_SPACE_LEN];
};

struct tag_space tag_space_of(struct uuid epoch, struct uuid user);

/* A version of an answer that hangs on more than a revision, on the clock say: a number made of its
 * bytes. */
int64_t tag_content(struct slice body);

/* Writes the tag of `version`, which is not negative, with its quotes. */
struct slice tag_make(struct tag_space space, enum tag_kind kind, int64_t version,
                      char tag[static TAG_MOST]);

/* The version that `opaque` (without quotes) names. Returns false for whatever is not exactly a tag
 * of that kind and space. */
bool tag_read(struct tag_space space, enum tag_kind kind, struct slice opaque, int64_t *version);

/* ---- bodies ---- */

/* From the bytes of a body to the struct that a call works with, in two steps, so that a handler
 * may add errors of its own in between. */

/* Reads the body by `reading` (its arena and its zones are set here). Sends 400 invalid_json, or
 * 503, and returns false when there is no object to look at. `content` (JSON_READER_DIGEST bytes;
 * NULL: not needed) becomes the digest of what the body says. */
bool body_read(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
    __attribute__((warn_unused_result));

/* The same with another function than field_read in its place. */
typedef bool body_reader(struct field_reading *reading, struct json_reader *reader);
bool body_read_with(struct http_exchange *x, struct field_reading *reading, body_reader *read,
                    uint8_t *content) __attribute__((warn_unused_result));

/* 422 with all that is wrong, which is something. */
void respond_invalid(struct http_exchange *x, const struct field_errors *errors);

/* Sends 422 with all of `errors` and returns false when there are any. */
bool body_valid(struct http_exchange *x, const struct field_errors *errors)
    __attribute__((warn_unused_result));

/* Both steps. */
bool body_decode(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_PROBLEM_H
#define TASKHOLD_HTTP_PROBLEM_H

#include "base/json_writer.h"
#include "http/message.h"

/* Problem details (RFC 9457). */

#define HTTP_PROBLEM_ERRORS 32

/* One entry of `errors`. Exactly one of `pointer` (a JSON Pointer, RFC 6901) and `parameter` (a
 * query parameter's name) is set. Texts may come from the client: the writer escapes them. */
struct http_problem_error {
    struct slice pointer;
    struct slice parameter;
    const char *code;
    const char *detail;
    struct slice id; /* of what is wrong, where it is one of many; ptr NULL: there is none */
    int status;      /* that it would have had alone; 0: it has none */
};

/* What a decoder found, collected so that the first error never hides the others. At most 32 are
 * kept; `overflow` says that there were more. Start from {0}. */
struct http_problem_errors {
    struct http_problem_error list[HTTP_PROBLEM_ERRORS];
    unsigned count;
    bool overflow;

    /* One more member of the problem; ptr NULL: none. */
    struct slice member;
    int64_t number;

    /* The same of one that is JSON already. */
    struct slice json_member;
    struct slice json;
};

void http_problem_errors_add(struct http_problem_errors *errors, struct http_problem_error error);

/* The detail of ERROR_OUTCOME_UNKNOWN where there was no memory for the answer to a change. */
#define HTTP_ANSWER_LOST                                                                           \
    "There was no memory for the answer, so it does not tell whether the change was made: it was " \
    "made entirely or not at all. Send the same request again with the same Idempotency-Key."

/* Answers with the problem document of `error` and sends it. `detail` NULL: the default text of the
 * error's row. `errors` NULL or empty: none. Adds WWW-Authenticate to 401 and Retry-After to 503
 * (unless the head has one), and Cache-Control: no-store. Header fields set before stay. */
void http_respond_problem(struct http_exchange *x, enum error error, const char *detail,
                          const struct http_problem_errors *errors);

/* The same document where there is no exchange any more: of a request to `path`, with what stands
 * before it (see http_path_prefix). */
struct http_problem {
    enum error error;
    const char *detail; /* NULL: that of the error */
    struct slice prefix;
    const char *path;
    struct slice request_id;
};
void http_problem_add(struct buffer *out, const struct http_problem *problem);

/* Writes the same document as a value, without an answer: of what came to nothing at `instance`, a
 * path of a route, within a call that did not. */
void http_write_problem(const struct http_exchange *x, struct json_writer *w, struct slice instance,
                        enum error error, const char *detail,
                        const struct http_problem_errors *errors);

/* Answers 406, which names the type that there is. */
void http_respond_not_acceptable(struct http_exchange *x, const char *produces);

#endif

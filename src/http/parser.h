// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_PARSER_H
#define TASKHOLD_HTTP_PARSER_H

#include "http/message.h"

/* Parses the head of a request (RFC 9112 sections 2 to 6) and refuses all that is doubtful: what
 * two parsers could read in two ways is never passed on. Pure: no memory, no clock, no I/O.
 *
 * One empty line (CRLF) before the request line is stepped over (section 2.2), a second one is
 * refused. Lines end with CRLF only; a bare CR or LF is refused. */

#define HTTP_REQUEST_LINE_MOST 8192  /* bytes without CRLF; more is 414 */
#define HTTP_FIELD_BYTES_MOST  16384 /* all field lines with their CRLF; more is 431 */
#define HTTP_FIELD_LINES_MOST  128   /* more is 431 */

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_FAILED };

enum http_framing { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

/* A run of bytes, counted from the first byte of the head: it outlives a move of the input. */
struct http_span {
    uint32_t at;
    uint32_t len;
};

/* Starts from {0}. */
struct http_head {
    /* How far the parser is. */
    uint32_t line;    /* where the current line starts */
    uint32_t scanned; /* every byte before was looked at */
    uint32_t fields_at;
    uint32_t field_lines;
    uint8_t part;

    /* What it found; whole only after HTTP_PARSE_DONE. */
    bool http10;
    bool keep_alive;
    bool expect_continue;
    enum http_method method;
    enum http_framing framing;
    uint64_t content_length;
    struct http_span target;
    struct http_span fields[HTTP_FIELD_COUNT]; /* the first of each */
    uint8_t counts[HTTP_FIELD_COUNT];
    uint8_t framing_fields; /* bits: which of the fields that frame the message came */
    uint32_t length;        /* of the head with the empty line at its end */
    enum error error;       /* after HTTP_PARSE_FAILED */
    const char *why;        /* then: what is wrong, for people; NULL: the text of `error` */
};

/* Goes on with the head that starts at `input`'s first byte. After HTTP_PARSE_MORE it is called
 * again with the same bytes and more after them (they may have moved). The result does not depend
 * on how the bytes were cut. */
enum http_parse http_head_parse(struct http_head *head, struct slice input)
    __attribute__((warn_unused_result));

/* The name of a field, in lower case. */
struct slice http_field_name(enum http_field field);

/* Steps through the field lines of a parsed head: the next line at or after `*at` whose name is
 * `name`, in any case. Start with `*at` 0. Returns false after the last. */
bool http_head_next(const struct http_head *head, struct slice input, struct slice name,
                    uint32_t *at, struct slice *value);

/* Where the first control character other than HTAB stands in `s`, from `at` on; s.len: there is
 * none. */
size_t http_find_control(struct slice s, size_t at);

/* Whether `s` is a token (RFC 9110 section 5.6.2), which has at least one character. */
bool http_is_token(struct slice s);

#endif

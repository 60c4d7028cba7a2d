// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_CHUNKED_H
#define TASKHOLD_HTTP_CHUNKED_H

#include "http/parser.h"

/* Decodes the chunked transfer coding (RFC 9112 section 7.1). Extensions and trailers are checked
 * for their form, counted and dropped. */

#define HTTP_CHUNK_EXTRA_MOST 8192 /* bytes of all extensions and trailers of one body */

struct http_chunked {
    uint64_t left;  /* bytes of the current chunk still to come */
    uint64_t total; /* decoded bytes of the chunks begun up to now */
    uint64_t most;
    uint32_t extra;
    uint8_t state;
    uint8_t digits;
    enum error error; /* after HTTP_PARSE_FAILED */
    const char *why;  /* then: what is wrong, for people; NULL: the text of `error` */
};

/* `most`: the largest body; a larger one fails with ERROR_CONTENT_TOO_LARGE as soon as a chunk's
 * size tells. */
void http_chunked_init(struct http_chunked *chunked, uint64_t most);

/* Takes from `in` what belongs to the body: `*consumed` bytes, of which `*decoded` bytes of content
 * are written to `out`. `out` may overlap `in` if it does not start after it. After
 * HTTP_PARSE_MORE all of `in` was consumed. The result does not depend on how the bytes were cut.
 */
enum http_parse http_chunked_decode(struct http_chunked *chunked, struct slice in, char *out,
                                    size_t *consumed, size_t *decoded)
    __attribute__((warn_unused_result));

#endif

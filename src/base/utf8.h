// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_UTF8_H
#define TASKHOLD_BASE_UTF8_H

#include "base/arena.h"

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

/* Length in bytes (1 to 4) of the code point at the start of `s`, or 0 when there is none: `s` is
 * empty, cut off or not UTF-8. */
size_t utf8_step(struct slice s);

bool utf8_valid(struct slice s);

/* The longest start of `s` of at most `most` bytes that cuts no code point in two. */
struct slice utf8_cut(struct slice s, size_t most);

/* Unicode's Normalization Form C (UAX #15): what looks the same and is typed differently, such as
 * an accent in one code point or in two, becomes the same bytes. Nothing else changes. */

#define UTF8_NORMALIZE_MOST 1024 /* bytes */

/* `text` in that form, as arena_copy would copy it; it may be up to three times as long. `text` is
 * valid UTF-8 of at most UTF8_NORMALIZE_MOST bytes, and may be secret: only the copy is left. Code
 * points that libutf8proc's Unicode does not have yet stay as they are. */
struct slice utf8_normalize(struct arena *arena, struct slice text)
    __attribute__((warn_unused_result));

#endif

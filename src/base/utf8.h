// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_UTF8_H
#define TASKHOLD_BASE_UTF8_H

#include "base/slice.h"

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

/* Length in bytes (1 to 4) of the code point at the start of `s`, or 0 when there is none: `s` is
 * empty, cut off or not UTF-8. */
size_t utf8_step(struct slice s);

bool utf8_valid(struct slice s);

/* The longest start of `s` of at most `most` bytes that cuts no code point in two. */
struct slice utf8_cut(struct slice s, size_t most);

#endif

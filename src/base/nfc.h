// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_NFC_H
#define TASKHOLD_BASE_NFC_H

#include "base/arena.h"

/* Unicode's Normalization Form C (UAX #15): what looks the same and is typed differently, such as
 * an accent in one code point or in two, becomes the same bytes. Nothing else changes. */

#define NFC_MOST 1024 /* bytes */

/* `text` in that form, as arena_copy would copy it; it may be up to three times as long. `text` is
 * valid UTF-8 of at most NFC_MOST bytes, and may be secret: only the copy is left. Code points that
 * libutf8proc's Unicode does not have yet stay as they are. */
struct slice nfc_of(struct arena *arena, struct slice text) __attribute__((warn_unused_result));

#endif

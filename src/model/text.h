// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TEXT_H
#define TASKHOLD_MODEL_TEXT_H

#include "base/slice.h"

/* What may stand in a text that a person wrote. Pure functions over UTF-8 (RFC 3629). */

struct text_facts {
    size_t code_points;
    bool line_control;  /* TAB, LF or CR */
    bool other_control; /* any other of C0, DEL and C1 */
    bool blank; /* nothing but white space (Unicode property White_Space) and U+FEFF, or empty */
};

/* `text` is valid UTF-8. */
struct text_facts text_look(struct slice text);

/* Where the first control character stands, counted in code points from 1, and which it is; 0:
 * there is none. `lines`: tabs and line breaks do not count. */
size_t text_find_control(struct slice text, bool lines, uint32_t *control);

#endif

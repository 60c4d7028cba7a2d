// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SLICE_H
#define TASKHOLD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. `ptr` may be NULL only when `len` is 0; nothing is terminated by
 * NUL. A slice lives as long as its owner says. */
struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* Of a text that ends in NUL; of NULL, an empty one. */
struct slice slice_of(const char *text);

bool slice_eq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);

/* Without the first `n` bytes. */
struct slice slice_from(struct slice s, size_t n);

/* Bytes as ASCII; those above 127 are neither. */
bool ascii_is_digit(char c);
bool ascii_is_alnum(char c);
char ascii_lower(char c);

#define ASCII_HEX "0123456789abcdef"

/* The value of a hexadecimal digit in either case; -1: it is none. */
int ascii_hex(char c);

/* Whether it is one of `set`. */
bool ascii_is_in(char c, const char *set);

/* Equal without regard to ASCII case (and to nothing else). */
bool slice_eq_nocase(struct slice a, struct slice b);

/* `s` with A to Z in lower case, written to `room`, which has as many bytes and may be `s` itself.
 */
struct slice slice_lower(struct slice s, char *room);

/* Without leading and trailing SP and HTAB (the OWS of RFC 9110). */
struct slice slice_trim(struct slice s);

/* The same without line ends too: what a shell, an editor or a platform's form leaves around a
 * value. */
struct slice slice_strip(struct slice s);

/* Whether a control character (C0 or DEL) is in it. */
bool slice_has_control(struct slice s);

/* Cuts off what stands before the next `separator` and returns it; `*rest` moves after the
 * separator, and its `ptr` becomes NULL after the last part. */
struct slice slice_next(struct slice *rest, char separator);

/* Decimal digits only, no sign, no leading blank. Returns false on anything else, on an empty slice
 * and above `most`. */
bool slice_to_u64(struct slice s, uint64_t most, uint64_t *value);

/* A number in decimal; the answer is a part of `room`. */
#define SLICE_DECIMAL_MOST 20
struct slice slice_decimal(int64_t value, char room[static SLICE_DECIMAL_MOST]);
struct slice slice_decimal_u64(uint64_t value, char room[static SLICE_DECIMAL_MOST]);

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

/* Length in bytes (1 to 4) of the code point at the start of `s`, or 0 when there is none: `s` is
 * empty, cut off or not UTF-8. */
size_t utf8_step(struct slice s);

bool utf8_valid(struct slice s);

/* The longest start of `s` of at most `most` bytes that cuts no code point in two. */
struct slice utf8_cut(struct slice s, size_t most);

/* Makes a text of somebody else's one that tells a terminal nothing: a space in place of each byte
 * of a control character (U+0080 to U+009F are some too), `?` in place of each byte that is not
 * UTF-8. Line ends stay if `lines`. */
void utf8_tame(char *text, size_t len, bool lines);

#endif

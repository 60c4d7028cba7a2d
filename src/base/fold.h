// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_FOLD_H
#define TASKHOLD_BASE_FOLD_H

#include "base/arena.h"
#include "base/buffer.h"

/* Texts as a search and an order see them, without case and accents: NFKD, full case folding, NFKD,
 * and no code points of general category M (Unicode, 3.13 and UAX #15). So ß is ss, ς is σ, İ is i
 * and が is か. Each code point is folded by itself, whatever stands beside it, and a folded text
 * stays as it is when it is folded again.
 *
 * Texts are UTF-8; a byte that is not stays as it is, and so do code points that libutf8proc's
 * Unicode does not have yet. Folded texts are compared by their bytes, which is by code point. */

/* One byte becomes no more than this. U+FDFA, a whole sentence, is the longest. */
#define FOLD_GROWTH 11

/* Appends `text` folded. `out` says when it has become too long, as ever. */
void fold_add(struct buffer *out, struct slice text);

/* ---- search ----
 *
 * What is searched are the members of a thing, folded, in which each run of white space is one
 * blank. They may stand in one text, with FOLD_BREAK between them, over which no term reaches.
 *
 * Where to keep the folded text: one search for one word through 10,000 titles of 40 characters
 * takes
 *
 *                              folded ahead   folded in the search
 *     English                        0.2 ms                 0.5 ms
 *     French, German, Spanish        0.2 ms                 6.6 ms
 *     Russian                        0.4 ms                  11 ms
 *
 * So a row need not carry a second copy of members that are plain (fold_is_plain): they are folded
 * while they are searched, here or with the database's own lower() in the collation C. Of a row
 * that has any other one the folded members are kept beside it, in one text, written when one of
 * them changes. The same holds for the order of titles, with fold_add: a plain title needs no key
 * of its own. */

#define FOLD_BREAK '\n'

/* Appends a member, and FOLD_BREAK before it if there is something in `out`. */
void fold_add_member(struct buffer *out, struct slice text);

/* Is it printable ASCII without two blanks side by side? Then it is folded by writing A to Z small,
 * which every database can do by itself. */
bool fold_is_plain(struct slice text);

#define FOLD_SEARCH_MOST 200 /* code points */
#define FOLD_TERMS_MOST  100 /* of one character each */

/* What a search looks for: words, and phrases, which are words with one blank between them. */
struct fold_terms {
    unsigned count;
    struct slice list[FOLD_TERMS_MOST]; /* folded; neither begins nor ends with a blank */
};

enum fold_terms_status {
    FOLD_TERMS_READ,
    FOLD_TERMS_LONG, /* more than FOLD_SEARCH_MOST */
    FOLD_TERMS_NONE, /* nothing to look for: white space, quotes, or nothing but accents */
    FOLD_TERMS_NO_MEMORY,
};

/* Reads what a person typed. White space (Unicode's White_Space) separates words; what stands
 * between two double quotes, or after the last one, is a phrase. A term that lies in another one is
 * left out, since it is found with it. The terms lie in the arena. */
enum fold_terms_status fold_terms_read(struct arena *arena, struct slice text,
                                       struct fold_terms *terms)
    __attribute__((warn_unused_result));

/* Is each term in one of the members, anywhere, inside longer words too? `members` are made by
 * fold_add_member, one or more in a text. */
bool fold_terms_match(const struct fold_terms *terms, const struct slice *members, size_t count);

#endif

// SPDX-License-Identifier: MIT
#include "base/complain.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

/* Longer words are no slips of the finger. */
#define WORD_MOST      32
#define COMPLAINT_MOST 8192

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int complain(int status, const char *format, ...)
{
    assert(format);
    char text[COMPLAINT_MOST];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const size_t most = len < 0 ? 0 : least((size_t)len, sizeof text - 1);
    utf8_tame(text, most, true);
    fprintf(stderr, "taskhold: %.*s\n", (int)most, text);
    return status;
}

/* The optimal string alignment distance: insertions, deletions, changes and swaps of neighbours. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[WORD_MOST + 1][WORD_MOST + 1];

    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            rows[i][j] = least(least(rows[i - 1][j], rows[i][j - 1]) + 1,
                               rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }
    return rows[a_len][b_len];
}

void suggest_offer(struct suggest *suggest, const char *name)
{
    const size_t word_len = strlen(suggest->word);
    const size_t name_len = strlen(name);
    const size_t bound = name_len < 6 ? 1 : name_len / 3;
    size_t d = 0;

    assert(suggest->word && name_len > 0);
    if (word_len > WORD_MOST || name_len > WORD_MOST) {
        return;
    }
    d = distance(suggest->word, word_len, name, name_len);
    if (d <= bound && (!suggest->nearest || d < suggest->distance)) {
        suggest->nearest = name;
        suggest->distance = d;
    }
}

int complain_unknown(const struct suggest *suggest, const char *kind, const char *prefix,
                     const char *help)
{
    assert(kind && prefix && help);
    if (suggest->nearest) {
        return complain(CLI_USAGE, "unknown %s %s%s; did you mean %s%s?", kind, prefix,
                        suggest->word, prefix, suggest->nearest);
    }
    return complain(CLI_USAGE, "unknown %s %s%s; see %s", kind, prefix, suggest->word, help);
}

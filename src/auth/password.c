// SPDX-License-Identifier: MIT
#include "auth/password.h"

#include "model/user.h"

/* common_passwords.txt as the build embeds it: one a line, lower case, in the order of bytes. */
extern const unsigned char embed_common_passwords_txt[];
extern const size_t embed_common_passwords_txt_len;

#define COMMON_LONGEST   64 /* bytes; no line is longer */
#define LOCAL_PART_LEAST 4  /* code points */

static size_t code_points(struct slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare(struct slice a, struct slice b)
{
    const int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The line of the list in which the byte at `at` stands, without its line feed. */
static struct slice line_at(struct slice list, size_t at)
{
    size_t start = at;
    size_t end = at;

    while (start > 0 && list.ptr[start - 1] != '\n') {
        start--;
    }
    while (end < list.len && list.ptr[end] != '\n') {
        end++;
    }
    return (struct slice){list.ptr + start, end - start};
}

/* Halves the text itself: no index, no memory, and a look touches a few lines of cache. */
static bool is_common(struct slice password)
{
    const struct slice list = {(const char *)embed_common_passwords_txt,
                               embed_common_passwords_txt_len};
    char lower[COMMON_LONGEST];
    size_t low = 0;
    size_t high = list.len;

    if (password.len > sizeof lower || memchr(password.ptr, '\n', password.len)) {
        return false;
    }
    for (size_t i = 0; i < password.len; i++) {
        lower[i] = to_lower(password.ptr[i]);
    }
    while (low < high) {
        const struct slice line = line_at(list, low + (high - low) / 2);
        const int order = compare((struct slice){lower, password.len}, line);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            high = (size_t)(line.ptr - list.ptr);
        } else {
            low = (size_t)(line.ptr - list.ptr) + line.len + 1;
        }
    }
    return false;
}

static struct slice local_part(struct slice email)
{
    for (size_t i = email.len; i > 0; i--) {
        if (email.ptr[i - 1] == '@') {
            return (struct slice){email.ptr, i - 1};
        }
    }
    return email;
}

static bool contains_nocase(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (slice_eq_nocase((struct slice){text.ptr + i, part.len}, part)) {
            return true;
        }
    }
    return false;
}

enum password_verdict password_judge(struct slice password, struct slice email, unsigned least)
{
    const struct slice local = local_part(email);

    if (code_points(password) < least || password.len == 0) {
        return PASSWORD_TOO_SHORT;
    }
    if (password.len > USER_PASSWORD_MOST) {
        return PASSWORD_TOO_LONG;
    }
    if (is_common(password)) {
        return PASSWORD_COMMON;
    }
    if (code_points(local) >= LOCAL_PART_LEAST && contains_nocase(password, local)) {
        return PASSWORD_CONTAINS_EMAIL;
    }
    return PASSWORD_OK;
}

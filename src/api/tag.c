// SPDX-License-Identifier: MIT
#include "api/tag.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(struct uuid), "an epoch is a key");

/* Letters and digits only, so that a tag never ends as a proxy's addition does. */
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define ALPHABET_LEN (sizeof alphabet - 1)

static const struct slice marks[] = {
    [TAG_TASK] = {"", 0}, [TAG_LIST] = {"l", 1}, [TAG_USER] = {"u", 1}};

struct tag_space tag_space_of(struct uuid epoch, struct uuid user)
{
    struct tag_space space;
    unsigned char message[sizeof user.bytes + 1];
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t rest = 0;

    memcpy(message, user.bytes, sizeof user.bytes);
    message[sizeof user.bytes] = TAG_FORM;
    crypto_shorthash(hash, message, sizeof message, epoch.bytes);
    for (size_t i = 0; i < sizeof hash; i++) {
        rest = rest << 8 | hash[i];
    }
    for (size_t i = 0; i < TAG_SPACE_LEN; i++) {
        space.text[i] = alphabet[rest % ALPHABET_LEN];
        rest /= ALPHABET_LEN;
    }
    return space;
}

struct slice tag_make(struct tag_space space, enum tag_kind kind, int64_t version,
                      char tag[static TAG_MOST])
{
    char *end = tag + TAG_MOST;
    char *p = end;
    assert(version >= 0);
    uint64_t rest = (uint64_t)version;
    *--p = '"';
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (marks[kind].len > 0) {
        *--p = marks[kind].ptr[0];
    }
    *--p = '-';
    p -= TAG_SPACE_LEN;
    memcpy(p, space.text, TAG_SPACE_LEN);
    *--p = '"';
    return (struct slice){p, (size_t)(end - p)};
}

bool tag_read(struct tag_space space, enum tag_kind kind, struct slice opaque, int64_t *version)
{
    const size_t head = TAG_SPACE_LEN + 1 + marks[kind].len;
    uint64_t value = 0;

    if (opaque.len <= head || memcmp(opaque.ptr, space.text, TAG_SPACE_LEN) != 0 ||
        opaque.ptr[TAG_SPACE_LEN] != '-') {
        return false;
    }
    const struct slice digits = slice_from(opaque, head);
    if (!slice_eq((struct slice){digits.ptr - marks[kind].len, marks[kind].len}, marks[kind]) ||
        (digits.ptr[0] == '0' && digits.len > 1) || !slice_to_u64(digits, INT64_MAX, &value)) {
        return false;
    }
    *version = (int64_t)value;
    return true;
}

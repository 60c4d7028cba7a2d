// SPDX-License-Identifier: MIT
#include "api/precondition.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"

/* ---- entity tags ---- */

_Static_assert(crypto_shorthash_KEYBYTES == sizeof(struct uuid), "an epoch is a key");

/* Letters and digits only, so that a tag never ends as a proxy's addition does. */
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define ALPHABET_LEN (sizeof alphabet - 1)

static const struct slice marks[] = {
    [TAG_ITEM] = {"", 0}, [TAG_LIST] = {"l", 1}, [TAG_USER] = {"u", 1}};

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

/* ---- preconditions ---- */

bool precondition_add_list(struct slice list, struct tag_space space, enum tag_kind kind,
                           struct store_versions *versions)
{
    struct slice opaque;
    while (http_condition_next(&list, &opaque)) {
        int64_t version = 0;
        if (!tag_read(space, kind, opaque, &version)) {
            continue;
        }
        if (versions->count == STORE_VERSIONS_MOST) {
            return false;
        }
        versions->list[versions->count++] = version;
    }
    return true;
}

bool precondition_parse(struct http_exchange *x, struct http_conditions *conditions)
{
    const char *wrong = http_conditions_parse(&x->request, conditions);
    if (!wrong) {
        return true;
    }
    respond_error(
        x, ERROR_INVALID_HEADER,
        strcmp(wrong, "If-Match") == 0
            ? "If-Match must be `*` or a list of entity tags, in double quotes as the "
              "ETag field has them."
            : "If-None-Match must be `*` or a list of entity tags, in double quotes as the "
              "ETag field has them.");
    return false;
}

static bool read_versions(struct http_exchange *x, const struct http_condition *condition,
                          enum tag_kind kind, struct store_versions *versions)
{
    versions->present = condition->present;
    versions->any = condition->any;
    return !condition->present || condition->any ||
           precondition_add_list(condition->list, api_tag_space(x), kind, versions);
}

bool precondition_read(struct http_exchange *x, enum tag_kind kind,
                       struct store_precondition *precondition)
{
    struct http_conditions conditions;
    if (!precondition_parse(x, &conditions)) {
        return false;
    }
    if (!read_versions(x, &conditions.match, kind, &precondition->match) ||
        !read_versions(x, &conditions.none_match, kind, &precondition->none_match)) {
        respond_error(x, ERROR_INVALID_HEADER,
                      "If-Match and If-None-Match may each name at most 16 entity tags: send those "
                      "of the newest versions that you know.");
        return false;
    }
    return true;
}

void precondition_answer(struct http_exchange *x, enum http_conditions_verdict verdict,
                         struct slice tag, struct slice cache)
{
    assert(verdict != HTTP_CONDITIONS_GO);
    http_respond_field(x, "ETag", tag);
    if (verdict == HTTP_CONDITIONS_FAILED) {
        respond_error(x, ERROR_PRECONDITION_FAILED,
                      "This is no longer a version that If-Match names. Leave If-Match out to read "
                      "the one that there is now; its ETag is in this answer.");
        return;
    }
    http_respond_field(x, "Cache-Control", cache);
    http_respond_status(x, 304);
}

void precondition_refuse(struct http_exchange *x, enum store_verdict verdict, enum tag_kind kind,
                         int64_t version)
{
    const struct http_field_value *none_match = &x->request.fields[HTTP_FIELD_IF_NONE_MATCH];
    const char *detail = kind == TAG_LIST
                             ? "The list changed since you read it. Read it again, and create with "
                               "its new ETag if that is still what you want."
                             : NULL; /* it changed */
    assert(verdict != STORE_HOLDS);
    if (version > 0 || kind == TAG_LIST) {
        char text[TAG_MOST];
        http_respond_field(x, "ETag", tag_make(api_tag_space(x), kind, version, text));
    } else {
        detail = "There is nothing here that If-Match could name. Leave it out to create it.";
    }
    if (verdict == STORE_NONE_MATCH_FAILED) {
        detail =
            slice_eq(none_match->value, SLICE("*"))
                ? "It exists already, and `If-None-Match: *` asks for what does not. To change "
                  "what is there, leave the field out or send its ETag as If-Match."
                : "It is still one of the versions that If-None-Match names, so nothing was "
                  "done. To write all the same, leave the field out or send If-Match.";
    }
    respond_error(x, ERROR_PRECONDITION_FAILED, detail);
}

bool conditions_values(struct http_exchange *x)
{
    struct http_conditions conditions;
    return precondition_parse(x, &conditions);
}

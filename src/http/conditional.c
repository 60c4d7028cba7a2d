// SPDX-License-Identifier: MIT
#include "http/conditional.h"

static bool is_tag_char(char c)
{
    const unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/* How many bytes a proxy that compressed the answer put at the end of `text`; 0: none. */
static size_t coding_suffix(struct slice text)
{
    static const struct slice codings[] = {
        {"gzip", 4}, {"br", 2}, {"zstd", 4}, {"deflate", 7}, {"x-gzip", 6}};
    static const struct slice separators[] = {{"--", 2}, {"-", 1}, {";", 1}};

    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        if (!slice_ends(text, codings[i])) {
            continue;
        }
        const struct slice before = {text.ptr, text.len - codings[i].len};
        for (size_t k = 0; k < sizeof separators / sizeof separators[0]; k++) {
            if (slice_ends(before, separators[k])) {
                return codings[i].len + separators[k].len;
            }
        }
    }
    return 0;
}

static void skip(struct slice *s, size_t len)
{
    *s = slice_from(*s, len);
}

/* Takes an entity tag (RFC 9110 section 8.8.3) off the front. */
static bool take_tag(struct slice *list, struct slice *opaque)
{
    size_t len = 0;

    if (slice_starts(*list, SLICE("W/"))) {
        skip(list, 2);
    }
    if (list->len == 0 || list->ptr[0] != '"') {
        return false;
    }
    skip(list, 1);
    while (len < list->len && is_tag_char(list->ptr[len])) {
        len++;
    }
    if (len == list->len || list->ptr[len] != '"') {
        return false;
    }
    *opaque = (struct slice){list->ptr, len};
    opaque->len -= coding_suffix(*opaque);
    skip(list, len + 1);

    /* What old proxies put after the quote. */
    for (len = 0; len < list->len && list->ptr[len] != ',' && list->ptr[len] != ' ' &&
                  list->ptr[len] != '\t';) {
        len++;
    }
    if (len > 0 && coding_suffix((struct slice){list->ptr, len}) == len) {
        skip(list, len);
    }
    return true;
}

enum step { STEP_TAG, STEP_END, STEP_BROKEN };

/* The next tag of a comma separated list. Empty elements are stepped over, as a recipient must (RFC
 * 9110 section 5.6.1.2). */
static enum step next_tag(struct slice *list, struct slice *opaque)
{
    while (list->len > 0 && (list->ptr[0] == ',' || list->ptr[0] == ' ' || list->ptr[0] == '\t')) {
        skip(list, 1);
    }
    if (list->len == 0) {
        return STEP_END;
    }
    if (!take_tag(list, opaque)) {
        return STEP_BROKEN;
    }
    *list = slice_trim(*list);
    return list->len == 0 || list->ptr[0] == ',' ? STEP_TAG : STEP_BROKEN;
}

bool http_condition_next(struct slice *list, struct slice *opaque)
{
    return next_tag(list, opaque) == STEP_TAG;
}

/* Returns false when the field is there and cannot be read. */
static bool parse(const struct http_request *r, enum http_field field,
                  struct http_condition *condition)
{
    struct slice list = http_request_field(r, field);
    struct slice opaque = {0};
    bool any_tag = false;
    enum step step = STEP_END;

    *condition = (struct http_condition){.present = list.ptr != NULL, .list = list};
    condition->any = condition->present && slice_eq(list, SLICE("*"));
    if (!condition->present || condition->any) {
        return true;
    }
    while ((step = next_tag(&list, &opaque)) == STEP_TAG) {
        any_tag = true;
    }
    return step == STEP_END && any_tag;
}

const char *http_conditions_parse(const struct http_request *r, struct http_conditions *conditions)
{
    if (!parse(r, HTTP_FIELD_IF_MATCH, &conditions->match)) {
        return "If-Match";
    }
    return parse(r, HTTP_FIELD_IF_NONE_MATCH, &conditions->none_match) ? NULL : "If-None-Match";
}

bool http_condition_names(const struct http_condition *condition, struct slice tag)
{
    const struct slice wanted = {tag.ptr + 1, tag.len - 2};
    struct slice list = condition->list;
    struct slice opaque = {0};

    if (!condition->present || condition->any) {
        return condition->any;
    }
    while (http_condition_next(&list, &opaque)) {
        if (slice_eq(opaque, wanted)) {
            return true;
        }
    }
    return false;
}

enum http_conditions_verdict http_conditions_judge(const struct http_conditions *conditions,
                                                   struct slice tag)
{
    if (conditions->match.present && !http_condition_names(&conditions->match, tag)) {
        return HTTP_CONDITIONS_FAILED;
    }
    return conditions->none_match.present && http_condition_names(&conditions->none_match, tag)
               ? HTTP_CONDITIONS_NOT_MODIFIED
               : HTTP_CONDITIONS_GO;
}

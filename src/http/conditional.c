#include "http/conditional.h"

static bool is_tag_char(char c)
{
    const unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/* Takes an entity tag (RFC 9110 section 8.8.3) off the front, with its quotes and without W/. */
static bool take_tag(struct slice *list, struct slice *tag, bool *is_weak)
{
    size_t len = 1;

    *is_weak = slice_starts(*list, SLICE("W/"));
    if (*is_weak) {
        list->ptr += 2;
        list->len -= 2;
    }
    if (list->len == 0 || list->ptr[0] != '"') {
        return false;
    }
    while (len < list->len && is_tag_char(list->ptr[len])) {
        len++;
    }
    if (len == list->len || list->ptr[len] != '"') {
        return false;
    }
    *tag = (struct slice){list->ptr, len + 1};
    list->ptr += len + 1;
    list->len -= len + 1;
    return true;
}

enum step { STEP_TAG, STEP_END, STEP_BROKEN };

/* The next tag of a comma separated list. Empty elements are stepped over, as a recipient must (RFC
 * 9110 section 5.6.1.2). */
static enum step next_tag(struct slice *list, struct slice *tag, bool *is_weak)
{
    while (list->len > 0 && (list->ptr[0] == ',' || list->ptr[0] == ' ' || list->ptr[0] == '\t')) {
        list->ptr++;
        list->len--;
    }
    if (list->len == 0) {
        return STEP_END;
    }
    if (!take_tag(list, tag, is_weak)) {
        return STEP_BROKEN;
    }
    *list = slice_trim(*list);
    return list->len == 0 || list->ptr[0] == ',' ? STEP_TAG : STEP_BROKEN;
}

bool http_condition_parse(const struct http_request *r, enum http_field field,
                          struct http_condition *condition)
{
    struct slice list = http_request_field(r, field);
    struct slice tag = {0};
    bool is_weak = false;
    bool any_tag = false;
    enum step step = STEP_END;

    *condition = (struct http_condition){0};
    if (!list.ptr) {
        return true;
    }
    condition->present = true;
    condition->list = list;
    condition->any = slice_eq(list, SLICE("*"));
    if (condition->any) {
        return true;
    }
    while ((step = next_tag(&list, &tag, &is_weak)) == STEP_TAG) {
        any_tag = true;
    }
    return step == STEP_END && any_tag;
}

bool http_condition_names(const struct http_condition *condition, struct slice tag, bool weak)
{
    struct slice list = condition->list;
    struct slice named = {0};
    bool is_weak = false;
    const bool tag_is_weak = slice_starts(tag, SLICE("W/"));

    if (!condition->present || condition->any) {
        return condition->any;
    }
    if (tag_is_weak) {
        tag.ptr += 2;
        tag.len -= 2;
    }
    while (next_tag(&list, &named, &is_weak) == STEP_TAG) {
        if (slice_eq(named, tag) && (weak || (!is_weak && !tag_is_weak))) {
            return true;
        }
    }
    return false;
}

#include "api/precondition.h"

#include "api/respond.h"

/* Steps over one entity tag of a list that was checked, and over what separates it from the next.
 * `tag` has its quotes, and W/ in front when it is weak. Returns false at the end. */
static bool next_tag(struct slice *rest, struct slice *tag)
{
    size_t i = 0;
    while (i < rest->len && (rest->ptr[i] == ',' || rest->ptr[i] == ' ' || rest->ptr[i] == '\t')) {
        i++;
    }
    size_t begin = i;
    while (i < rest->len && rest->ptr[i] != '"') {
        i++;
    }
    i++;
    while (i < rest->len && rest->ptr[i] != '"') {
        i++;
    }
    if (i >= rest->len) {
        return false;
    }
    i++;
    *tag = (struct slice){rest->ptr + begin, i - begin};
    *rest = (struct slice){rest->ptr + i, rest->len - i};
    return true;
}

/* Whether `tag` is one that we give out: "42", without a leading zero. */
static bool revision_of(struct slice tag, int64_t *revision)
{
    if (tag.len < 3 || tag.ptr[0] != '"' || tag.ptr[1] == '0') {
        return false;
    }
    uint64_t value = 0;
    if (!slice_to_u64((struct slice){tag.ptr + 1, tag.len - 2}, INT64_MAX, &value)) {
        return false;
    }
    *revision = (int64_t)value;
    return true;
}

bool precondition_add_list(struct slice list, struct store_precondition *precondition)
{
    struct slice tag;
    while (next_tag(&list, &tag)) {
        int64_t revision = 0;
        if (!revision_of(tag, &revision)) {
            continue;
        }
        if (precondition->count == STORE_REVISIONS_MOST) {
            return false;
        }
        precondition->revisions[precondition->count++] = revision;
    }
    return true;
}

static bool refuse(struct http_exchange *x, const char *detail)
{
    respond_error(x, ERROR_INVALID_HEADER, detail);
    return false;
}

static bool read_if_match(struct http_exchange *x, struct store_precondition *precondition)
{
    struct http_condition condition = {0};
    if (!http_condition_parse(&x->request, HTTP_FIELD_IF_MATCH, &condition)) {
        return refuse(x, "If-Match must be `*` or a list of entity tags such as \"42\".");
    }
    precondition->present = condition.present;
    precondition->any = condition.any;
    if (condition.present && !condition.any &&
        !precondition_add_list(condition.list, precondition)) {
        return refuse(x, "If-Match may name at most 16 entity tags.");
    }
    return true;
}

bool precondition_read(struct http_exchange *x, bool may_create,
                       struct store_precondition *precondition)
{
    if (!read_if_match(x, precondition)) {
        return false;
    }
    struct http_condition none = {0};
    if (!http_condition_parse(&x->request, HTTP_FIELD_IF_NONE_MATCH, &none)) {
        return refuse(x, "If-None-Match must be `*` or a list of entity tags such as \"42\".");
    }
    if (none.present && !may_create) {
        return refuse(x, "If-None-Match is not supported on this call; use If-Match.");
    }
    if (none.present && !none.any) {
        return refuse(x, "On a write, If-None-Match can only be `*`.");
    }
    precondition->must_not_exist = none.present;
    return true;
}

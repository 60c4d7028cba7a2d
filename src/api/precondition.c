// SPDX-License-Identifier: MIT
#include "api/precondition.h"

#include <assert.h>
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"

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

#define MATCH_FORM                                                                                 \
    "If-Match must be `*` or a list of entity tags, in double quotes as the ETag field has them."
#define NONE_MATCH_FORM                                                                            \
    "If-None-Match must be `*` or a list of entity tags, in double quotes as the ETag field has "  \
    "them."
#define TAGS_MOST                                                                                  \
    "If-Match and If-None-Match may each name at most 16 entity tags: send those of the newest "   \
    "versions that you know."

bool precondition_parse(struct http_exchange *x, struct http_conditions *conditions)
{
    const char *wrong = http_conditions_parse(&x->request, conditions);
    if (!wrong) {
        return true;
    }
    respond_error(x, ERROR_INVALID_HEADER,
                  strcmp(wrong, "If-Match") == 0 ? MATCH_FORM : NONE_MATCH_FORM);
    return false;
}

static bool read_versions(struct tag_space space, const struct http_condition *condition,
                          enum tag_kind kind, struct store_versions *versions)
{
    versions->present = condition->present;
    versions->any = condition->any;
    return !condition->present || condition->any ||
           precondition_add_list(condition->list, space, kind, versions);
}

bool precondition_read(struct http_exchange *x, enum tag_kind kind,
                       struct store_precondition *precondition)
{
    struct http_conditions conditions;
    const struct tag_space space = api_tag_space(x);
    if (!precondition_parse(x, &conditions)) {
        return false;
    }
    if (!read_versions(space, &conditions.match, kind, &precondition->match) ||
        !read_versions(space, &conditions.none_match, kind, &precondition->none_match)) {
        respond_error(x, ERROR_INVALID_HEADER, TAGS_MOST);
        return false;
    }
    return true;
}

const char *precondition_read_match(struct slice text, struct tag_space space, enum tag_kind kind,
                                    struct store_versions *versions)
{
    struct http_request request = {0};
    struct http_conditions conditions;
    assert(text.ptr && versions);
    request.fields[HTTP_FIELD_IF_MATCH] = (struct http_field_value){text, 1};
    if (http_conditions_parse(&request, &conditions)) {
        return MATCH_FORM;
    }
    return read_versions(space, &conditions.match, kind, versions) ? NULL : TAGS_MOST;
}

bool precondition_holds(struct http_exchange *x, const struct http_conditions *conditions,
                        struct slice tag, struct slice cache)
{
    const enum http_conditions_verdict verdict = http_conditions_judge(conditions, tag);
    if (verdict == HTTP_CONDITIONS_GO) {
        return true;
    }
    http_respond_field(x, "ETag", tag);
    if (verdict == HTTP_CONDITIONS_FAILED) {
        respond_error(x, ERROR_PRECONDITION_FAILED,
                      "This is no longer a version that If-Match names. Leave If-Match out to read "
                      "the one that there is now; its ETag is in this answer.");
        return false;
    }
    http_respond_field(x, "Cache-Control", cache);
    http_respond_status(x, 304);
    return false;
}

const char *precondition_detail(const struct http_exchange *x, enum store_verdict verdict,
                                enum tag_kind kind, int64_t version)
{
    const struct http_field_value *none_match = &x->request.fields[HTTP_FIELD_IF_NONE_MATCH];
    assert(verdict != STORE_HOLDS);
    if (verdict == STORE_NONE_MATCH_FAILED) {
        return slice_eq(none_match->value, SLICE("*"))
                   ? "It exists already, and `If-None-Match: *` asks for what does not. To change "
                     "what is there, leave the field out or send its ETag as If-Match."
                   : "It is still one of the versions that If-None-Match names, so nothing was "
                     "done. To write all the same, leave the field out or send If-Match.";
    }
    if (kind != TAG_LIST) {
        return version > 0
                   ? NULL /* it changed */
                   : "There is nothing here that If-Match could name. Leave it out to create it.";
    }
    if (x->route->subject && x->route->method != HTTP_POST) {
        return "The list changed since you read it. Read it again, and send this with its new "
               "ETag if that is still what you want.";
    }
    return x->route->method == HTTP_POST
               ? "The list changed since you read it. Read it again, and create with its "
                 "new ETag if that is still what you want."
               : "The labels may have changed since you read them: a task did. Read them "
                 "again, and send this with their new ETag if it is still what you want.";
}

void precondition_refuse(struct http_exchange *x, enum store_verdict verdict, enum tag_kind kind,
                         int64_t version)
{
    if (version > 0 || kind == TAG_LIST) {
        char text[TAG_MOST];
        http_respond_field(x, "ETag", tag_make(api_tag_space(x), kind, version, text));
    }
    respond_error(x, ERROR_PRECONDITION_FAILED, precondition_detail(x, verdict, kind, version));
}

bool conditions_values(struct http_exchange *x)
{
    struct http_conditions conditions;
    return precondition_parse(x, &conditions);
}

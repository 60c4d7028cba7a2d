// SPDX-License-Identifier: MIT
#include "cli/from/raw.h"

#include <assert.h>

/* ---- where values end ---- */

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.len && ascii_is_in(text.ptr[at], " \t\r\n")) {
        at++;
    }
    return at;
}

/* Past a string; its opening quote is at `at`. 0: it never ends. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '\\') {
            at++;
        } else if (text.ptr[at] == '"') {
            return at + 1;
        }
    }
    return 0;
}

/* Past a value; 0: there is none, it never ends, or it is too deep. */
static size_t skip_value(struct slice text, size_t at)
{
    size_t depth = 0;
    const size_t begin = at;

    while (at < text.len) {
        const char c = text.ptr[at];
        if (c == '"') {
            at = skip_string(text, at);
            if (at == 0 || depth == 0) {
                return at;
            }
            continue;
        }
        if (c == '{' || c == '[') {
            if (++depth > RAW_DEPTH) {
                return 0;
            }
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                break;
            }
            if (--depth == 0) {
                return at + 1;
            }
        } else if (depth == 0 && ascii_is_in(c, ", \t\r\n:")) {
            break;
        }
        at++;
    }
    return depth > 0 || at == begin ? 0 : at;
}

/* ---- walking ---- */

size_t raw_line(struct intake *in, const struct raw_value *value)
{
    assert(in && in->line_at && value && value->text.ptr >= in->file.ptr);
    const char *at = value->text.ptr;
    const char *end = NULL;

    while (at < in->line_at) { /* that line begins after it: the one before, then */
        end = in->line_at - 1;
        const char *before = memrchr(in->file.ptr, '\n', (size_t)(end - in->file.ptr));
        in->line_at = before ? before + 1 : in->file.ptr;
        in->line--;
    }
    while ((end = memchr(in->line_at, '\n', (size_t)(at - in->line_at)))) {
        in->line_at = end + 1;
        in->line++;
    }
    return in->line;
}

static bool refuse_at(struct intake *in, struct slice text, size_t at, const char *what)
{
    const struct raw_value place = {{text.ptr + (at < text.len ? at : text.len), 0}};
    return intake_refuse(in, raw_line(in, &place),
                         "the JSON there is broken: %s; export the file again", what);
}

bool raw_walk_file(struct intake *in, struct slice text, struct raw_value *value)
{
    assert(in && value);
    in->file = text;
    in->line = 1;
    in->line_at = text.ptr;
    const size_t begin = skip_blanks(text, 0);
    const size_t end = skip_value(text, begin);
    if (end == 0) {
        return refuse_at(in, text, begin,
                         "the value that begins there never ends, or is nested "
                         "too deep");
    }
    if (skip_blanks(text, end) < text.len) {
        return refuse_at(in, text, end, "something stands after its end");
    }
    value->text = (struct slice){text.ptr + begin, end - begin};
    return true;
}

bool raw_is(const struct raw_value *value, char begin)
{
    assert(value);
    return value->text.len > 0 && value->text.ptr[0] == begin;
}

void raw_walk_init(struct raw_walk *walk, struct intake *in, const struct raw_value *value)
{
    assert(walk && in && value);
    *walk = (struct raw_walk){.in = in, .text = value->text};
    walk->object = raw_is(value, '{');
    if (!walk->object && !raw_is(value, '[')) {
        walk->text = (struct slice){0};
    }
    walk->at = 1;
}

/* After a comma, or at the begin; false: the end, or it is broken. */
static bool go_on(struct raw_walk *walk)
{
    const struct slice text = walk->text;
    const char close = walk->object ? '}' : ']';

    walk->at = skip_blanks(text, walk->at);
    const char c = walk->at < text.len ? text.ptr[walk->at] : '\0';
    if (c == close && walk->at + 1 == text.len) {
        walk->text = (struct slice){0};
        return false;
    }
    if (!walk->begun) {
        walk->begun = true;
        return true;
    }
    if (c != ',') {
        return refuse_at(walk->in, text, walk->at, "a comma or the end of the value is missing");
    }
    walk->at = skip_blanks(text, walk->at + 1);
    return true;
}

bool raw_walk_next(struct raw_walk *walk, struct slice *name, struct raw_value *value)
{
    assert(walk && value);
    const struct slice text = walk->text;

    if (text.len == 0 || !go_on(walk)) {
        return false;
    }
    if (walk->object) {
        const size_t begin = walk->at;
        const size_t end =
            begin < text.len && text.ptr[begin] == '"' ? skip_string(text, begin) : 0;
        const size_t colon = end > 0 ? skip_blanks(text, end) : 0;
        if (end == 0 || colon >= text.len || text.ptr[colon] != ':') {
            return refuse_at(walk->in, text, begin, "a name is missing");
        }
        if (name) {
            *name = (struct slice){text.ptr + begin + 1, end - begin - 2};
        }
        walk->at = skip_blanks(text, colon + 1);
    }
    const size_t end = skip_value(text, walk->at);
    if (end == 0) {
        return refuse_at(walk->in, text, walk->at, "a value is missing");
    }
    value->text = (struct slice){text.ptr + walk->at, end - walk->at};
    walk->at = end;
    return true;
}

bool raw_walk_find(struct intake *in, const struct raw_value *object, struct slice name,
                   struct raw_value *value)
{
    struct raw_walk walk;
    struct slice found = {0};

    raw_walk_init(&walk, in, object);
    while (walk.object && raw_walk_next(&walk, &found, value)) {
        if (slice_eq(found, name)) {
            return true;
        }
    }
    return false;
}

json_t *raw_tree(struct intake *in, const struct raw_value *value)
{
    assert(in && value);
    json_error_t error;

    if (value->text.len > RAW_VALUE_MOST) {
        (void)intake_refuse(in, raw_line(in, value),
                            "the value there has more than %zu bytes; "
                            "take it out",
                            RAW_VALUE_MOST);
        return NULL;
    }
    json_t *tree = json_loadb(value->text.ptr, value->text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    /* jansson has no words for most of the places where memory may run out */
    if (!tree && (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0')) {
        (void)intake_no_memory(in);
    } else if (!tree) {
        (void)intake_refuse(in, raw_line(in, value) + (size_t)(error.line > 0 ? error.line - 1 : 0),
                            "the JSON there is broken: %.120s; export the file again", error.text);
    }
    return tree;
}

json_t *raw_small_members(struct intake *in, const struct raw_value *object)
{
    assert(in && object);
    struct raw_walk walk;
    struct raw_value value = {0};
    struct slice member = {0};
    json_t *tree = json_object();

    raw_walk_init(&walk, in, object);
    while (tree && walk.object && raw_walk_next(&walk, &member, &value)) {
        if (raw_is(&value, '{') || raw_is(&value, '[')) {
            continue;
        }
        json_t *part = raw_tree(in, &value);
        if (!part) {
            break;
        }
        const struct slice copy = intake_copy(in, member); /* which a NUL follows */
        if (!copy.ptr || json_object_set_new(tree, copy.ptr, part) != 0) {
            if (!copy.ptr) {
                json_decref(part);
            }
            (void)intake_no_memory(in);
            break;
        }
    }
    if (!tree) {
        (void)intake_no_memory(in);
    } else if (in->result != FROM_READ) {
        json_decref(tree);
        tree = NULL;
    }
    return tree;
}

/* ---- of a tree ---- */

struct slice raw_text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value)
               ? (struct slice){json_string_value(value), json_string_length(value)}
               : (struct slice){0};
}

struct slice raw_id_of(struct intake *in, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    char room[SLICE_DECIMAL_MOST];
    return json_is_integer(value) ? intake_copy(in, slice_decimal(json_integer_value(value), room))
                                  : raw_text_of(object, name);
}

bool raw_is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

size_t raw_count_of(const json_t *object, const char *name)
{
    return json_array_size(json_object_get(object, name));
}

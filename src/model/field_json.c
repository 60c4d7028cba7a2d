// SPDX-License-Identifier: MIT
#include "model/field_json.h"

#include <assert.h>
#include <stdlib.h>

#include "model/field_errors.h"

size_t field_json_most(const struct field *field)
{
    switch (field->type) {
    case FIELD_STRINGS: return FIELD_STRINGS_MOST(field->most_items, field->most);
    case FIELD_UUIDS: return FIELD_UUIDS_MOST(field->most_items);
    case FIELD_MAP: return FIELD_MAP_MOST(field->most_items, field->most_name, field->most);
    default: break;
    }
    assert(false && "a type that is JSON");
    return 0;
}

static struct slice *slot_of(const struct field_reading *reading, const struct field *field)
{
    return (struct slice *)(void *)((char *)reading->input + field->at);
}

static void add_string(struct buffer *out, struct slice text)
{
    struct json_writer w;
    json_writer_init(&w, out);
    jw_text(&w, text);
}

/* In the order of code points, which is that of the bytes of UTF-8. */
static int compare(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int difference = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return difference != 0 ? difference : (a.len > b.len) - (a.len < b.len);
}

/* ---- arrays ---- */

/* What an array has, each once. */
struct set {
    struct slice items[FIELD_ITEMS_MOST];
    uint32_t count;
    bool over; /* it has more than may be */
};

/* False: it is there already. */
static bool add_item(struct set *set, struct slice item, uint32_t most)
{
    uint32_t i = 0;
    while (i < set->count && !slice_eq(set->items[i], item)) {
        i++;
    }
    if (i == most) {
        set->over = true;
    } else if (i == set->count) {
        set->items[set->count++] = item;
        return true;
    }
    return i >= set->count;
}

static void sort_items(struct set *set)
{
    for (uint32_t i = 1; i < set->count; i++) {
        const struct slice item = set->items[i];
        uint32_t at = i;
        for (; at > 0 && compare(set->items[at - 1], item) > 0; at--) {
            set->items[at] = set->items[at - 1];
        }
        set->items[at] = item;
    }
}

static bool check_string(struct field_reading *reading, const struct field *field,
                         struct slice text)
{
    if (slice_eq(text, SLICE(".")) || slice_eq(text, SLICE(".."))) {
        return field_complain(reading, field->name, "not_allowed",
                              "Must not be `.` or `..`: no path could name it.");
    }
    struct field one = *field;
    one.flags |= FIELD_NOT_EMPTY | FIELD_NOT_BLANK;
    return field_check_text(reading, &one, text);
}

/* One element of an array. */
static bool read_item(struct field_reading *reading, const struct field *field,
                      const struct json_member *item, struct set *set)
{
    const unsigned before = reading->errors.count;
    struct slice text = item->text;
    if (item->kind != JSON_KIND_TEXT) {
        return field_complain(reading, field->name, "type", "Must be a string.");
    }
    if (field->type == FIELD_STRINGS && !check_string(reading, field, text)) {
        return false;
    }
    if (field->type == FIELD_UUIDS) {
        struct uuid id;
        char *lower = arena_alloc(reading->arena, UUID_TEXT_LEN);
        if (!lower) {
            return false;
        }
        if (!uuid_parse_any_case(text, &id)) {
            return field_complain(reading, field->name, "uuid", "Must be a UUID.");
        }
        uuid_format(id, lower);
        text = (struct slice){lower, UUID_TEXT_LEN};
    }
    if (reading->errors.count == before && !add_item(set, text, field->most_items) &&
        field->flags & FIELD_DISTINCT) {
        return field_complain(reading, field->name, "repeated", "Is there already: name it once.");
    }
    return true;
}

/* Sets the member to what the buffer holds, and frees the buffer. */
static bool keep_text(struct field_reading *reading, const struct field *field, struct buffer *text)
{
    const struct slice copy =
        text->failed ? (struct slice){0} : arena_copy(reading->arena, buffer_slice(text));
    buffer_finish(text);
    if (copy.ptr) {
        *slot_of(reading, field) = copy;
    }
    return copy.ptr != NULL;
}

static bool read_array(struct field_reading *reading, const struct field *field,
                       const struct json_member *member)
{
    struct set set;
    struct json_parts parts = {0};
    struct json_member item;
    struct buffer text;
    struct json_writer w;
    bool good = true;
    assert(field->most_items > 0 && field->most_items <= FIELD_ITEMS_MOST);
    set.count = 0;
    set.over = false;
    for (size_t i = 0; good && json_member_next(member, &parts, &item); i++) {
        char room[SLICE_DECIMAL_MOST];
        reading->part = slice_decimal_u64(i, room);
        good = read_item(reading, field, &item, &set);
    }
    reading->part = (struct slice){0};
    if (good && set.over) {
        return field_complain(reading, field->name, "too_many",
                              "Must have at most %u different %s.", field->most_items,
                              field->type == FIELD_UUIDS ? "ids" : "strings");
    }
    if (!good) {
        return false;
    }
    if (parts.index == 0 && field->flags & FIELD_NOT_EMPTY) {
        return field_complain(reading, field->name, "too_short", "Must not be empty.");
    }
    if (field->type == FIELD_STRINGS) {
        sort_items(&set);
    }
    buffer_init(&text, field_json_most(field));
    json_writer_init(&w, &text);
    jw_open_array(&w);
    for (uint32_t i = 0; i < set.count; i++) {
        jw_text(&w, set.items[i]);
    }
    jw_close_array(&w);
    return keep_text(reading, field, &text);
}

/* ---- maps ---- */

struct pair {
    struct slice name;
    struct slice value; /* ptr NULL: null */
};

static int compare_pairs(const void *a, const void *b)
{
    return compare(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static bool read_pair(struct field_reading *reading, const struct field *field,
                      const struct json_member *part)
{
    const bool patch = reading->mode == FIELD_PATCH;
    if (patch && part->kind == JSON_KIND_NULL) { /* whatever its name: it goes, or is not there */
        return true;
    }
    const size_t length = text_look(part->name).code_points;
    if (length == 0) {
        return field_complain(reading, field->name, "too_short", "Its name must not be empty.");
    }
    if (length > field->most_name) {
        return field_complain(reading, field->name, "too_long",
                              "Its name must have at most %u characters.", field->most_name);
    }
    if (part->kind != JSON_KIND_TEXT) {
        return field_complain(reading, field->name, "type", "Must be a string%s.",
                              patch                          ? " or null"
                              : part->kind == JSON_KIND_NULL ? ", not null"
                                                             : "");
    }
    if (text_look(part->text).code_points > field->most) {
        return field_complain(reading, field->name, "too_long", "Must have at most %u characters.",
                              field->most);
    }
    return true;
}

/* Writes it in the order of the names. */
static bool keep_pairs(struct field_reading *reading, const struct field *field, struct pair *pairs,
                       size_t count)
{
    struct buffer text;
    size_t most = 2;
    if (count > 0) {
        qsort(pairs, count, sizeof *pairs, compare_pairs);
    }
    for (size_t i = 0; i < count; i++) {
        most += (pairs[i].name.len + pairs[i].value.len) * 6 + 10;
    }
    buffer_init(&text, most);
    buffer_add_char(&text, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_add_text(&text, i > 0 ? "," : "");
        add_string(&text, pairs[i].name);
        buffer_add_char(&text, ':');
        if (pairs[i].value.ptr) {
            add_string(&text, pairs[i].value);
        } else {
            buffer_add_text(&text, "null");
        }
    }
    buffer_add_char(&text, '}');
    return keep_text(reading, field, &text);
}

static bool too_many_pairs(struct field_reading *reading, const struct field *field)
{
    return field_complain(reading, field->name, "too_many", "Must have at most %u members.",
                          field->most_items);
}

static bool read_map(struct field_reading *reading, const struct field *field,
                     const struct json_member *member)
{
    const size_t count = json_member_parts(member);
    const unsigned before = reading->errors.count;
    struct json_parts parts = {0};
    struct json_member part;
    struct pair *pairs = arena_alloc(reading->arena, (count + 1) * sizeof *pairs);
    size_t kept = 0;
    size_t set = 0;
    bool good = pairs != NULL;
    while (good && json_member_next(member, &parts, &part)) {
        reading->part = part.name;
        good = read_pair(reading, field, &part);
        pairs[kept++] = (struct pair){part.name, part.text};
        set += part.kind != JSON_KIND_NULL;
    }
    reading->part = (struct slice){0};
    if (good && set > field->most_items) {
        return too_many_pairs(reading, field);
    }
    return good && (reading->errors.count > before || keep_pairs(reading, field, pairs, kept));
}

bool field_json_read(struct field_reading *reading, const struct field *field,
                     const struct json_member *member)
{
    assert(reading->input && field_is_json(field->type));
    return field->type == FIELD_MAP ? read_map(reading, field, member)
                                    : read_array(reading, field, member);
}

void field_json_patch_default(struct field_reading *reading, const struct field *field)
{
    assert(reading->mode == FIELD_PATCH && field->type == FIELD_MAP);
    *slot_of(reading, field) = SLICE("null");
}

bool field_json_is_exact(const struct field *field, struct slice text,
                         const struct json_member *member)
{
    struct json_parts parts = {0};
    struct json_member part;
    struct buffer again;
    assert(field_is_json(field->type) && member);
    text = text.ptr ? text : field_empty_json(field->type);
    buffer_init(&again, text.len);
    buffer_add_char(&again, text.ptr[0]);
    while (json_member_next(member, &parts, &part)) {
        buffer_add_text(&again, parts.index > 1 ? "," : "");
        if (field->type == FIELD_MAP) {
            add_string(&again, part.name);
            buffer_add_char(&again, ':');
        }
        add_string(&again, part.text);
    }
    buffer_add_char(&again, text.ptr[text.len - 1]);
    const bool exact = !again.failed && slice_eq(buffer_slice(&again), text);
    buffer_finish(&again);
    return exact;
}

/* ---- merging ---- */

/* Walks the text of a map or of a patch. */
struct walk {
    struct slice rest;  /* after the pair */
    struct slice name;  /* as it is written, without its quotes */
    struct slice value; /* as it is written */
    bool there;         /* there is a pair */
    bool damaged;
};

/* Cuts a string with its quotes off; ptr NULL: none is there. */
static struct slice cut_string(struct slice *rest)
{
    const struct slice text = *rest;
    size_t i = 1;
    if (text.len < 2 || text.ptr[0] != '"') {
        return (struct slice){0};
    }
    while (i < text.len && text.ptr[i] != '"') {
        i += text.ptr[i] == '\\' ? 2 : 1;
    }
    if (i >= text.len) {
        return (struct slice){0};
    }
    *rest = slice_from(text, i + 1);
    return (struct slice){text.ptr, i + 1};
}

static struct slice cut_value(struct slice *rest)
{
    if (slice_starts(*rest, SLICE("null"))) {
        const struct slice null = {rest->ptr, 4};
        *rest = slice_from(*rest, 4);
        return null;
    }
    return cut_string(rest);
}

/* From one pair to the next; `begin` is what stands before it. */
static void walk_on(struct walk *walk, char begin)
{
    struct slice rest = walk->rest;
    const bool ends = begin == ',' ? slice_eq(rest, SLICE("}")) : slice_eq(rest, SLICE("{}"));
    walk->there = false;
    if (ends || walk->damaged) {
        return;
    }
    walk->damaged = true;
    if (rest.len == 0 || rest.ptr[0] != begin) {
        return;
    }
    rest = slice_from(rest, 1);
    const struct slice name = cut_string(&rest);
    if (!name.ptr || rest.len == 0 || rest.ptr[0] != ':') {
        return;
    }
    rest = slice_from(rest, 1);
    walk->value = cut_value(&rest);
    if (!walk->value.ptr || rest.len == 0) {
        return;
    }
    walk->name = (struct slice){name.ptr + 1, name.len - 2};
    walk->rest = rest;
    walk->there = true;
    walk->damaged = false;
}

/* The next byte of a string as it is written, or -1 after the last. What is escaped as \u00XX is a
 * byte. */
static int next_byte(struct slice *text)
{
    static const char letters[] = "btnfr";
    static const char bytes[] = "\b\t\n\f\r";
    if (text->len == 0) {
        return -1;
    }
    size_t step = 1;
    int byte = (unsigned char)text->ptr[0];
    if (byte == '\\' && text->len > 1) {
        const char *letter = strchr(letters, text->ptr[1]);
        byte = letter ? bytes[letter - letters] : (unsigned char)text->ptr[1];
        step = 2;
        if (text->ptr[1] == 'u' && text->len >= 6) {
            byte = ascii_hex(text->ptr[4]) * 16 + ascii_hex(text->ptr[5]);
            step = 6;
        }
    }
    *text = slice_from(*text, step);
    return byte;
}

static int compare_written(struct slice a, struct slice b)
{
    for (;;) {
        const int x = next_byte(&a);
        const int y = next_byte(&b);
        if (x != y || x < 0) {
            return x - y;
        }
    }
}

/* Writes to `room` what both come to. Returns the end. */
static char *merge(struct walk *old, struct walk *patch, char *room, uint32_t *count)
{
    char *at = room;
    while (old->there || patch->there) {
        int order = old->there ? -1 : 1;
        if (old->there && patch->there) {
            order = compare_written(old->name, patch->name);
        }
        struct walk *from = order < 0 ? old : patch;
        if (!slice_eq(from->value, SLICE("null"))) {
            const char *begin = from->name.ptr - 1;
            const size_t len = (size_t)(from->value.ptr + from->value.len - begin);
            *at++ = *count == 0 ? '{' : ',';
            memcpy(at, begin, len);
            at += len;
            ++*count;
        }
        if (order <= 0) {
            walk_on(old, ',');
        }
        if (order >= 0) {
            walk_on(patch, ',');
        }
    }
    if (*count == 0) {
        *at++ = '{';
    }
    *at++ = '}';
    return at;
}

enum field_merge field_json_merge(const struct field *field, struct slice stored,
                                  struct slice patch, struct arena *arena, struct slice *merged)
{
    struct walk old = {.rest = stored};
    struct walk changes = {.rest = patch};
    uint32_t count = 0;
    assert(field->type == FIELD_MAP && patch.ptr && merged);
    if (slice_eq(patch, SLICE("null"))) {
        *merged = field_empty_json(FIELD_MAP);
        return FIELD_MERGED;
    }
    /* Each pair is in one of them, with what stands before it. */
    char *room = arena_alloc(arena, stored.len + patch.len);
    if (!room) {
        return FIELD_MERGE_NO_MEMORY;
    }
    walk_on(&old, '{');
    walk_on(&changes, '{');
    const char *end = merge(&old, &changes, room, &count);
    assert(!changes.damaged && end <= room + stored.len + patch.len);
    *merged = (struct slice){room, (size_t)(end - room)};
    if (old.damaged) {
        return FIELD_MERGE_DAMAGED;
    }
    return count > field->most_items ? FIELD_MERGE_TOO_MANY : FIELD_MERGED;
}

/* ---- one of a set in place of another ---- */

static struct slice without_quotes(struct slice written)
{
    return (struct slice){written.ptr + 1, written.len - 2};
}

static char *add_element(char *at, const char *begin, struct slice element)
{
    *at = at == begin ? '[' : ',';
    memcpy(at + 1, element.ptr, element.len);
    return at + 1 + element.len;
}

enum field_merge field_json_replace(struct slice stored, struct slice from, struct slice to,
                                    struct arena *arena, struct slice *replaced)
{
    struct slice rest = slice_eq(stored, SLICE("[]")) ? SLICE("]") : stored;
    assert(from.len > 2 && replaced);
    char *room = arena_alloc(arena, stored.len + to.len + 3);
    char *at = room;
    if (!room) {
        return FIELD_MERGE_NO_MEMORY;
    }
    for (char before = '['; !slice_eq(rest, SLICE("]")); before = ',') {
        if (rest.len == 0 || rest.ptr[0] != before) {
            return FIELD_MERGE_DAMAGED;
        }
        rest = slice_from(rest, 1);
        const struct slice element = cut_string(&rest);
        if (!element.ptr) {
            return FIELD_MERGE_DAMAGED;
        }
        const bool same = to.ptr && slice_eq(element, to);
        if (to.ptr && compare_written(without_quotes(to), without_quotes(element)) <= 0) {
            at = add_element(at, room, to);
            to = (struct slice){0};
        }
        if (!same && !slice_eq(element, from)) {
            at = add_element(at, room, element);
        }
    }
    if (to.ptr) {
        at = add_element(at, room, to);
    }
    if (at == room) {
        *at++ = '[';
    }
    *at++ = ']';
    *replaced = (struct slice){room, (size_t)(at - room)};
    return FIELD_MERGED;
}

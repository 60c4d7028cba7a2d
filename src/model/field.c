// SPDX-License-Identifier: MIT
#include "model/field.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/nfc.h"
#include "model/field_errors.h"
#include "model/field_json.h"
#include "model/when.h"

#define EMPTY_LEN 2 /* of [] and {} */

/* ---- texts ---- */

/* Unicode 15, property White_Space, above ASCII; and U+FEFF, which shows nothing either. */
static bool is_wide_space(uint32_t c)
{
    return c == 0xFEFF || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Decodes one code point of well-formed UTF-8 that is not ASCII. */
static uint32_t wide_code_point(const unsigned char *p, size_t len)
{
    if (len == 2) {
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (len == 3) {
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
           (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

static void look_at_ascii(struct text_facts *facts, unsigned char c)
{
    if (c >= 0x21 && c != 0x7F) {
        facts->blank = false;
        return;
    }
    if (c == '\t' || c == '\n' || c == '\r') {
        facts->line_control = true;
        return;
    }
    if (c == ' ') {
        return;
    }
    facts->other_control = true;
    if (c != 0x0B && c != 0x0C) {
        facts->blank = false;
    }
}

/* Where the first control character stands, counted in code points from 1, and which it is; 0:
 * there is none. `lines`: tabs and line breaks do not count. */
static size_t find_control(struct slice text, bool lines, uint32_t *control)
{
    struct slice rest = text;
    for (size_t place = 1; rest.len > 0; place++) {
        const unsigned char *p = (const unsigned char *)rest.ptr;
        const size_t len = utf8_step(rest);
        assert(len > 0);
        const uint32_t c = len == 1 ? p[0] : wide_code_point(p, len);
        const bool line = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !(line && lines)) || (c >= 0x7F && c < 0xA0)) {
            *control = c;
            return place;
        }
        rest = slice_from(rest, len);
    }
    return 0;
}

struct text_facts text_look(struct slice text)
{
    struct text_facts facts = {.blank = true};
    const unsigned char *p = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len; facts.code_points++) {
        if (p[i] < 0x80) {
            look_at_ascii(&facts, p[i++]);
            continue;
        }
        size_t len = utf8_step(slice_from(text, i));
        assert(len > 1);
        uint32_t c = wide_code_point(p + i, len);
        facts.other_control |= c < 0xA0;
        facts.blank &= is_wide_space(c);
        i += len;
    }
    return facts;
}

/* ---- values ---- */

bool field_is_number(enum field_type type)
{
    return type != FIELD_UUID && !field_is_text(type);
}

bool field_is_json(enum field_type type)
{
    return type == FIELD_STRINGS || type == FIELD_UUIDS || type == FIELD_MAP;
}

struct slice field_empty_json(enum field_type type)
{
    assert(field_is_json(type));
    return type == FIELD_MAP ? SLICE("{}") : SLICE("[]");
}

bool field_is_text(enum field_type type)
{
    return type == FIELD_TEXT || field_is_json(type);
}

bool field_has_bytes(const struct field *field)
{
    assert(field);
    return field_is_text(field->type) && (field->flags & FIELD_POSITION) == 0;
}

size_t field_text_most(const struct field *field)
{
    assert(field_is_text(field->type));
    if (field_is_json(field->type)) {
        return field_json_most(field);
    }
    return field->flags & FIELD_BYTES ? field->most : field->most * (size_t)4;
}

bool field_is_choice(enum field_type type)
{
    return type == FIELD_CHOICE || type == FIELD_BOOL;
}

static void *place(void *base, size_t offset)
{
    return (char *)base + offset;
}

static const void *spot(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static bool in_range(const struct field *field, int64_t number)
{
    return (field->least_number == 0 && field->most_number == 0) ||
           (number >= field->least_number && number <= field->most_number);
}

static struct field_value number_value(int64_t number, bool null)
{
    return (struct field_value){.null = null, .number = null ? 0 : number};
}

struct field_value field_get(const struct field *field, const void *item)
{
    static const struct uuid nothing;
    assert(field && item);
    const void *at = spot(item, field->at);
    const struct slice *text = at;
    const struct uuid *id = at;
    const unsigned *choice = at;
    const int64_t *number = at;
    const bool nullable = (field->flags & FIELD_NULLABLE) != 0;
    switch (field->type) {
    case FIELD_TEXT: return (struct field_value){.null = !text->ptr, .bytes = *text};
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP:
        return text->len > EMPTY_LEN ? (struct field_value){.bytes = *text}
                                     : (struct field_value){.null = true};
    case FIELD_CHOICE:
    case FIELD_BOOL: return number_value(*choice, *choice == FIELD_NULL_CHOICE);
    case FIELD_TIME: return number_value(*number, nullable && *number == 0);
    case FIELD_NUMBER:
    case FIELD_WHEN: return number_value(*number, *number == FIELD_NULL_NUMBER);
    case FIELD_UUID: break;
    }
    return (struct field_value){.null = nullable && uuid_eq(*id, nothing),
                                .bytes = {(const char *)id->bytes, sizeof id->bytes}};
}

static bool set_choice(const struct field_value *value, unsigned count, unsigned own_bits,
                       unsigned *choice)
{
    if (!value->null && (value->number < 0 || (value->number & ~(int64_t)own_bits) >= count)) {
        return false;
    }
    *choice = value->null ? FIELD_NULL_CHOICE : (unsigned)value->number;
    return true;
}

bool field_set(const struct field *field, void *item, const struct field_value *value)
{
    struct when when;
    assert(field && item && value);
    void *at = place(item, field->at);
    switch (field->type) {
    case FIELD_TEXT:
        *(struct slice *)at = value->null ? (struct slice){0} : value->bytes;
        return true;
    case FIELD_CHOICE: return set_choice(value, field->choice_count, field->own_bits, at);
    case FIELD_BOOL: return set_choice(value, 2, 0, at);
    case FIELD_UUID:
        if (!value->null && value->bytes.len != sizeof(struct uuid)) {
            return false;
        }
        *(struct uuid *)at = (struct uuid){0};
        if (!value->null) {
            memcpy(at, value->bytes.ptr, sizeof(struct uuid));
        }
        return true;
    case FIELD_TIME: *(int64_t *)at = value->null ? 0 : value->number; return true;
    case FIELD_WHEN:
        if (!value->null && !when_unpack(value->number, &when)) {
            return false;
        }
        *(int64_t *)at = value->null ? FIELD_NULL_NUMBER : value->number;
        return true;
    case FIELD_NUMBER:
        *(int64_t *)at = value->null ? FIELD_NULL_NUMBER : value->number;
        return true;
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP:
        *(struct slice *)at = value->null || value->bytes.len == EMPTY_LEN
                                  ? field_empty_json(field->type)
                                  : value->bytes;
        return true;
    }
    return false;
}

void field_set_default(const struct field *field, void *item)
{
    static const struct uuid nothing;
    assert(field && item);
    struct field_value value = {.null = field_is_null_at_first(field), .number = field->initial};
    if (field->type == FIELD_UUID) {
        value.bytes = (struct slice){(const char *)nothing.bytes, sizeof nothing.bytes};
    } else if (field_is_text(field->type)) {
        value.bytes = SLICE("");
    }
    const bool set = field_set(field, item, &value);
    assert(set);
    (void)set;
}

bool field_is_null_at_first(const struct field *field)
{
    assert(field);
    return (field->flags & FIELD_NULLABLE) != 0 || field_is_json(field->type);
}

bool field_value_eq(const struct field *field, const struct field_value *a,
                    const struct field_value *b)
{
    if (a->null || b->null) {
        return a->null == b->null;
    }
    return field_is_number(field->type) ? a->number == b->number : slice_eq(a->bytes, b->bytes);
}

static bool parse_number(const struct field *field, struct slice text, int64_t *number)
{
    const bool minus = slice_starts(text, SLICE("-"));
    uint64_t value = 0;
    if (!slice_to_u64(minus ? (struct slice){text.ptr + 1, text.len - 1} : text, INT64_MAX,
                      &value)) {
        return false;
    }
    *number = minus ? -(int64_t)value : (int64_t)value;
    return in_range(field, *number);
}

bool field_parse(const struct field *field, struct slice text, struct uuid *id,
                 struct field_value *value)
{
    struct when when;
    assert(field && id && value);
    *value = (struct field_value){0};
    switch (field->type) {
    case FIELD_TEXT: value->bytes = text; return true;
    case FIELD_CHOICE:
        for (unsigned i = 0; i < field->choice_count; i++) {
            if (field->choices[i].len > 0 && slice_eq(field->choices[i], text)) {
                value->number = i;
                return true;
            }
        }
        return false;
    case FIELD_BOOL:
        value->number = slice_eq(text, SLICE("true"));
        return value->number == 1 || slice_eq(text, SLICE("false"));
    case FIELD_UUID:
        value->bytes = (struct slice){(const char *)id->bytes, sizeof id->bytes};
        return uuid_parse_any_case(text, id);
    case FIELD_TIME: return clock_parse_rfc3339(text, &value->number);
    case FIELD_NUMBER: return parse_number(field, text, &value->number);
    case FIELD_WHEN:
        if (!when_read(text, &when)) {
            return false;
        }
        value->number = when_pack(&when);
        return true;
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP: break;
    }
    return false;
}

/* ---- reading ---- */

bool field_check_text(struct field_reading *reading, const struct field *field, struct slice text)
{
    assert(reading && field && text.ptr);
    const struct text_facts facts = text_look(text);
    const unsigned before = reading->errors.count;
    const bool bytes = field->flags & FIELD_BYTES;
    const bool lines = field->flags & FIELD_MULTILINE;
    const size_t length = bytes ? text.len : facts.code_points;
    bool ok = true;
    if (length == 0 && (field->flags & FIELD_NOT_EMPTY)) {
        ok = field_complain(reading, field->name, "too_short", "Must not be empty.");
    } else if (length > field->most) {
        ok = field_complain(reading, field->name, "too_long", "Must have at most %u %s.",
                            field->most, bytes ? "bytes" : "characters");
    }
    if (ok && !(field->flags & FIELD_SECRET) &&
        (facts.other_control || (facts.line_control && !lines))) {
        uint32_t control = 0;
        const size_t place = find_control(text, lines, &control);
        ok = field_complain(reading, field->name, "control_character",
                            "Must not hold control characters%s; character %zu is U+%04X.",
                            lines ? " but tabs and line breaks" : "", place, (unsigned)control);
    }
    if (ok && (field->flags & FIELD_NOT_BLANK) && facts.blank && text.len > 0) {
        ok = field_complain(reading, field->name, "blank", "Must hold more than white space.");
    }
    const bool told = reading->errors.count > before; /* one fault is enough to mend first */
    const char *wrong = ok && field->wrong && !told ? field->wrong(text) : NULL;
    return wrong ? field_complain(reading, field->name, field->wrong_code, "%s", wrong) : ok;
}

/* False: whether there is such a zone is not known. */
static bool check_zone(struct field_reading *reading, const struct field *field, struct slice name)
{
    struct zone *zone = NULL;
    const enum zone_status status = zones_find(reading->zones, name, &zone);
    zone_release(&zone);
    return status == ZONE_UNKNOWN ? field_complain(reading, field->name, "time_zone", "%s",
                                                   zones_wrong(reading->zones))
                                  : status == ZONE_FOUND;
}

static bool read_text(struct field_reading *reading, const struct field *field,
                      const struct json_member *member)
{
    const bool normalise = (field->flags & FIELD_NFC) && member->text.len <= NFC_MOST;
    struct slice copy =
        normalise ? nfc_of(reading->arena, member->text) : arena_copy(reading->arena, member->text);
    if (copy.ptr && field->flags & FIELD_LOWER) {
        copy = slice_lower(copy, (char *)(uintptr_t)copy.ptr);
    }
    *(struct slice *)place(reading->input, field->at) = copy;
    const unsigned before = reading->errors.count;
    if (!copy.ptr || !field_check_text(reading, field, copy)) {
        return false;
    }
    const bool look = reading->zones && (field->flags & FIELD_ZONE);
    return !look || reading->errors.count > before || check_zone(reading, field, copy);
}

/* A string that stands for a value of another type. */
static bool read_parsed(struct field_reading *reading, const struct field *field,
                        const struct json_member *member)
{
    struct uuid id;
    struct field_value value;
    char names[FIELD_NAMES_MOST] = "";
    if (field_parse(field, member->text, &id, &value) && field_set(field, reading->input, &value)) {
        return true;
    }
    switch (field->type) {
    case FIELD_CHOICE:
        field_add_choices(field, names);
        return field_complain(reading, field->name, "not_allowed", "Must be one of: %s.", names);
    case FIELD_UUID: return field_complain(reading, field->name, "uuid", "Must be a UUID.");
    case FIELD_WHEN:
        return field_complain(reading, field->name, "time",
                              "Must be a date such as 2026-12-01, or a time as in RFC 3339 such as "
                              "2026-12-01T09:30:00Z, of the years 1970 to 2999.");
    default:
        return field_complain(reading, field->name, "time",
                              "Must be a time as in RFC 3339, such as 2026-12-01T09:30:00Z.");
    }
}

/* What a body has for a value of each type. */
static const struct {
    enum json_kind kind;
    const char *name;
} forms[] = {
    [FIELD_TEXT] = {JSON_KIND_TEXT, "a string"},
    [FIELD_CHOICE] = {JSON_KIND_TEXT, "a string"},
    [FIELD_BOOL] = {JSON_KIND_BOOL, "true or false"},
    [FIELD_UUID] = {JSON_KIND_TEXT, "a string"},
    [FIELD_TIME] = {JSON_KIND_TEXT, "a string"},
    [FIELD_NUMBER] = {JSON_KIND_NUMBER, "a whole number"},
    [FIELD_WHEN] = {JSON_KIND_TEXT, "a string"},
    [FIELD_STRINGS] = {JSON_KIND_ARRAY, "an array of strings"},
    [FIELD_UUIDS] = {JSON_KIND_ARRAY, "an array of UUIDs"},
    [FIELD_MAP] = {JSON_KIND_OBJECT, "an object"},
};

static bool read_null(struct field_reading *reading, const struct field *field)
{
    const bool patch = reading->mode == FIELD_PATCH;
    if (patch && field->type == FIELD_MAP) {
        field_json_patch_default(reading, field);
        return true;
    }
    if ((field->flags & FIELD_NULLABLE) || (patch && !(field->flags & FIELD_REQUIRED))) {
        field_set_default(field, reading->input);
        return true;
    }
    return patch ? field_complain(reading, field->name, "required",
                                  "Cannot be null: leave it out to keep it as it is.")
                 : field_complain(reading, field->name, "type", "Must be %s, not null.",
                                  forms[field->type].name);
}

static bool read_member(struct field_reading *reading, const struct field *field,
                        const struct json_member *member)
{
    int64_t number = 0;
    reading->set |= field->bit;
    if (member->kind == JSON_KIND_NULL) {
        return read_null(reading, field);
    }
    if (member->kind != forms[field->type].kind ||
        (field->type == FIELD_NUMBER && !json_member_i64(member, &number))) {
        return field_complain(reading, field->name, "type", "Must be %s%s.",
                              forms[field->type].name,
                              field->flags & FIELD_NULLABLE ? " or null" : "");
    }
    switch (field->type) {
    case FIELD_TEXT: return read_text(reading, field, member);
    case FIELD_NUMBER:
        if (!in_range(field, number)) {
            return field_complain(reading, field->name, "out_of_range",
                                  "Must be from %lld to %lld.", (long long)field->least_number,
                                  (long long)field->most_number);
        }
        *(int64_t *)place(reading->input, field->at) = number;
        return true;
    case FIELD_BOOL:
        *(unsigned *)place(reading->input, field->at) = json_member_bool(member);
        return true;
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP: return field_json_read(reading, field, member);
    default: return read_parsed(reading, field, member);
    }
}

const struct field *field_named(const struct field *fields, size_t count, struct slice name)
{
    assert(fields && name.ptr);
    for (size_t i = 0; i < count; i++) {
        if (slice_eq(fields[i].name, name)) {
            return &fields[i];
        }
    }
    return NULL;
}

static bool read_any_member(struct field_reading *reading, const struct json_member *member)
{
    const struct field *field = field_named(reading->fields, reading->count, member->name);
    if (!field) {
        /* What was meant is often among those that there are. */
        char names[FIELD_NAMES_MOST] = "";
        for (size_t i = 0; i < reading->count; i++) {
            if (!(reading->fields[i].flags & FIELD_READ_ONLY)) {
                field_add_name(reading->fields[i].name, names);
            }
        }
        return field_complain(reading, member->name, "unknown",
                              "There is no such member here. There may be: %s.", names);
    }
    if (field->flags & FIELD_READ_ONLY) {
        return field_complain(reading, member->name, "read_only", "%s",
                              field->elsewhere ? field->elsewhere
                                               : "Is set by the server; leave it out.");
    }
    const bool ok = read_member(reading, field, member);
    if (field->flags & FIELD_SECRET) {
        json_reader_wipe(member);
    }
    return ok;
}

bool field_read(struct field_reading *reading, struct json_reader *reader)
{
    struct json_member member;
    assert(reading->fields && reading->input && reading->arena && reader);
    while (json_reader_next(reader, &member)) {
        if (!read_any_member(reading, &member)) {
            return false;
        }
    }
    for (size_t i = 0; reading->mode == FIELD_WHOLE && i < reading->count; i++) {
        const struct field *field = &reading->fields[i];
        if ((field->flags & FIELD_REQUIRED) && !(reading->set & field->bit) &&
            !field_complain(reading, field->name, "required", "Is missing; this call needs it.")) {
            return false;
        }
    }
    return true;
}

/* ---- writing ---- */

static void write_when(int64_t number, struct json_writer *w)
{
    struct when when;
    char room[WHEN_TEXT_MOST];
    const bool good = when_unpack(number, &when);
    assert(good);
    (void)good;
    jw_text(w, when_write(&when, room));
}

static inline bool has_default(const struct field *field, const void *item)
{
    static const struct uuid nothing;
    const void *at = spot(item, field->at);
    const bool nullable = (field->flags & FIELD_NULLABLE) != 0;
    switch (field->type) {
    case FIELD_TEXT: return nullable && !((const struct slice *)at)->ptr;
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP: return ((const struct slice *)at)->len <= EMPTY_LEN;
    case FIELD_CHOICE:
    case FIELD_BOOL:
        return *(const unsigned *)at == (nullable ? FIELD_NULL_CHOICE : (unsigned)field->initial);
    case FIELD_UUID: return nullable && uuid_eq(*(const struct uuid *)at, nothing);
    case FIELD_TIME: return nullable && *(const int64_t *)at == 0;
    case FIELD_NUMBER:
    case FIELD_WHEN: return nullable && *(const int64_t *)at == FIELD_NULL_NUMBER;
    }
    return false;
}

unsigned field_defaults(const struct field *fields, size_t count, const void *item)
{
    unsigned mask = 0;
    assert(fields && item && count <= 32);
    for (size_t i = 0; i < count; i++) {
        mask |= has_default(&fields[i], item) ? 1U << i : 0;
    }
    return mask;
}

void field_write_value(const struct field *field, const void *item, struct json_writer *w)
{
    const struct field_value value = field_get(field, item);
    if (value.null && !field_is_json(field->type)) {
        jw_null(w);
        return;
    }
    switch (field->type) {
    case FIELD_TEXT: jw_text(w, value.bytes); break;
    case FIELD_CHOICE: jw_text(w, field->choices[value.number & ~(int64_t)field->own_bits]); break;
    case FIELD_BOOL: jw_bool(w, value.number != 0); break;
    case FIELD_UUID: jw_uuid(w, *(const struct uuid *)spot(item, field->at)); break;
    case FIELD_TIME: jw_time(w, value.number); break;
    case FIELD_NUMBER: jw_i64(w, value.number); break;
    case FIELD_WHEN: write_when(value.number, w); break;
    case FIELD_STRINGS:
    case FIELD_UUIDS:
    case FIELD_MAP: jw_raw(w, value.null ? field_empty_json(field->type) : value.bytes); break;
    }
}

void field_write(const struct field *fields, size_t count, const void *item, struct json_writer *w)
{
    assert(fields && item && w);
    for (size_t i = 0; i < count; i++) {
        jw_name(w, fields[i].name);
        field_write_value(&fields[i], item, w);
    }
}

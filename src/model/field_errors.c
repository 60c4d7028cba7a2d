// SPDX-License-Identifier: MIT
#include "model/field_errors.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define TOKEN_MOST  128 /* bytes of a name that an error repeats */
#define DETAIL_MOST 320

void field_errors_add(struct field_errors *errors, struct slice pointer, const char *code,
                      const char *detail)
{
    assert(errors && code && detail);
    if (errors->count == FIELD_ERRORS) {
        errors->overflow = true;
        return;
    }
    errors->list[errors->count++] = (struct field_error){pointer, code, detail};
}

size_t field_errors_say(const struct field_errors *errors, char *text, size_t size)
{
    assert(errors && text && size > 1);
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < errors->count && len < size; i++) {
        const struct field_error *error = &errors->list[i];
        const struct slice name = slice_from(error->pointer, error->pointer.len > 0);
        const int added = snprintf(text + len, size - len, "%s%.*s: %s", len > 0 ? " " : "",
                                   (int)name.len, name.ptr, error->detail);
        assert(added >= 0);
        len += (size_t)added;
    }
    if (len >= size) { /* it may have been cut within a character */
        len = utf8_cut((struct slice){text, size - 1}, size - 2).len;
        text[len] = '\0';
    }
    return len;
}

/* One reference token of a pointer, escaped as RFC 6901 section 3 says; a long name is cut. */
static size_t add_token(char *escaped, struct slice name)
{
    const struct slice head = utf8_cut(name, TOKEN_MOST);
    size_t len = 0;
    escaped[len++] = '/';
    for (size_t i = 0; i < head.len; i++) {
        if (head.ptr[i] == '~' || head.ptr[i] == '/') {
            escaped[len++] = '~';
            escaped[len++] = head.ptr[i] == '~' ? '0' : '1';
        } else {
            escaped[len++] = head.ptr[i];
        }
    }
    return len;
}

/* `/name`, or `/name/part`. ptr NULL: no memory. */
static struct slice pointer_to(const struct field_reading *reading, struct slice name)
{
    char escaped[2 * (1 + 2 * TOKEN_MOST)];
    size_t len = add_token(escaped, name);
    if (reading->part.ptr) {
        len += add_token(escaped + len, reading->part);
    }
    return arena_copy(reading->arena, (struct slice){escaped, len});
}

bool field_complain(struct field_reading *reading, struct slice name, const char *code,
                    const char *format, ...)
{
    char text[DETAIL_MOST];
    assert(reading && name.ptr && code && format);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    struct slice pointer = pointer_to(reading, name);
    struct slice detail = arena_copy(reading->arena, slice_of(text));
    if (!pointer.ptr || !detail.ptr) {
        return false;
    }
    field_errors_add(&reading->errors, pointer, code, detail.ptr);
    return true;
}

void field_add_name(struct slice name, char names[static FIELD_NAMES_MOST])
{
    const size_t len = strlen(names);
    assert(name.ptr);
    (void)snprintf(names + len, FIELD_NAMES_MOST - len, "%s%.*s", len > 0 ? ", " : "",
                   (int)name.len, name.ptr);
}

void field_add_choices(const struct field *field, char names[static FIELD_NAMES_MOST])
{
    assert(field->type == FIELD_CHOICE);
    for (unsigned i = 0; i < field->choice_count; i++) {
        if (field->choices[i].len > 0) {
            field_add_name(field->choices[i], names);
        }
    }
}

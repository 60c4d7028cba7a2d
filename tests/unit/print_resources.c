// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "model/resource.h"

/* Prints the descriptors of all resources as JSON, for script/check-resources. */

static const char *type_name(enum field_type type)
{
    static const char *const names[] = {
        [FIELD_TEXT] = "text", [FIELD_CHOICE] = "choice",   [FIELD_BOOL] = "bool",
        [FIELD_UUID] = "uuid", [FIELD_TIME] = "time",       [FIELD_NUMBER] = "number",
        [FIELD_WHEN] = "when", [FIELD_STRINGS] = "strings", [FIELD_UUIDS] = "uuids",
        [FIELD_MAP] = "map",
    };
    return names[type];
}

static void write_field(struct json_writer *w, const struct field *field)
{
    jw_open_object(w);
    jw_name(w, SLICE("name"));
    jw_text(w, field->name);
    jw_name(w, SLICE("type"));
    jw_text(w, slice_of(type_name(field->type)));
    static const struct {
        struct slice name;
        unsigned flag;
    } flags[] = {
        {SLICE("read_only"), FIELD_READ_ONLY}, {SLICE("required"), FIELD_REQUIRED},
        {SLICE("nullable"), FIELD_NULLABLE},   {SLICE("not_empty"), FIELD_NOT_EMPTY},
        {SLICE("sortable"), FIELD_SORTABLE},   {SLICE("filterable"), FIELD_FILTERABLE},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        jw_name(w, flags[i].name);
        jw_bool(w, (field->flags & flags[i].flag) != 0);
    }
    jw_name(w, SLICE("most"));
    jw_i64(w, field->most);
    jw_name(w, SLICE("most_items"));
    jw_i64(w, field->most_items);
    jw_name(w, SLICE("most_name"));
    jw_i64(w, field->most_name);
    jw_name(w, SLICE("least_number"));
    jw_i64(w, field->least_number);
    jw_name(w, SLICE("most_number"));
    jw_i64(w, field->most_number);
    jw_name(w, SLICE("choices"));
    jw_open_array(w);
    for (unsigned i = 0; i < field->choice_count; i++)
        jw_text(w, field->choices[i]);
    jw_close_array(w);
    jw_close_object(w);
}

/* What lists are filtered and ordered by beside the members. */
static void write_lists(struct json_writer *w, const struct resource *resource)
{
    jw_name(w, SLICE("filters"));
    jw_open_array(w);
    for (size_t i = 0; i < resource->filter_count; i++)
        jw_text(w, resource->filters[i].name);
    jw_close_array(w);
    jw_name(w, SLICE("orders"));
    jw_open_array(w);
    for (size_t i = 0; i < resource->order_count; i++)
        jw_text(w, resource->orders[i].name);
    jw_close_array(w);
}

int main(void)
{
    struct buffer out;
    struct json_writer w;
    buffer_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    jw_name(&w, SLICE("resources"));
    jw_open_array(&w);
    for (unsigned i = 0; i < resource_count; i++) {
        jw_open_object(&w);
        jw_name(&w, SLICE("name"));
        jw_text(&w, resources[i]->name);
        jw_name(&w, SLICE("collection"));
        jw_text(&w, resources[i]->collection);
        jw_name(&w, SLICE("fields"));
        jw_open_array(&w);
        for (size_t k = 0; k < resources[i]->count; k++)
            write_field(&w, &resources[i]->fields[k]);
        jw_close_array(&w);
        write_lists(&w, resources[i]);
        jw_close_object(&w);
    }
    jw_close_array(&w);
    jw_close_object(&w);
    buffer_add_char(&out, '\n');
    const bool printed = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len;
    buffer_finish(&out);
    return printed ? 0 : 1;
}

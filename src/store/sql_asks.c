// SPDX-License-Identifier: MIT
#include <assert.h>

#include "store/decision.h"
#include "store/sql.h"

/* ---- what writes ask ---- */

unsigned sql_ask(const struct item_ask *ask)
{
    assert(ask && ask->place < ITEM_PLACE_COUNT);
    switch (ask->question) {
    case ITEM_ASK_ZONE: return SQL_ASK_ZONE;
    case ITEM_ASK_ANCESTORS: return SQL_ASK_ANCESTORS;
    case ITEM_ASK_TREE: return SQL_ASK_TREE;
    case ITEM_ASK_SUBTREE: return SQL_ASK_SUBTREE;
    case ITEM_ASK_COPIES: return SQL_ASK_COPIES;
    case ITEM_ASK_WHICH: return SQL_ASK_WHICH;
    case ITEM_ASK_BLOCKERS: return SQL_ASK_BLOCKERS;
    case ITEM_ASK_TRASH_LABELLED: return SQL_ASK_TRASH_LABELLED;
    case ITEM_ASK_LIST_COUNT: return SQL_ASK_LIST_COUNT;
    case ITEM_ASK_LABELLED: return SQL_ASK_LABELLED;
    case ITEM_ASK_LABEL_COUNT: return SQL_ASK_LABEL_COUNT;
    case ITEM_ASK_LIST_TASKS: return SQL_ASK_LIST_TASKS;
    case ITEM_ASK_TRASHED: return SQL_ASK_TRASHED;
    case ITEM_ASK_TRASHED_JSON: return SQL_ASK_TRASHED_JSON;
    case ITEM_ASK_WAITING: return SQL_ASK_WAITING;
    case ITEM_ASK_PURGED: return SQL_ASK_PURGED;
    case ITEM_ASK_CHANGE: return SQL_ASK_CHANGE;
    case ITEM_ASK_FOLLOWED: return SQL_ASK_FOLLOWED;
    case ITEM_ASK_NEXT: return SQL_ASK_NEXT + ask->place;
    case ITEM_ASK_PREVIOUS: return SQL_ASK_PREVIOUS + ask->place;
    case ITEM_ASK_SIBLINGS: return SQL_ASK_SIBLINGS + ask->place;
    case ITEM_ASK_ITEM:
    case ITEM_QUESTION_COUNT: break;
    }
    assert(false && "a question that has a statement");
    return 0;
}

static bool names_place(const struct item_ask *ask)
{
    return ask->place == ITEM_LIST || ask->place == ITEM_PARENT;
}

unsigned sql_ask_values(const struct item_ask *ask, const struct uuid *space,
                        struct sql_value values[static SQL_ASK_VALUES_MOST])
{
    unsigned count = 0;
    assert(ask && space);
    values[count++] = SQL_UUID(space);
    switch (ask->question) {
    case ITEM_ASK_LABELLED:
    case ITEM_ASK_TRASH_LABELLED: values[count++] = SQL_TEXT(ask->text); break;
    case ITEM_ASK_LABEL_COUNT:
        values[count++] = SQL_TEXT(ask->text);
        values[count++] = SQL_TEXT(ask->other_text);
        break;
    case ITEM_ASK_WHICH:
    case ITEM_ASK_WAITING: values[count++] = SQL_TEXT(ask->text); break;
    case ITEM_ASK_BLOCKERS:
        values[count++] = SQL_TEXT(ask->text);
        values[count++] = SQL_UUID(&ask->id);
        break;
    case ITEM_ASK_NEXT:
    case ITEM_ASK_PREVIOUS:
        values[count++] = SQL_TEXT(ask->text);
        values[count++] = SQL_UUID(&ask->other);
        if (names_place(ask))
            values[count++] = SQL_UUID(&ask->id);
        break;
    case ITEM_ASK_SIBLINGS:
        if (names_place(ask))
            values[count++] = SQL_UUID(&ask->id);
        break;
    case ITEM_ASK_ZONE: break;
    case ITEM_ASK_CHANGE:
        values[count++] = SQL_I64(ask->number);
        values[count++] = SQL_UUID(&ask->id);
        break;
    case ITEM_ASK_FOLLOWED: values[count++] = SQL_I64(ask->number); break;
    default: values[count++] = SQL_UUID(&ask->id); break;
    }
    assert(count == strlen(sql_shared[sql_ask(ask)].types));
    return count;
}

/* ---- a word of forms ---- */

void sql_add_holds(struct buffer *out, struct slice id, enum sql_dialect dialect)
{
    static const uint8_t parts[] = {8, 4, 4, 4, 12}; /* digits between the hyphens */
    const int len = (int)id.len;
    unsigned at = 1;
    assert(out && id.ptr);
    if (dialect == SQL_POSTGRES) {
        buffer_add_format(out, "strpos(body, '\"id\":\"' || %.*s::text) > 0", len, id.ptr);
        return;
    }
    buffer_add_text(out, "instr(body, '\"id\":\"' || ");
    for (unsigned i = 0; i < sizeof parts; at += parts[i], i++)
        buffer_add_format(out, "%slower(substr(hex(%.*s), %u, %u))", i > 0 ? " || '-' || " : "",
                          len, id.ptr, at, parts[i]);
    buffer_add_text(out, ") > 0");
}

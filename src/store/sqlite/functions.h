// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_FUNCTIONS_H
#define TASKHOLD_STORE_SQLITE_FUNCTIONS_H

#include <sqlite3.h>

/* What the texts of lists and writes (store/sql_list.c, sql.c) ask for that SQLite does not have.
 * Ids are blobs of 16 bytes; a set of them is a blob of ids in their order.
 *
 *   day_begin(start, runs)      days_start_key (model/days.h) of a packed value; runs: a blob of
 *   day_end(due, runs)          struct days_run; and days_due_key
 *   uuid_of(text)               the 16 bytes of an id; NULL: it is none
 *   uuid_ms(id)                 the first 48 bits of an id, a text or bytes, as a number
 *   uuid_in(set, id)            whether it is one of them
 *   uuid_set(id)                aggregate: the set of all
 *   uuid_above(id, parent, yes) aggregate over all edges of a forest: the set of those that have a
 *                               descendant of which `yes` is true
 *   uuids_meet(json, set)       whether a FIELD_UUIDS has one of them
 *   place_set(id, position)     aggregate: the positions of all, to be looked up
 *   place_of(set, id)           the position of one of them; NULL: it is none
 *   strings_any(wanted, json)   whether a FIELD_STRINGS has one of those in another, or all
 *   strings_all(wanted, json)
 *   fold_first(folded, title)   what a title is ordered by; see `folded` of model/task.c
 *   task_folded(title, description)      that column of a task without labels, for a migration
 *   is_found(terms, folded, title, description, labels)
 *
 * All are false or NULL of NULL. Returns SQLITE_OK or an error. */
int functions_register(sqlite3 *db) __attribute__((warn_unused_result));

#endif

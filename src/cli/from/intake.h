// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_INTAKE_H
#define TASKHOLD_CLI_FROM_INTAKE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "cli/from/from.h"

/* What every reader hands its records to. It checks them against the contract, orders parents
 * before children, makes keys, and speaks to the sink. After a false nothing more may be handed in:
 * the reader returns, and `result` says why. */

struct intake_tree;

struct intake {
    const struct from_options *options;
    const struct from_sink *sink;
    struct arena *record; /* of the record that is read; intake_forget takes it back */
    struct buffer text;   /* of the record: a description that is put together */
    struct intake_tree *tree;
    size_t notes;
    struct slice file; /* of JSON, with a place in it and its line (cli/from/raw.h) */
    const char *line_at;
    size_t line;
    enum from_result result;
    char *why;
};

bool intake_init(struct intake *in, const struct from_options *options,
                 const struct from_sink *sink, char *why) __attribute__((warn_unused_result));
void intake_finish(struct intake *in);

/* Always false. `line` 0: of the whole file. */
bool intake_refuse(struct intake *in, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool intake_no_memory(struct intake *in);

/* A note; what is longer than 400 bytes is cut. */
bool intake_note(struct intake *in, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Up to `most` bytes of a text for a note, with `...` where it was cut; for `%.*s`. */
#define INTAKE_SHOWN(s) (int)utf8_cut((s), 60).len, utf8_cut((s), 60).ptr

/* `list->key` empty: it is made, and set for the caller in the memory of the intake; a list that
 * was there before is no second one. */
bool intake_list(struct intake *in, struct from_list *list) __attribute__((warn_unused_result));

bool intake_has_list(const struct intake *in, struct slice key);

/* A key empty: it is made, and set likewise. `list` and `parent` may name what has not come yet. */
bool intake_task(struct intake *in, struct from_task *task) __attribute__((warn_unused_result));

/* The key that intake_task would make; ptr NULL: no memory, and the result is set. */
struct slice intake_make_key(struct intake *in, const struct from_task *task)
    __attribute__((warn_unused_result));

/* After the last one: those come that wait for their parents. */
bool intake_end(struct intake *in) __attribute__((warn_unused_result));

/* The record is done with. */
void intake_forget(struct intake *in);

/* In the memory of the record. */
struct slice intake_copy(struct intake *in, struct slice text);
struct slice intake_print(struct intake *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- small steps that several readers share ---- */

/* The name of the file without its ending (`.ics`), for a list's. */
struct slice intake_file_name(const struct intake *in, struct slice ending);

/* Adds a label, or says that there is no room; blank ones are ignored. */
bool intake_label(struct intake *in, struct from_task *task, struct slice label)
    __attribute__((warn_unused_result));

/* Text at the end of the description, after an empty line. One task at a time. */
void intake_append(struct intake *in, struct from_task *task, struct slice text);

#endif

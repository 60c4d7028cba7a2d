// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_H
#define TASKHOLD_CLI_FROM_H

#include "model/task.h"
#include "model/when.h"
#include "model/zone.h"

/* Readers of the files that other services give to those who leave them. They turn a file into
 * lists and tasks as we know them, and say line by line what could not come along. They stand
 * here and not in model/ because no server ever reads such a file: only the command does.
 *
 * Nothing is written, and no clock and no network is asked; only zones come from the disk. A file
 * is one slice: whoever maps it (from_open) needs no memory for it, and all but JSON is read from
 * its begin to its end once. What is held besides is bounded by FROM_TASKS_MOST. */

enum from_format {
    FROM_CSV,       /* ours: a header line that names members of a task */
    FROM_ICS,       /* iCalendar's VTODO, RFC 5545 */
    FROM_TODOIST,   /* the CSV of one project, a template or one file of a backup */
    FROM_GOOGLE,    /* Tasks.json of Takeout */
    FROM_MICROSOFT, /* the JSON of Graph, or the CSV that Outlook writes of its tasks */
    FROM_TICKTICK,  /* the CSV of a backup */
    FROM_VIKUNJA,   /* data.json of an export */
    FROM_FORMAT_COUNT,
};

/* `todoist` and so on; after the last one, ptr NULL. */
struct slice from_format_name(enum from_format format);
bool from_format_of(struct slice name, enum from_format *format)
    __attribute__((warn_unused_result));

#define FROM_BYTES_MOST (256u << 20)
#define FROM_LISTS_MOST 1000   /* as a space holds */
#define FROM_TASKS_MOST 200000 /* of one file */
#define FROM_NOTES_MOST 1000000
#define FROM_WHY        512

/* ---- what comes out ----
 *
 * All slices live until the callback returns. Texts are valid UTF-8 and within the limits of the
 * contract: what does not fit was changed and is in a note.
 *
 * `key` is the same whenever the same thing is read again, and no two lists, and no two tasks, of a
 * file share one. It is made of
 *     the service's own id   google, microsoft (JSON), vikunja, ticktick; ics: the UID; csv: `id`;
 *                            todoist: of a project the number in the name of its file
 *     else `#` and 32 hexadecimal digits: a digest of the list's key, the parent's key, the title
 *                            as it stands in the file, and how many of just these came before.
 * So a renamed task of a file without ids is another one, and a task whose dates, labels or
 * description changed is the same. A list without an id has a digest of its name; one of ticktick
 * that lies in a folder has `folder/name`. Ids are to be derived from the user, the format's name,
 * whether it is a list or a task, and the key. */

struct from_list {
    size_t line;
    struct slice key;
    struct slice name;
    struct slice color; /* `#rrggbb` in lower case; ptr NULL: none */
    bool archived;
};

enum from_priority {
    FROM_PRIORITY_NONE,
    FROM_PRIORITY_LOW,
    FROM_PRIORITY_MEDIUM,
    FROM_PRIORITY_HIGH,
    FROM_PRIORITY_URGENT,
};

#define FROM_LABELS_MOST 32

struct from_task {
    size_t line;
    struct slice key;
    struct slice parent; /* a key; ptr NULL: none */
    struct slice list;   /* a key; ptr NULL: the inbox. A parent's own. */
    struct slice title;
    struct slice description; /* ptr NULL: null */
    enum task_status status;
    enum from_priority priority;
    struct when start;
    struct when due;
    struct slice time_zone;  /* a zone that is known; ptr NULL: the user's */
    struct slice recurrence; /* a rule that recurrence_parse takes, with a due; ptr NULL: none */
    bool recurs_from_completion;
    struct slice labels[FROM_LABELS_MOST];
    size_t label_count;
    int64_t completed_at; /* milliseconds since 1970; 0: not known */
    int64_t order;        /* among siblings, the smallest first; equal ones as they come */
};

/* False from any of them: the reader stops, with FROM_STOPPED. A list comes before its tasks, a
 * parent before its children. A note is one sentence, or its end: `the reminder is left out`. */
struct from_sink {
    void *context;
    bool (*list)(void *context, const struct from_list *list);
    bool (*task)(void *context, const struct from_task *task);
    bool (*note)(void *context, size_t line, struct slice text);
};

/* ---- reading ---- */

struct from_options {
    struct zones *zones;
    struct zone *zone; /* the user's: of times without one, and of what `today` is */
    int64_t now;       /* milliseconds since 1970 */
    struct slice name; /* of the file, without folders: some formats have the list's name there */
};

enum from_result {
    FROM_READ,
    FROM_REFUSED, /* `why` says where and what to do; what came until then did come */
    FROM_STOPPED,
    FROM_NO_MEMORY,
};

enum from_result from_read(enum from_format format, struct slice text,
                           const struct from_options *options, const struct from_sink *sink,
                           char why[static FROM_WHY]) __attribute__((warn_unused_result));

/* Maps a file of at most FROM_BYTES_MOST bytes. FROM_READ: from_close gives it back. A file that
 * others shorten meanwhile ends the process. */
enum from_result from_open(const char *path, struct slice *text, char why[static FROM_WHY])
    __attribute__((warn_unused_result));
void from_close(struct slice *text);

#endif

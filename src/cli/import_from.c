// SPDX-License-Identifier: MIT
#include "cli/import_from.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "api/routes.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/owner.h"
#include "base/uuid.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/import_report.h"
#include "model/task.h"

/* A server that is busy, or whose database is away for a moment, is asked again. */
#define TRIES    10
#define PAUSE_MS 500

/* A request without its items. */
#define ENVELOPE_BYTES 256

#define IMPORT_RUN_MAGIC 0x4bd7206eu

struct import_run {
    unsigned magic;
    const struct import_order *order;
    struct control_desk *desk;
    struct import_plan plan;
    struct zones *zones;
    struct zone *zone; /* the user's */
    const volatile sig_atomic_t *interrupted;
    struct import_report report;
    bool no_memory;
};

/* ---- reading the file ---- */

static bool take_list(void *context, const struct from_list *list)
{
    struct import_run *run = OWNER_CAST(context, struct import_run, IMPORT_RUN_MAGIC);

    run->no_memory = !import_plan_add_list(&run->plan, list);
    return !run->no_memory && !*run->interrupted;
}

static bool take_task(void *context, const struct from_task *task)
{
    struct import_run *run = OWNER_CAST(context, struct import_run, IMPORT_RUN_MAGIC);

    run->no_memory = !import_plan_add_task(&run->plan, task);
    return !run->no_memory && !*run->interrupted;
}

static bool take_note(void *context, size_t line, struct slice text)
{
    struct import_run *run = OWNER_CAST(context, struct import_run, IMPORT_RUN_MAGIC);

    import_report_note(&run->report, line, text);
    return !*run->interrupted;
}

static int complain_memory(void)
{
    return complain(CLI_FAILED, "out of memory");
}

static int complain_interrupted(void)
{
    return complain(CLI_FAILED, "interrupted; what was made stays, and the same command makes the "
                                "rest");
}

/* All of it, before anything is made: a broken file makes nothing. */
static int read_file(struct import_run *run, struct slice text)
{
    const char *slash = strrchr(run->order->file, '/');
    const struct from_options options = {
        .zones = run->zones,
        .zone = run->zone,
        .now = clock_wall_ms(),
        .name = slice_of(slash ? slash + 1 : run->order->file),
    };
    const struct from_sink sink = {run, take_list, take_task, take_note};
    char why[FROM_WHY] = "";

    switch (from_read(run->plan.format, text, &options, &sink, why)) {
    case FROM_READ: break;
    case FROM_REFUSED:
        return complain(CLI_FAILED, "%s: %s; nothing was imported", run->order->file, why);
    case FROM_STOPPED: return run->no_memory ? complain_memory() : complain_interrupted();
    case FROM_NO_MEMORY: return complain_memory();
    }
    return import_plan_sort(&run->plan) ? CLI_OK : complain_memory();
}

/* ---- asking the server ---- */

/* The texts of an answer's members; ptr NULL: there is none. They live until the reader ends. */
static void read_members(struct json_reader *reader, struct slice object, struct slice first,
                         struct slice *first_text, struct slice second, struct slice *second_text)
{
    char why[JSON_READER_WHY];
    struct json_member member;

    *first_text = *second_text = (struct slice){0};
    if (json_reader_init(reader, object, JSON_TOKENS, why) != JSON_READ_OK) {
        return;
    }
    while (json_reader_next(reader, &member)) {
        if (slice_eq(member.name, first)) {
            *first_text = member.text;
        } else if (slice_eq(member.name, second)) {
            *second_text = member.text;
        }
    }
}

static int complain_refused(const struct client_answer *answer)
{
    struct json_reader reader;
    struct slice detail = {0};
    struct slice title = {0};

    read_members(&reader, answer->body, SLICE("detail"), &detail, SLICE("title"), &title);
    if (!detail.ptr) {
        detail = title.ptr ? title : SLICE("the server refused it");
    }
    (void)complain(CLI_FAILED, "%.*s", (int)detail.len, detail.ptr);
    json_reader_finish(&reader);
    return CLI_FAILED;
}

/* Who it is, and in which zone. */
static int find_user(struct import_run *run)
{
    struct client_answer answer = {0};
    struct json_reader reader;
    struct cli_json json;
    struct slice id = {0};
    struct slice zone = {0};
    struct json_writer *w = cli_json_begin(&json);

    jw_open_object(w);
    cli_json_text(w, "email", run->order->user);
    jw_close_object(w);
    int status = json.text.failed
                     ? complain_memory()
                     : control_ask(run->desk, "/users/find", buffer_slice(&json.text), &answer);
    buffer_finish(&json.text);
    if (status == CLI_OK && answer.status != 200) {
        status = complain_refused(&answer);
    } else if (status == CLI_OK) {
        read_members(&reader, answer.body, SLICE("id"), &id, SLICE("time_zone"), &zone);
        if (!uuid_parse(id, &run->plan.user)) {
            status = complain(CLI_FAILED, "the server's answer cannot be read");
        } else if (!zone.ptr || zones_find(run->zones, zone, &run->zone) != ZONE_FOUND) {
            run->zone = zone_utc();
        }
        json_reader_finish(&reader);
    }
    client_answer_finish(&answer);
    return status;
}

/* ---- making what was read ---- */

/* Some entries of one collection, in the order in which they are to be made. */
struct batch {
    struct slice collection;
    struct import_entry *entries[API_CONTROL_IMPORT_MOST];
    unsigned count;
    size_t bytes;
};

/* False: it is to be sent first. */
static bool batch_has_room(const struct batch *batch, const struct import_entry *entry)
{
    return batch->count == 0 ||
           (batch->count < API_CONTROL_IMPORT_MOST &&
            batch->bytes + entry->body_len + UUID_TEXT_LEN + 4 + ENVELOPE_BYTES <
                API_CONTROL_IMPORT_BYTES);
}

static void batch_add(struct batch *batch, struct import_entry *entry)
{
    batch->entries[batch->count++] = entry;
    batch->bytes += entry->body_len + UUID_TEXT_LEN + 4;
}

/* Those of the batch from `first` on. */
static void write_batch(struct buffer *text, const struct import_run *run,
                        const struct batch *batch, unsigned first)
{
    struct json_writer w;

    buffer_init(text, API_CONTROL_IMPORT_BYTES);
    json_writer_init(&w, text);
    jw_open_object(&w);
    jw_name(&w, SLICE("user"));
    jw_uuid(&w, run->plan.user);
    jw_name(&w, SLICE("dry_run"));
    jw_bool(&w, run->order->dry_run);
    jw_name(&w, batch->collection);
    jw_open_object(&w);
    for (unsigned i = first; i < batch->count; i++) {
        const struct import_entry *entry = batch->entries[i];
        char id[UUID_TEXT_LEN];
        uuid_format(entry->id, id);
        jw_name(&w, (struct slice){id, sizeof id});
        jw_raw(&w, (struct slice){entry->body, entry->body_len});
    }
    jw_close_object(&w);
    jw_close_object(&w);
}

/* What became of an entry. False: that cannot be read. */
static bool take_outcome(struct import_run *run, struct import_entry *entry, struct slice line)
{
    struct json_reader reader;
    struct slice outcome = {0};
    struct slice detail = {0};

    read_members(&reader, line, SLICE("outcome"), &outcome, SLICE("detail"), &detail);
    if (slice_eq(outcome, SLICE("made"))) {
        entry->state = IMPORT_MADE;
    } else if (slice_eq(outcome, SLICE("there"))) {
        entry->state = IMPORT_THERE;
    } else if (slice_eq(outcome, SLICE("refused"))) {
        entry->state = IMPORT_REFUSED;
        import_report_refused(&run->report, entry, detail);
    }
    json_reader_finish(&reader);
    return entry->state != IMPORT_WAITING;
}

/* Asks for the entries of the batch from `*first` on, and moves it after those that were answered.
 */
static int ask_for_batch(struct import_run *run, const struct batch *batch, unsigned *first,
                         unsigned *status_code)
{
    struct client_answer answer = {0};
    struct buffer text;
    int status = CLI_OK;

    write_batch(&text, run, batch, *first);
    status = text.failed ? complain_memory()
                         : control_ask(run->desk, "/import", buffer_slice(&text), &answer);
    buffer_finish(&text);
    *status_code = answer.status;
    if (status == CLI_OK && answer.status != 200 && answer.status != 503) {
        status = complain_refused(&answer);
    }
    struct slice rest = answer.status == 200 ? answer.body : (struct slice){0};
    while (status == CLI_OK && rest.len > 0 && *first < batch->count) {
        if (!take_outcome(run, batch->entries[*first], slice_next(&rest, '\n'))) {
            status = complain(CLI_FAILED, "the server's answer cannot be read");
        }
        ++*first;
    }
    client_answer_finish(&answer);
    return status;
}

static int send_batch(struct import_run *run, struct batch *batch)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    unsigned first = 0;
    unsigned tries = 0;
    int status = CLI_OK;

    while (status == CLI_OK && first < batch->count) {
        const unsigned before = first;
        unsigned code = 0;
        status =
            *run->interrupted ? complain_interrupted() : ask_for_batch(run, batch, &first, &code);
        tries = first > before ? 0 : tries + 1;
        if (status == CLI_OK && tries == TRIES) {
            status = complain(CLI_FAILED, "the server is too busy or has lost its database; what "
                                          "was made stays, and the same command makes the rest");
        } else if (status == CLI_OK && tries > 0) {
            nanosleep(&pause, NULL);
        }
    }
    batch->count = 0;
    batch->bytes = 0;
    return status;
}

static int make_lists(struct import_run *run)
{
    struct import_entries *lists = &run->plan.lists;
    struct batch batch = {.collection = SLICE("lists")};
    int status = CLI_OK;

    for (uint32_t i = 0; i < lists->count && status == CLI_OK; i++) {
        if (!batch_has_room(&batch, &lists->all[i])) {
            status = send_batch(run, &batch);
        }
        batch_add(&batch, &lists->all[i]);
    }
    return status == CLI_OK ? send_batch(run, &batch) : status;
}

/* Why a task is not even tried: it would end up in another place. ptr NULL: nothing. */
static struct slice task_obstacle(const struct import_plan *plan, const struct import_entry *task)
{
    if (task->list != IMPORT_NONE && plan->lists.all[task->list].state == IMPORT_REFUSED) {
        return SLICE("its list was refused");
    }
    if (task->parent != IMPORT_NONE && plan->tasks.all[task->parent].state == IMPORT_REFUSED) {
        return SLICE("its parent was refused");
    }
    return (struct slice){0};
}

/* What became of a parent is known before a child's turn. */
static bool parent_waits(const struct import_plan *plan, const struct import_entry *task)
{
    return task->parent != IMPORT_NONE && plan->tasks.all[task->parent].state == IMPORT_WAITING;
}

static int make_tasks(struct import_run *run)
{
    struct import_plan *plan = &run->plan;
    struct batch batch = {.collection = SLICE("tasks")};
    int status = CLI_OK;

    for (uint32_t i = 0; i < plan->tasks.count && status == CLI_OK; i++) {
        struct import_entry *task = &plan->tasks.all[plan->turns[i]];
        if (!batch_has_room(&batch, task) || parent_waits(plan, task)) {
            status = send_batch(run, &batch);
            import_report_progress(&run->report, i, plan->tasks.count);
        }
        const struct slice obstacle = task_obstacle(plan, task);
        if (status == CLI_OK && obstacle.ptr) {
            task->state = IMPORT_REFUSED;
            import_report_refused(&run->report, task, obstacle);
        } else {
            batch_add(&batch, task);
        }
    }
    return status == CLI_OK ? send_batch(run, &batch) : status;
}

/* ---- the command ---- */

static int run_import(struct import_run *run, struct slice text)
{
    int status = control_open(&run->desk, run->order->settings, false);

    if (status != CLI_OK) {
        return status;
    }
    status = find_user(run);
    if (status == CLI_OK) {
        import_report_begin(&run->report);
        const int read = read_file(run, text);
        status = read == CLI_OK ? make_lists(run) : read;
        status = status == CLI_OK ? make_tasks(run) : status;
        import_report_end(&run->report, &run->plan, read == CLI_OK);
        status = status == CLI_OK && run->report.refused > 0 ? CLI_FAILED : status;
    }
    control_close(&run->desk);
    return status;
}

static int find_format(const char *name, enum from_format *format)
{
    struct suggest suggest = {.word = name};

    if (from_format_of(slice_of(name), format)) {
        return CLI_OK;
    }
    for (unsigned i = 0; i < FROM_FORMAT_COUNT; i++) {
        suggest_offer(&suggest, from_format_name((enum from_format)i).ptr);
    }
    return complain_unknown(&suggest, "format", "--from ", "taskhold help import");
}

int import_from(const struct import_order *order)
{
    struct import_run run = {.order = order,
                             .report = {.json = order->json, .dry_run = order->dry_run}};
    struct slice text = {0};
    char why[FROM_WHY] = "";

    assert(order->settings && order->from && order->file);
    OWNER_SET(&run, IMPORT_RUN_MAGIC);
    int status = find_format(order->from, &run.plan.format);
    if (status != CLI_OK) {
        return status;
    }
    if (!order->user || !utf8_valid(slice_of(order->user))) {
        return complain(CLI_USAGE, "name the account with --user EMAIL; see taskhold help import");
    }
    run.zones = cli_zones_create(order->settings);
    run.interrupted = cli_interrupt_watch((int)SA_RESETHAND);
    (void)signal(SIGPIPE, SIG_IGN); /* with `| head` the control socket would stay */
    if (!run.zones) {
        status = complain_memory();
    } else if (from_open(order->file, &text, why) != FROM_READ) {
        status = complain(CLI_FAILED, "%s", why);
    } else {
        status = run_import(&run, text);
        from_close(&text);
    }
    import_plan_finish(&run.plan);
    zone_release(&run.zone);
    zones_destroy(&run.zones);
    OWNER_END(&run);
    return status;
}

// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_STORE_H
#define TASKHOLD_STORE_STORE_H

#include "model/zone.h"
#include "store/account_operations.h"
#include "store/batch_operations.h"
#include "store/change_operations.h"
#include "store/history_operations.h"
#include "store/item_operations.h"
#include "store/script_token_operations.h"
#include "store/trash_operations.h"

/* The engines: where accounts and tasks are kept. Their calls are in account_operations.h,
 * item_operations.h and change_operations.h. */

struct store_options {
    const char *url;
    size_t queue_most; /* writes that may wait; more are ERROR_OVERLOADED. 0: 4,096 */

    /* What one space may hold (decision.h); beyond it a write that grows is ERROR_QUOTA_EXCEEDED.
     * 0: no bound. */
    int64_t user_tasks_most;
    int64_t user_bytes_most;

    int64_t keep_seconds; /* how long changes are kept; 0: 30 days (retention.h) */

    struct zones *zones; /* outlives the store; NULL: UTC is the only one */

    /* What only an engine behind a network needs; 0 takes the default. */
    unsigned pool;       /* connections a session may have, 2 to 64; 4 */
    unsigned timeout_ms; /* how long an operation may take before it is ERROR_UNAVAILABLE; 5,000 */
    bool unprepared;     /* no statement is prepared, for a pooler between us and the server */
    bool impatient;      /* `open` does not wait for a server that may yet come */

    bool new_epoch; /* `open` gives the database another epoch, see store_engine.epoch */

    /* Called by the engine, on any thread, after a commit that ended sessions of `user` (logout,
     * password, deletion, replay, too many sessions) or a token of a script, and before anyone is
     * told. */
    void (*sessions_ended)(void *context, struct uuid user);

    /* Likewise, when a change of what `space` holds was committed, here or by another node: all
     * changes up to `revision` are. Changes of others may be told late, and as one. */
    void (*committed)(void *context, struct uuid space, int64_t revision);

    /* Only of an engine that other nodes write to. Sessions may have ended, or spaces changed, and
     * nobody was told: what is remembered of them is to be asked for again. */
    void (*doubted)(void *context);

    /* The same: which spaces somebody here waits for, at most `most` of them; goes on at `*place`,
     * which begins as 0. Returns how many; 0: these were all. */
    size_t (*awaited)(void *context, size_t *place, struct uuid *spaces, size_t most);

    void *context; /* of these four, which may all be NULL */
};

struct store_health {
    bool reachable;
    bool migrated;
    bool writable;
    bool moved;   /* the database file is not where it was: see writer.h */
    bool damaged; /* the database file is not whole: see writer.h */
    bool on_time; /* this machine's clock and the database's agree */

    /* Of an engine behind a network: the connections that the sessions have and still wait for.
     * `full`: there are no more to be had, and the loops share these. */
    unsigned connections;
    unsigned connections_awaited;
    bool connections_full;
};

struct store_engine {
    const char *name;

    /* Whether other processes may write the same database, so that what is remembered of it grows
     * old: see token_cache.h. Where none do, the writes of a session are made in the order of the
     * calls. */
    bool shared;

    /* Opens or makes the database, migrates it to head, starts what the engine runs. NULL: `why`
     * (of `why_size` bytes) holds one line to show. */
    struct store *(*open)(const struct store_options *options, char *why, size_t why_size);

    /* Finishes queued writes, checkpoints, closes. Every session must be closed before. */
    void (*close)(struct store **store);

    /* A random number of the database that never changes while it is open: other in every database
     * but one that was moved, and after a restore or an import other than before. */
    struct uuid (*epoch)(const struct store *store);

    /* The file that the database is, absolute; NULL when it is a server. Lives as long as the
     * store. */
    const char *(*file)(const struct store *store);

    /* The same before the database is opened, as `url` writes it: a part of `url`, perhaps not yet
     * there. NULL: there is no file, or no sense in the URL. */
    const char *(*url_file)(const char *url);

    /* Whether a DATABASE_URL of this engine's can be right at all; asks no disk and no server.
     * False: `why` holds one line without a password. */
    bool (*url_judge)(const char *url, char *why, size_t why_size);

    /* For one event loop, on its thread; answers of later calls come through `inbox`. NULL without
     * memory or when the database cannot be read. */
    struct store_session *(*session_open)(struct store *store, struct inbox *inbox);

    /* Waits for writes that are on their way. They are made, and their answers stay in the inbox,
     * which must not be run again: whoever needs them runs it before. */
    void (*session_close)(struct store_session **session);

    /* Once after each turn of the loop: ends read snapshots, flushes what was sent. */
    void (*turn_end)(struct store_session *session);

    /* For the loop's epoll: while the descriptor, which stays the session's, is readable, `ready`
     * must be called on the loop's thread. NULL: the engine has none. */
    int (*descriptor)(const struct store_session *session);
    void (*ready)(struct store_session *session);

    /* Cheap and from any thread: what the engine knows without asking. */
    void (*health)(const struct store *store, struct store_health *health);

    /* When the file was last backed up, in seconds of Unix time; 0: not known. From any thread, and
     * it may wait for the disk. NULL: the database is a server. */
    int64_t (*last_backup)(const struct store *store);

    void (*user_by_email)(struct store_user_by_email *op);
    void (*user_get)(struct store_user_get *op);
    void (*user_list)(struct store_user_list *op);
    void (*session_check)(struct store_session_check *op);
    void (*session_list)(struct store_session_list *op);
    void (*script_token_check)(struct store_script_token_check *op);
    void (*script_token_list)(struct store_script_token_list *op);
    void (*item_get)(struct store_item_get *op);
    void (*item_list)(struct store_item_list *op);
    void (*label_list)(struct store_label_list *op);
    void (*summary)(struct store_summary *op);
    void (*history)(struct store_history *op);
    void (*trash_list)(struct store_trash_list *op);
    void (*changes)(struct store_changes *op);

    void (*item_write)(struct store_item_write *op);
    void (*batch_write)(struct store_batch *op);
    void (*user_create)(struct store_user_create *op);
    void (*invitation_create)(struct store_invitation_create *op);
    void (*user_set_profile)(struct store_user_set_profile *op);
    void (*user_set_password)(struct store_user_set_password *op);
    void (*user_set_email)(struct store_user_set_email *op);
    void (*user_delete)(struct store_user_delete *op);
    void (*user_govern)(struct store_user_govern *op);
    void (*session_create)(struct store_session_create *op);
    void (*session_refresh)(struct store_session_refresh *op);
    void (*session_end)(struct store_session_end *op);
    void (*script_token_create)(struct store_script_token_create *op);
    void (*script_token_end)(struct store_script_token_end *op);
    void (*script_token_use)(struct store_script_token_use *op);
};

/* The engine for a DATABASE_URL: `sqlite:PATH`, `postgres://…` or `postgresql://…`. NULL: unknown
 * scheme. */
const struct store_engine *store_engine_for(const char *url);

/* url_judge of the engine; an unknown scheme is wrong. */
bool store_url_judge(const char *url, char *why, size_t why_size);

#endif

#include "store/sqlite/write_session.h"

#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/write_user.h"

#define ADDRESSES_MOST  32 /* remembered of one user */
#define SUPERSEDED_MOST 16 /* times kept of one session */
#define TIME_SIZE       8

static int delete_session(struct transaction *t, const struct uuid *id, const struct uuid *user)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_DELETE);
    query_bind_uuid(&q, id);
    query_bind_uuid(&q, user);
    return query_run(&q);
}

/* ---- login ---- */

static int insert_session(struct transaction *t, const struct session *session)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_INSERT);
    query_bind_uuid(&q, &session->id);
    query_bind_uuid(&q, &session->user);
    query_bind_i64(&q, session->counter);
    query_bind_i64(&q, session->created_at);
    query_bind_i64(&q, session->last_used_at);
    query_bind_i64(&q, session->expires_at);
    query_bind_text(&q, session->user_agent);
    query_bind_text(&q, session->ip);
    return query_run(&q);
}

/* Keeps the newest `most` rows of the user. */
static int prune(struct transaction *t, enum sql sql, const struct uuid *user, int64_t most)
{
    struct query q = query_begin(&t->statements, sql);
    query_bind_uuid(&q, user);
    query_bind_i64(&q, most);
    return query_run(&q);
}

static int remember_address(struct transaction *t, const struct session *session)
{
    struct query q = query_begin(&t->statements, SQL_ADDRESS_PUT);
    query_bind_uuid(&q, &session->user);
    query_bind_text(&q, session->ip);
    query_bind_i64(&q, session->created_at);
    int rc = query_run(&q);
    return rc == SQLITE_OK ? prune(t, SQL_ADDRESS_PRUNE, &session->user, ADDRESSES_MOST) : rc;
}

static int run_create(struct transaction *t, struct store_op *base)
{
    struct store_session_create *op = (struct store_session_create *)base;
    enum write_user_credential credential = WRITE_USER_ABSENT;
    int rc = write_user_check(t, &op->session.user, op->verified_hash, &credential);
    if (rc != SQLITE_OK)
        return rc;
    if (credential != WRITE_USER_GOOD) {
        op->op.result = ERROR_INVALID_CREDENTIALS;
        return SQLITE_OK;
    }
    if (op->rehash.ptr)
        rc = write_user_put_hash(t, &op->session.user, op->rehash, 0);
    if (rc == SQLITE_OK)
        rc = insert_session(t, &op->session);
    if (rc == SQLITE_OK)
        rc = prune(t, SQL_SESSION_PRUNE, &op->session.user, USER_SESSIONS_MOST);
    if (rc == SQLITE_OK && sqlite3_changes(t->statements.db) > 0)
        transaction_end_sessions(t, &op->session.user);
    return rc == SQLITE_OK && op->session.ip.ptr ? remember_address(t, &op->session) : rc;
}

/* ---- rotation ---- */

/* A session as it stands, with the times at which its last tokens were superseded. */
struct standing {
    struct session session;
    bool disabled;
    uint8_t superseded[SUPERSEDED_MOST * TIME_SIZE];
    size_t superseded_size;
};

static int read_session(struct transaction *t, const struct uuid *id, struct standing *standing,
                        bool *found)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_GET);
    query_bind_uuid(&q, id);
    *found = query_row(&q);
    if (*found) {
        standing->session = (struct session){.id = *id, .user = query_take_uuid(&q)};
        standing->session.counter = query_take_i64(&q);
        standing->session.created_at = query_take_i64(&q);
        standing->session.last_used_at = query_take_i64(&q);
        standing->session.expires_at = query_take_i64(&q);
        struct slice times = query_take_blob(&q);
        if (times.len <= sizeof standing->superseded) {
            standing->superseded_size = times.len;
            if (times.len > 0)
                memcpy(standing->superseded, times.ptr, times.len);
        }
        standing->disabled = query_take_i64(&q) != 0;
    }
    return query_end(&q);
}

static int64_t get_time(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < TIME_SIZE; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static void put_time(uint8_t *bytes, int64_t time)
{
    uint64_t value = (uint64_t)time;
    for (unsigned i = TIME_SIZE; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
}

/* Was the token with `counter` superseded less than `grace_ms` ago? */
static bool is_in_grace(const struct standing *standing, const struct store_session_refresh *op)
{
    if (op->counter < 1)
        return false;
    int64_t age = standing->session.counter - op->counter; /* 1: the one before the current */
    if (age < 1 || age > (int64_t)(standing->superseded_size / TIME_SIZE))
        return false;
    int64_t time = get_time(&standing->superseded[(size_t)(age - 1) * TIME_SIZE]);
    return op->now - time < op->grace_ms;
}

static int rotate(struct transaction *t, struct store_session_refresh *op,
                  struct standing *standing)
{
    size_t kept = standing->superseded_size;
    if (kept > sizeof standing->superseded - TIME_SIZE)
        kept = sizeof standing->superseded - TIME_SIZE;
    memmove(standing->superseded + TIME_SIZE, standing->superseded, kept);
    put_time(standing->superseded, op->now);

    struct session *session = &standing->session;
    int64_t last = session->created_at + op->lifetime_ms;
    session->counter++;
    session->last_used_at = op->now;
    session->expires_at = op->now + op->ttl_ms < last ? op->now + op->ttl_ms : last;

    struct query q = query_begin(&t->statements, SQL_SESSION_ROTATE);
    query_bind_uuid(&q, &session->id);
    query_bind_i64(&q, op->counter);
    query_bind_i64(&q, session->counter);
    query_bind_i64(&q, session->last_used_at);
    query_bind_i64(&q, session->expires_at);
    query_bind_blob(&q, standing->superseded, kept + TIME_SIZE);
    return query_run(&q);
}

static int run_refresh(struct transaction *t, struct store_op *base)
{
    struct store_session_refresh *op = (struct store_session_refresh *)base;
    struct standing standing = {0};
    bool found = false;
    op->reuse = false;
    int rc = read_session(t, &op->id, &standing, &found);
    if (rc != SQLITE_OK)
        return rc;
    if (!found || standing.disabled || standing.session.expires_at <= op->now) {
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        return SQLITE_OK;
    }
    if (op->counter == standing.session.counter) {
        rc = rotate(t, op, &standing);
    } else if (!is_in_grace(&standing, op)) {
        op->reuse = true;
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        transaction_end_sessions(t, &standing.session.user);
        rc = delete_session(t, &op->id, &standing.session.user);
    }
    op->session = standing.session;
    return rc;
}

/* ---- logout ---- */

static int run_end(struct transaction *t, struct store_op *base)
{
    struct store_session_end *op = (struct store_session_end *)base;
    int rc = delete_session(t, &op->id, &op->user);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_changes(t->statements.db) > 0)
        transaction_end_sessions(t, &op->user);
    else
        op->op.result = ERROR_NOT_FOUND;
    return SQLITE_OK;
}

void write_session_create(struct store_session_create *op)
{
    static const struct writer_work work = {run_create};
    session_write(&op->op, &work);
}

void write_session_refresh(struct store_session_refresh *op)
{
    static const struct writer_work work = {run_refresh};
    session_write(&op->op, &work);
}

void write_session_end(struct store_session_end *op)
{
    static const struct writer_work work = {run_end};
    session_write(&op->op, &work);
}

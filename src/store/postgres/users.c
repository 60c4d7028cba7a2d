// SPDX-License-Identifier: MIT
#include "store/postgres/users.h"

#include "base/clock.h"
#include "store/decision.h"
#include "store/postgres/operations.h"
#include "store/retention.h"

/* ---- one user ---- */

#define USER_MAGIC 0xa80e4d35u

static void take_user(struct job *job, const PGresult *result)
{
    struct locked_user *locked = (struct locked_user *)job;
    locked->found = PQntuples(result) > 0;
    if (!locked->found)
        return;
    struct row r = row_of(result, 0, job->op->arena);
    locked->user = row_user(&r);
    if (r.error != ERROR_NONE)
        job_fail(job, r.error);
}

void locked_user_ask(struct locked_user *locked, const struct uuid *id)
{
    assert(locked->job.work->size >= sizeof *locked);
    job_send(&locked->job, SQL_USER_LOCK, take_user, SQL_UUID(id));
}

struct slice locked_user_expected(const struct locked_user *locked, struct slice verified,
                                  struct slice next)
{
    return locked->job.uncertain && slice_eq(locked->user.password_hash, next) ? next : verified;
}

void locked_user_put_hash(struct locked_user *locked, struct slice hash, int64_t now)
{
    assert(locked->found && hash.ptr);
    job_send(&locked->job, SQL_USER_SET_HASH, NULL, SQL_UUID(&locked->user.id), SQL_TEXT(hash),
             SQL_TIME(now));
}

struct user_job {
    struct locked_user locked; /* a read asks for the user without a lock */
    bool has_owner;            /* of the e-mail that was asked for */
    struct uuid owner;
    bool known;   /* the address of the one who reads */
    bool invited; /* the invitation is good, or was put there */
};

static struct user_job *user_job_of(struct job *job)
{
    return job_owner(job, USER_MAGIC);
}

/* ---- statements ---- */

static void take_owner(struct job *job, const PGresult *result)
{
    struct user_job *u = user_job_of(job);
    u->has_owner = row_first_uuid(result, &u->owner);
}

static void take_known(struct job *job, const PGresult *result)
{
    user_job_of(job)->known = PQntuples(result) > 0;
}

static void take_invitation(struct job *job, const PGresult *result)
{
    user_job_of(job)->invited = PQntuples(result) > 0;
}

static void end_other_sessions(struct job *job, const struct uuid *id, const struct uuid *keep)
{
    job_send(job, SQL_SESSION_DELETE_OTHERS, NULL, SQL_UUID(id), SQL_UUID(keep));
    job_end_sessions(job, id);
}

/* Where the sessions end too, which tells all nodes of both. */
static void end_script_tokens(struct job *job, const struct uuid *id)
{
    job_send(job, SQL_SCRIPT_TOKEN_DELETE_ALL, NULL, SQL_UUID(id));
}

/* Nobody sees the account any more; the keeper removes what the space holds. */
static void erase(struct job *job, const struct user *user)
{
    static const struct uuid none;
    const struct sql_value id = SQL_UUID(&user->id);
    job_send(job, SQL_SPACE_DELETE, NULL, id);
    job_send(job, SQL_EMAIL_DELETE, NULL, id, SQL_TEXT(user->email));
    job_send(job, SQL_ADDRESS_DELETE_ALL, NULL, id);
    job_send(job, SQL_USER_MARK_DELETED, NULL, id, SQL_I64(clock_wall_ms()));
    end_other_sessions(job, &user->id, &none);
    end_script_tokens(job, &user->id);
    job_send(job, SQL_ACTOR_DELETE_ALL, NULL, id);
}

/* Sets the result when the change that was asked for must not go on. */
static bool may_change(struct locked_user *locked, struct slice verified)
{
    struct store_op *op = locked->job.op;
    op->result = user_decide_change(locked->found ? &locked->user : NULL, verified);
    return op->result == ERROR_NONE;
}

/* An account that an earlier run of the job erased. */
static bool is_erased(const struct locked_user *locked)
{
    return locked->job.uncertain && !locked->found;
}

/* ---- reads ---- */

static void ask_user(struct job *job, const struct uuid *id, struct slice client)
{
    job_send(job, SQL_USER_GET, take_user, SQL_UUID(id));
    if (client.ptr)
        job_send(job, SQL_ADDRESS_KNOWN, take_known, SQL_UUID(id), SQL_TEXT(client));
}

/* whose? -> user -> answer */
static bool step_user_by_email(struct job *job, unsigned round)
{
    struct user_job *u = user_job_of(job);
    struct store_user_by_email *op = job_op(job, step_user_by_email);
    const struct user *user = &u->locked.user;
    if (round == 0)
        job_send(job, SQL_EMAIL_OWNER, take_owner, SQL_TEXT(op->email));
    else if (round == 1 && u->has_owner)
        ask_user(job, &u->owner, op->client);
    if (round == 0 || (round == 1 && u->has_owner))
        return true;
    /* Between the two the user may have taken another address. */
    const bool found = u->locked.found && slice_eq_nocase(user->email, op->email);
    op->op.result = found ? ERROR_NONE : ERROR_NOT_FOUND;
    op->known_address = u->known;
    op->user = *user;
    return false;
}

static bool step_user_get(struct job *job, unsigned round)
{
    struct user_job *u = user_job_of(job);
    struct store_user_get *op = job_op(job, step_user_get);
    if (round == 0) {
        ask_user(job, &op->id, op->client);
        return true;
    }
    op->op.result = u->locked.found ? ERROR_NONE : ERROR_NOT_FOUND;
    op->known_address = u->known;
    op->user = u->locked.user;
    return false;
}

static void take_users(struct job *job, const PGresult *result)
{
    struct store_user_list *op = (struct store_user_list *)job->op;
    const int count = PQntuples(result);
    op->more = count > (int)op->limit;
    for (int i = 0; i < count && i < (int)op->limit; i++) {
        struct row r = row_of(result, i, NULL);
        const struct user user = row_user(&r);
        op->each(op, &user);
    }
}

static bool step_user_list(struct job *job, unsigned round)
{
    struct store_user_list *op = job_op(job, step_user_list);
    (void)round;
    job_send(job, SQL_USER_LIST, take_users, SQL_UUID(&op->after), SQL_I64((int64_t)op->limit + 1));
    return false;
}

/* ---- steps: round 0 reads, round 1 decides and writes ---- */

static bool step_create(struct job *job, unsigned round)
{
    struct user_job *u = user_job_of(job);
    const struct store_user_create *op = job_op(job, step_create);
    const struct user *user = &op->user;
    if (round == 0) {
        job_send(job, SQL_EMAIL_OWNER, take_owner, SQL_TEXT(user->email));
        if (op->invitation)
            job_send(job, SQL_INVITATION_LOCK, take_invitation,
                     SQL_BLOB(op->invitation, STORE_INVITATION_LEN), SQL_I64(user->created_at),
                     SQL_TEXT(user->email));
        return true;
    }
    /* That it is there already, an earlier run of the job did. */
    if (u->has_owner && uuid_eq(u->owner, user->id))
        return false;
    /* The invitation first: whoever has none must not learn who has an account. */
    job->op->result = op->invitation && !u->invited ? ERROR_INVALID_INVITATION
                      : u->has_owner                ? ERROR_EMAIL_TAKEN
                                                    : ERROR_NONE;
    if (job->op->result != ERROR_NONE)
        return false;
    if (op->invitation)
        job_send(job, SQL_INVITATION_DELETE, NULL, SQL_BLOB(op->invitation, STORE_INVITATION_LEN));
    job_send(job, SQL_EMAIL_INSERT, NULL, SQL_UUID(&user->id), SQL_TEXT(user->email));
    job_send(job, SQL_USER_INSERT, NULL, SQL_UUID(&user->id), SQL_TEXT(user->email),
             SQL_TEXT(user->name), SQL_TEXT(user->password_hash), SQL_I64(user->created_at),
             SQL_I64(user->updated_at), SQL_TIME(user->disabled_at));
    job_send(job, SQL_SPACE_INSERT, NULL, SQL_UUID(&user->id), SQL_UUID(&user->id));
    return false;
}

static bool step_invite(struct job *job, unsigned round)
{
    struct store_invitation_create *op = job_op(job, step_invite);
    if (round == 0) {
        job_send(job, SQL_INVITATION_PUT, take_invitation, SQL_BLOB(op->hash, sizeof op->hash),
                 SQL_TEXT(op->email), SQL_I64(op->now), SQL_I64(op->expires_at),
                 SQL_I64(RETENTION_INVITATIONS));
        return true;
    }
    if (!user_job_of(job)->invited)
        op->op.result = ERROR_QUOTA_EXCEEDED;
    return false;
}

static bool has_profile(const struct user *user, const struct store_user_set_profile *op)
{
    return (!op->sets_name || slice_eq(user->name, op->name)) &&
           (!op->sets_time_zone || slice_eq(user->time_zone, user_time_zone(op->time_zone)));
}

static bool step_set_profile(struct job *job, unsigned round)
{
    struct locked_user *locked = &user_job_of(job)->locked;
    struct store_user_set_profile *op = job_op(job, step_set_profile);
    const struct user *user = &locked->user;
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (!locked->found)
        op->op.result = ERROR_NOT_FOUND;
    else if (job->uncertain && user->updated_at >= op->now && has_profile(user, op))
        op->user = *user; /* by an earlier run; the version that it was asked of is gone */
    else if (user_decide_profile(op, user))
        job_send(job, SQL_USER_SET_PROFILE, NULL, SQL_UUID(&op->id), SQL_TEXT(op->user.name),
                 SQL_ZONE(op->user.time_zone), SQL_I64(op->user.updated_at));
    return false;
}

static bool step_set_password(struct job *job, unsigned round)
{
    struct locked_user *locked = &user_job_of(job)->locked;
    struct store_user_set_password *op = job_op(job, step_set_password);
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (!may_change(locked, locked_user_expected(locked, op->verified_hash, op->hash)))
        return false;
    locked_user_put_hash(locked, op->hash, op->now);
    end_other_sessions(job, &op->id, &op->keep);
    end_script_tokens(job, &op->id);
    return false;
}

static bool step_set_email(struct job *job, unsigned round)
{
    struct user_job *u = user_job_of(job);
    struct store_user_set_email *op = job_op(job, step_set_email);
    if (round == 0) {
        locked_user_ask(&u->locked, &op->id);
        job_send(job, SQL_EMAIL_OWNER, take_owner, SQL_TEXT(op->email));
        return true;
    }
    if (!may_change(&u->locked, op->verified_hash))
        return false;
    if (u->has_owner && !uuid_eq(u->owner, op->id)) {
        op->op.result = ERROR_EMAIL_TAKEN;
        return false;
    }
    /* The same address in other letters keeps its row. */
    if (!u->has_owner) {
        job_send(job, SQL_EMAIL_INSERT, NULL, SQL_UUID(&op->id), SQL_TEXT(op->email));
        job_send(job, SQL_EMAIL_DELETE, NULL, SQL_UUID(&op->id), SQL_TEXT(u->locked.user.email));
    }
    op->user = u->locked.user;
    op->user.email = op->email;
    user_touch(&op->user, op->now);
    job_send(job, SQL_USER_SET_EMAIL, NULL, SQL_UUID(&op->id), SQL_TEXT(op->email),
             SQL_I64(op->now));
    return false;
}

static bool step_delete(struct job *job, unsigned round)
{
    struct locked_user *locked = &user_job_of(job)->locked;
    struct store_user_delete *op = job_op(job, step_delete);
    if (round == 0) {
        locked_user_ask(locked, &op->id);
        return true;
    }
    if (is_erased(locked))
        job_end_sessions(job, &op->id);
    else if (may_change(locked, op->verified_hash))
        erase(job, &locked->user);
    return false;
}

/* ---- what needs no password ---- */

static bool step_govern(struct job *job, unsigned round)
{
    static const struct uuid none;
    struct locked_user *locked = &user_job_of(job)->locked;
    struct store_user_govern *op = job_op(job, step_govern);
    if (round == 0) {
        if (!job->uncertain)
            op->user = (struct user){0};
        locked_user_ask(locked, &op->id);
        return true;
    }
    /* op->user is what an earlier run found, if it found any. */
    if (is_erased(locked) && op->verb == STORE_USER_ERASE && uuid_eq(op->user.id, op->id)) {
        job_end_sessions(job, &op->id);
        return false;
    }
    if (!locked->found) {
        op->op.result = ERROR_NOT_FOUND;
        return false;
    }
    op->user = locked->user;
    const bool sessions_end = user_decide_govern(op);
    switch (op->verb) {
    case STORE_USER_DISABLE:
    case STORE_USER_ENABLE:
        job_send(job, SQL_USER_SET_DISABLED, NULL, SQL_UUID(&op->user.id),
                 SQL_TIME(op->user.disabled_at));
        break;
    case STORE_USER_SET_PASSWORD:
        locked_user_put_hash(locked, op->hash, op->now);
        end_script_tokens(job, &op->id);
        break;
    case STORE_USER_ERASE: erase(job, &op->user); return false;
    }
    if (sessions_end)
        end_other_sessions(job, &op->id, &none);
    return false;
}

/* ---- the calls ---- */

JOB_CALL(user_by_email, LANE_READ, user_job, USER_MAGIC, step_user_by_email)
JOB_CALL(user_get, LANE_READ, user_job, USER_MAGIC, step_user_get)
JOB_CALL(user_list, LANE_READ, job, 0, step_user_list)
JOB_CALL(user_create, LANE_ALONE, user_job, USER_MAGIC, step_create)
JOB_CALL(invitation_create, LANE_ALONE, user_job, USER_MAGIC, step_invite)
JOB_CALL(user_set_profile, LANE_ALONE, user_job, USER_MAGIC, step_set_profile)
JOB_CALL(user_set_password, LANE_ALONE, user_job, USER_MAGIC, step_set_password)
JOB_CALL(user_set_email, LANE_ALONE, user_job, USER_MAGIC, step_set_email)
JOB_CALL(user_delete, LANE_ALONE, user_job, USER_MAGIC, step_delete)
JOB_CALL(user_govern, LANE_ALONE, user_job, USER_MAGIC, step_govern)

-- SPDX-License-Identifier: MIT
-- Tokens for scripts. `hash` is SHA-256 of the token, which is random enough to need no salt; `scopes` are
-- the bits of src/model/scope.h. `last_used_at` and `ip` are NULL until it is used.
CREATE TABLE script_tokens (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (user_id),
    scopes       INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    name         TEXT    NOT NULL,
    ip           TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX script_tokens_by_user ON script_tokens (user_id, created_at, id);
CREATE INDEX script_tokens_by_expiry ON script_tokens (expires_at) WHERE expires_at IS NOT NULL;

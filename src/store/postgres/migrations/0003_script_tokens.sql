-- SPDX-License-Identifier: MIT
-- Tokens for scripts. `hash` is SHA-256 of the token, which is random enough to need no salt; `scopes` are
-- the bits of src/model/scope.h. `last_used_at` and `ip` are NULL until it is used.
CREATE TABLE script_tokens (
    user_id      uuid   NOT NULL REFERENCES users (user_id),
    id           uuid   NOT NULL,
    created_at   bigint NOT NULL,
    last_used_at bigint,
    expires_at   bigint,
    scopes       bigint NOT NULL,
    hash         bytea  NOT NULL CHECK (octet_length(hash) = 32),
    name         text   COLLATE "C" NOT NULL,
    ip           text   COLLATE "C",
    PRIMARY KEY (user_id, id)
);
-- A token does not name its user. No two are alike (232 random bits); a constraint that says so would
-- not begin with the user.
CREATE INDEX script_tokens_by_hash ON script_tokens (hash);
CREATE INDEX script_tokens_by_expiry ON script_tokens (expires_at) WHERE expires_at IS NOT NULL;

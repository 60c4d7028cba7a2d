-- SPDX-License-Identifier: MIT
CREATE TABLE samples (
    space_id   uuid     NOT NULL,
    id         uuid     NOT NULL,
    created_at bigint   NOT NULL,
    updated_at bigint   NOT NULL,
    revision   bigint   NOT NULL,
    name       text     COLLATE "C" NOT NULL,
    note       text     COLLATE "C",
    size       smallint NOT NULL,
    mood       smallint,
    open       smallint NOT NULL,
    checked    smallint,
    owner      uuid     NOT NULL,
    parent     uuid,
    begins_at  bigint   NOT NULL,
    ends_at    bigint,
    amount     bigint   NOT NULL,
    weight     bigint,
    begins     bigint   NOT NULL,
    ends       bigint,
    marks      text     COLLATE "C",
    others     text     COLLATE "C",
    extra      text     COLLATE "C",
    PRIMARY KEY (space_id, created_at, id)
);
CREATE UNIQUE INDEX samples_chosen ON samples (space_id, id)
    WHERE substr(uuid_send(id), 1, 6) <> substr(int8send(created_at), 3);

-- What is written with every operation is kept in its key's tree alone: one page less to write for each, and one
-- search less.

ALTER TABLE job RENAME TO job_2;
DROP INDEX job_by_id;
CREATE TABLE job (
    inst        TEXT PRIMARY KEY NOT NULL,
    id          INTEGER NOT NULL,
    account     TEXT NOT NULL,
    verb        INTEGER NOT NULL,
    force       INTEGER NOT NULL,
    then_start  INTEGER NOT NULL,
    reset_local INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO job SELECT * FROM job_2;
DROP TABLE job_2;
CREATE UNIQUE INDEX job_by_id ON job (id);

ALTER TABLE nonce RENAME TO nonce_2;
DROP INDEX nonce_by_until;
CREATE TABLE nonce (
    key   TEXT PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO nonce SELECT * FROM nonce_2;
DROP TABLE nonce_2;
CREATE INDEX nonce_by_until ON nonce (until);

ALTER TABLE sequence RENAME TO sequence_2;
CREATE TABLE sequence (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO sequence SELECT * FROM sequence_2;
DROP TABLE sequence_2;

ALTER TABLE address RENAME TO address_2;
CREATE TABLE address (
    key  TEXT PRIMARY KEY NOT NULL,
    inst TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO address SELECT * FROM address_2;
DROP TABLE address_2;

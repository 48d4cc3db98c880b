-- Instances are numbered as they are made, and each value by which they are listed has the set of the numbers that
-- have it (src/store/facets.c). migrate.c fills the sets.

DROP INDEX inst_by_account;
DROP INDEX inst_by_state;
ALTER TABLE inst RENAME TO inst_1;

CREATE TABLE inst (
    id                  TEXT NOT NULL UNIQUE,
    account             TEXT NOT NULL,
    name                TEXT NOT NULL,
    description         TEXT NOT NULL,
    hostname            TEXT NOT NULL,
    region              TEXT NOT NULL,
    zone                TEXT NOT NULL,
    type                TEXT NOT NULL,
    image               TEXT NOT NULL,
    cpu                 INTEGER NOT NULL,
    memory_mib          INTEGER NOT NULL,
    state               INTEGER NOT NULL,
    verb                INTEGER NOT NULL,
    birth               INTEGER NOT NULL,
    charge              INTEGER NOT NULL,
    stop_mode           INTEGER NOT NULL,
    overdue             INTEGER NOT NULL,
    deletion_protection INTEGER NOT NULL,
    locks               INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    started_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    recycled_at         INTEGER NOT NULL,
    vpc                 TEXT NOT NULL,
    subnet              TEXT NOT NULL,
    secgroups           TEXT NOT NULL,
    ip                  TEXT NOT NULL,
    mac                 TEXT NOT NULL,
    ssh_port            INTEGER NOT NULL,
    keypair             TEXT NOT NULL,
    login_hash          TEXT NOT NULL,
    user_data           TEXT NOT NULL,
    user_data_binary    INTEGER NOT NULL,
    serial              TEXT NOT NULL,
    tags                TEXT NOT NULL,
    attrs               TEXT NOT NULL,
    host                TEXT NOT NULL,
    last_op             TEXT NOT NULL,
    last_error          TEXT NOT NULL,
    last_op_at          INTEGER NOT NULL,
    num                 INTEGER PRIMARY KEY
);

-- Their old order: newest first, of one moment by id. Only the keys are sorted; the rows may be large.
CREATE TEMP TABLE inst_order AS SELECT rowid AS old FROM inst_1 ORDER BY created_at, id DESC;
INSERT INTO inst (id, account, name, description, hostname, region, zone, type, image, cpu, memory_mib, state,
    verb, birth, charge, stop_mode, overdue, deletion_protection, locks, created_at, started_at,
    expires_at, recycled_at, vpc, subnet, secgroups, ip, mac, ssh_port, keypair, login_hash,
    user_data, user_data_binary, serial, tags, attrs, host, last_op, last_error, last_op_at,
    num)
SELECT id, account, name, description, hostname, region, zone, type, image, cpu, memory_mib, state,
    verb, birth, charge, stop_mode, overdue, deletion_protection, locks, created_at, started_at,
    expires_at, recycled_at, vpc, subnet, secgroups, ip, mac, ssh_port, keypair, login_hash,
    user_data, user_data_binary, serial, tags, attrs, host, last_op, last_error, last_op_at,
    inst_order.rowid
FROM inst_order CROSS JOIN inst_1 ON inst_1.rowid = old;

DROP TABLE inst_order;
DROP TABLE inst_1;

CREATE TABLE inst_bits (
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    bits  BLOB NOT NULL,
    PRIMARY KEY (facet, value, chunk)
) WITHOUT ROWID;

CREATE INDEX inst_by_state ON inst (state, id, memory_mib);
CREATE INDEX inst_by_time ON inst (created_at);

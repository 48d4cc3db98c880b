-- The first schema. One table a record of core/model.h, column by column; times are milliseconds since 1970.
-- Enumerators are stored as their numbers in core/model.h: new ones are added at the end, none is reused.

CREATE TABLE account (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    recycle_bin   INTEGER NOT NULL,
    recycle_hours INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE access_key (
    id         TEXT PRIMARY KEY NOT NULL,
    account    TEXT NOT NULL,
    secret     BLOB,
    active     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE inst (
    id                  TEXT PRIMARY KEY NOT NULL,
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
    last_op_at          INTEGER NOT NULL
);

CREATE TABLE disk (
    id               TEXT PRIMARY KEY NOT NULL,
    account          TEXT NOT NULL,
    inst             TEXT NOT NULL,
    region           TEXT NOT NULL,
    zone             TEXT NOT NULL,
    name             TEXT NOT NULL,
    description      TEXT NOT NULL,
    kind             INTEGER NOT NULL,
    status           INTEGER NOT NULL,
    failed           INTEGER NOT NULL,
    category         TEXT NOT NULL,
    level            TEXT NOT NULL,
    size_gib         INTEGER NOT NULL,
    slot             INTEGER NOT NULL,
    delete_with_inst INTEGER NOT NULL,
    image            TEXT NOT NULL,
    encrypted        INTEGER NOT NULL,
    kms_key          TEXT NOT NULL,
    data_key         BLOB,
    created_at       INTEGER NOT NULL
);

CREATE TABLE image (
    id            TEXT PRIMARY KEY NOT NULL,
    account       TEXT NOT NULL,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL,
    family        TEXT NOT NULL,
    os_type       TEXT NOT NULL,
    os_name       TEXT NOT NULL,
    platform      TEXT NOT NULL,
    arch          TEXT NOT NULL,
    version       TEXT NOT NULL,
    size_gib      INTEGER NOT NULL,
    direct_kernel INTEGER NOT NULL,
    cloud_init    INTEGER NOT NULL,
    path          TEXT NOT NULL,
    digest        TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE kms_key (
    id         TEXT PRIMARY KEY NOT NULL,
    account    TEXT NOT NULL,
    material   BLOB,
    is_default INTEGER NOT NULL,
    enabled    INTEGER NOT NULL,
    granted    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE vpc (
    id         TEXT PRIMARY KEY NOT NULL,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    name       TEXT NOT NULL,
    cidr       TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE subnet (
    id         TEXT PRIMARY KEY NOT NULL,
    account    TEXT NOT NULL,
    vpc        TEXT NOT NULL,
    region     TEXT NOT NULL,
    zone       TEXT NOT NULL,
    name       TEXT NOT NULL,
    cidr       TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE secgroup (
    id         TEXT PRIMARY KEY NOT NULL,
    account    TEXT NOT NULL,
    vpc        TEXT NOT NULL,
    name       TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE keypair (
    id          TEXT PRIMARY KEY NOT NULL,
    account     TEXT NOT NULL,
    name        TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at  INTEGER NOT NULL
);

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
);

CREATE TABLE event (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account    TEXT NOT NULL,
    subject    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    request_id TEXT NOT NULL,
    detail     TEXT NOT NULL
);

CREATE TABLE idem (
    key        TEXT PRIMARY KEY NOT NULL,
    digest     TEXT NOT NULL,
    ids        TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE address (
    key  TEXT PRIMARY KEY NOT NULL,
    inst TEXT NOT NULL
);

CREATE TABLE nonce (
    key   TEXT PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
);

-- Numbers that are never given twice: ids, jobs, addresses.
CREATE TABLE sequence (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
);

CREATE INDEX inst_by_account ON inst (account, created_at DESC, id);
CREATE INDEX inst_by_state ON inst (state);
CREATE UNIQUE INDEX job_by_id ON job (id);
CREATE INDEX disk_by_inst ON disk (inst, slot);
CREATE INDEX disk_by_account ON disk (account, created_at DESC, id);
CREATE INDEX access_key_by_account ON access_key (account);
CREATE INDEX kms_key_by_account ON kms_key (account);
CREATE INDEX vpc_by_account ON vpc (account, region);
CREATE INDEX subnet_by_account ON subnet (account, zone);
CREATE INDEX subnet_by_vpc ON subnet (vpc);
CREATE INDEX secgroup_by_account ON secgroup (account, vpc);
CREATE UNIQUE INDEX keypair_by_name ON keypair (account, name);
CREATE INDEX nonce_by_until ON nonce (until);
CREATE INDEX event_by_subject ON event (subject, seq);

-- What tests ask for: errors on demand, a clock that moves, a host without room. And what comes due by time.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- An account's own time; of account '' everybody's who has none.
CREATE TABLE clock (
    account   TEXT PRIMARY KEY NOT NULL,
    ahead     INTEGER NOT NULL,
    stands_at INTEGER NOT NULL,
    target    INTEGER NOT NULL,
    wish      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE due (
    key     TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL,
    clock   TEXT NOT NULL,
    inst    TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

-- Subscriptions that renew themselves.
CREATE TABLE renewal (
    inst   TEXT PRIMARY KEY NOT NULL,
    period INTEGER NOT NULL,
    weeks  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE fault (
    id          TEXT PRIMARY KEY NOT NULL,
    num         INTEGER NOT NULL,
    dialect     TEXT NOT NULL,
    action      TEXT NOT NULL,
    code        TEXT NOT NULL,
    status      INTEGER NOT NULL,
    message     TEXT NOT NULL,
    account     TEXT NOT NULL,
    inst        TEXT NOT NULL,
    times       INTEGER NOT NULL,
    every       INTEGER NOT NULL,
    probability INTEGER NOT NULL,
    delay_ms    INTEGER NOT NULL,
    retry_ms    INTEGER NOT NULL,
    fate        INTEGER NOT NULL,
    seen        INTEGER NOT NULL,
    given       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE engine_fault (
    id         TEXT PRIMARY KEY NOT NULL,
    num        INTEGER NOT NULL,
    verb       INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    account    TEXT NOT NULL,
    inst       TEXT NOT NULL,
    zone       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    delay_ms   INTEGER NOT NULL,
    times      INTEGER NOT NULL,
    given      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE capacity (
    key     TEXT PRIMARY KEY NOT NULL,
    kind    INTEGER NOT NULL,
    account TEXT NOT NULL,
    zone    TEXT NOT NULL,
    type    TEXT NOT NULL,
    count   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE harm (
    inst       TEXT PRIMARY KEY NOT NULL,
    kind       INTEGER NOT NULL,
    disk       INTEGER NOT NULL,
    trouble    INTEGER NOT NULL,
    error      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

ALTER TABLE job ADD COLUMN fault TEXT NOT NULL DEFAULT '';
ALTER TABLE disk ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;
ALTER TABLE disk ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kms_key ADD COLUMN untagged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kms_key ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

CREATE INDEX due_by_at ON due (clock, at, key);
CREATE INDEX due_by_inst ON due (inst);
CREATE INDEX fault_by_action ON fault (action, num);

-- Subscriptions that go on end by themselves from now on, and what is in a recycle bin goes. What had
-- ended before time did anything stays as it is.
INSERT INTO due SELECT id || '/expire', account, '', id, 0, expires_at FROM inst
    WHERE charge = 1 AND expires_at > CAST(strftime('%s', 'now') AS INTEGER) * 1000;
INSERT INTO due SELECT inst.id || '/empty', account, '', inst.id, 2, recycled_at + recycle_hours * 3600000
    FROM inst JOIN account ON account.id = inst.account WHERE recycled_at > 0;

-- Client tokens are forgotten by their account's clock.
ALTER TABLE idem ADD COLUMN account TEXT NOT NULL DEFAULT '';
UPDATE idem SET account = substr(key, 1, instr(key, '/') - 1);
CREATE INDEX idem_by_age ON idem (account, created_at);

-- What the server itself is to do to the whole, or to an account, besides answering; and what is left of machines whose
-- instances are gone.
CREATE TABLE chore (
    key     TEXT PRIMARY KEY NOT NULL,
    id      INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    state   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    failure INTEGER NOT NULL,
    why     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE leftover (
    inst   TEXT PRIMARY KEY NOT NULL,
    subnet TEXT NOT NULL
) WITHOUT ROWID;

-- What tests ask for: errors on demand, a clock that moves, a host without room. And what comes due by time.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- An account's own time; of account '' everybody's who has none.
CREATE TABLE clock (
    account   TEXT PRIMARY KEY NOT NULL,
    ahead     INTEGER NOT NULL,
    frozen_at INTEGER NOT NULL,
    target    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE due (
    key     TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL,
    inst    TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    at      INTEGER NOT NULL
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
    account TEXT NOT NULL,
    zone    TEXT NOT NULL,
    type    TEXT NOT NULL,
    count   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX due_by_at ON due (account, at, key);
CREATE INDEX due_by_inst ON due (inst);
CREATE INDEX fault_by_action ON fault (action, num);

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

-- The views: a cache of the log for queries. Everything here is a fold of the log's first
-- `log_position.last_seq` events and can be rebuilt from them, so this file is never migrated:
-- a change raises SCHEMA_VERSION, and older files are rebuilt.
--
-- Terms are their stored numbers. Prices are integers at 10^-9. Quantities (10^-9) and money (10^-18)
-- are 128 bits big-endian with the sign bit flipped, so that bytes sort as the numbers do.
-- Times are UTC nanoseconds. Ids are the 16 bytes of the UUID.

CREATE TABLE log_position (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    last_seq   INTEGER NOT NULL,
    command_id BLOB NOT NULL,   -- of the batch that ends at last_seq: tells one log from another
    time       INTEGER NOT NULL -- of that batch
) STRICT;

CREATE TABLE instruments (
    instrument_id INTEGER PRIMARY KEY,
    symbol        TEXT NOT NULL,
    listing       TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
    created_seq     INTEGER PRIMARY KEY,
    order_id        BLOB NOT NULL,
    parent_order_id BLOB,
    root_order_id   BLOB NOT NULL,
    root_seq        INTEGER NOT NULL, -- created_seq of the root
    cl_ord_id       TEXT NOT NULL,
    account_id      BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    instrument_id   INTEGER NOT NULL,
    symbol          TEXT NOT NULL,
    side            INTEGER NOT NULL,
    ord_type        INTEGER NOT NULL,
    time_in_force   INTEGER NOT NULL,
    source          INTEGER NOT NULL,
    venue           TEXT,
    created_at      INTEGER NOT NULL,
    -- From here on: what events change.
    state           INTEGER NOT NULL,
    ord_status      INTEGER NOT NULL,
    pending         INTEGER NOT NULL,
    in_doubt        INTEGER NOT NULL,
    order_qty       BLOB NOT NULL,
    cum_qty         BLOB NOT NULL,
    leaves_qty      BLOB NOT NULL,
    price           INTEGER,
    stop_px         INTEGER,
    avg_px          INTEGER,
    broker_order_id TEXT,
    ended_by        INTEGER,
    reject_code     INTEGER,
    updated_at      INTEGER NOT NULL,
    last_seq        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    body            BLOB NOT NULL     -- the whole order
) STRICT;

CREATE UNIQUE INDEX orders_by_id ON orders (order_id);
CREATE INDEX orders_by_root ON orders (root_order_id);
CREATE INDEX orders_in_doubt ON orders (created_seq) WHERE in_doubt = 1;

-- Lists are of client orders unless a tree is asked for, so these leave the parts out. Each gives its rows by age, as
-- every index ends in created_seq. They are few, because every one of them is paid for by every order.
CREATE INDEX roots_by_cl_ord_id ON orders (cl_ord_id) WHERE parent_order_id IS NULL;
CREATE INDEX roots_by_symbol ON orders (symbol) WHERE parent_order_id IS NULL;
CREATE INDEX roots_by_account ON orders (account_id) WHERE parent_order_id IS NULL;
CREATE INDEX roots_by_status ON orders (ord_status) WHERE parent_order_id IS NULL;
CREATE INDEX roots_by_time ON orders (created_at) WHERE parent_order_id IS NULL;

-- Which events concern an order, many to a row: those of a tree that were folded in together. What they say stays in
-- the log and is read there by sequence.
CREATE TABLE order_events (
    root_seq INTEGER NOT NULL, -- orders.created_seq of the tree's root
    last_seq INTEGER NOT NULL, -- the last of these events
    events   BLOB NOT NULL,    -- of each its sequence, orders.created_seq of the order and its kind
    PRIMARY KEY (root_seq, last_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE executions (
    seq           INTEGER PRIMARY KEY,
    exec_id       TEXT NOT NULL,
    order_id      BLOB NOT NULL,
    root_order_id BLOB NOT NULL,
    account_id    BLOB NOT NULL,
    instrument_id INTEGER NOT NULL,
    symbol        TEXT NOT NULL,
    side          INTEGER NOT NULL,
    venue         TEXT NOT NULL,
    last_qty      BLOB NOT NULL,
    last_px       INTEGER NOT NULL,
    liquidity     INTEGER NOT NULL,
    fee           BLOB NOT NULL,
    transact_time INTEGER NOT NULL,
    recorded_at   INTEGER NOT NULL,
    manual        INTEGER NOT NULL,
    exec_type     INTEGER NOT NULL  -- what became of it; last_qty, last_px and fee are as they are now
) STRICT;

CREATE INDEX executions_by_exec_id ON executions (exec_id);
CREATE INDEX executions_by_order ON executions (order_id);
CREATE INDEX executions_by_root ON executions (root_order_id);
CREATE INDEX executions_by_symbol ON executions (symbol);
CREATE INDEX executions_by_time ON executions (transact_time);

-- Executions that belong to no order we know, and what was said of executions that are not in the books, kept for a person.
CREATE TABLE suspense (
    seq           INTEGER PRIMARY KEY,
    exec_id       TEXT NOT NULL,
    venue         TEXT NOT NULL,
    wire_id       TEXT NOT NULL,
    last_qty      BLOB NOT NULL,
    last_px       INTEGER NOT NULL,
    transact_time INTEGER NOT NULL,
    recorded_at   INTEGER NOT NULL,
    exec_ref      TEXT,
    commission    BLOB NOT NULL,    -- what the execution cost
    currency      TEXT,             -- of that; null where it is no charge
    resolved_at   INTEGER           -- when somebody decided about it
) STRICT;

CREATE INDEX suspense_open ON suspense (seq) WHERE resolved_at IS NULL;

CREATE TABLE anomalies (
    seq         INTEGER PRIMARY KEY,
    order_id    BLOB NOT NULL,
    kind        INTEGER NOT NULL,
    detail      TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE TABLE positions (
    account_id    BLOB NOT NULL,
    instrument_id INTEGER NOT NULL,
    qty           BLOB NOT NULL,
    body          BLOB NOT NULL, -- the whole position
    PRIMARY KEY (account_id, instrument_id)
) STRICT;

-- Positions as closed days left them, with the profit of the day.
CREATE TABLE frozen_positions (
    seq           INTEGER PRIMARY KEY,
    day           INTEGER NOT NULL,
    account_id    BLOB NOT NULL,
    instrument_id INTEGER NOT NULL,
    body          BLOB NOT NULL -- the whole event
) STRICT;

CREATE INDEX frozen_positions_by_day ON frozen_positions (day, seq);

-- Where limits were set and taken away; the events say to what, and who did it.
CREATE TABLE limit_changes (
    seq       INTEGER PRIMARY KEY,
    limit_key TEXT NOT NULL
) STRICT;

CREATE INDEX limit_changes_by_key ON limit_changes (limit_key, seq);

-- The last order that went beyond each limit, and how many did on that day (UTC).
CREATE TABLE limit_breaches (
    limit_key TEXT PRIMARY KEY,
    day       INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    order_id  BLOB NOT NULL
) STRICT;

-- What the planner should take for granted: a million client orders in some hundred symbols and a few accounts, of
-- which those that are asked for by status are mostly the open ones. It is written down rather than measured, so that
-- a question has one plan, on a new desk as on an old one.
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('orders', 'orders_by_id', '2000000 1'),
    ('orders', 'orders_by_root', '2000000 2'),
    ('orders', 'orders_in_doubt', '10 1'),
    ('orders', 'roots_by_cl_ord_id', '1000000 1'),
    ('orders', 'roots_by_symbol', '1000000 2000'),
    ('orders', 'roots_by_account', '1000000 50000'),
    ('orders', 'roots_by_status', '1000000 10000'),
    ('orders', 'roots_by_time', '1000000 2'),
    ('executions', 'executions_by_exec_id', '1000000 1'),
    ('executions', 'executions_by_order', '1000000 1'),
    ('executions', 'executions_by_root', '1000000 1'),
    ('executions', 'executions_by_symbol', '1000000 2000'),
    ('executions', 'executions_by_time', '1000000 2');

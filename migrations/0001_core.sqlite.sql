-- SPDX-License-Identifier: Apache-2.0
-- 0001_core, SQLite: services, routes, consumers, plugins, key-auth credentials, and the change log.
-- JSON is kept as text, times as Unix seconds, booleans as 0 and 1, UUIDs in lower case.

CREATE TABLE services (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER,
    updated_at INTEGER,
    name TEXT UNIQUE,
    retries INTEGER,
    protocol TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    path TEXT,
    connect_timeout INTEGER,
    write_timeout INTEGER,
    read_timeout INTEGER,
    tags TEXT,
    client_certificate_id TEXT,
    tls_verify INTEGER,
    tls_verify_depth INTEGER,
    ca_certificates TEXT,
    enabled INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE TABLE routes (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER,
    updated_at INTEGER,
    name TEXT UNIQUE,
    protocols TEXT NOT NULL,
    methods TEXT,
    hosts TEXT,
    paths TEXT,
    headers TEXT,
    https_redirect_status_code INTEGER NOT NULL,
    regex_priority INTEGER,
    strip_path INTEGER NOT NULL,
    path_handling TEXT,
    preserve_host INTEGER NOT NULL,
    request_buffering INTEGER NOT NULL,
    response_buffering INTEGER NOT NULL,
    snis TEXT,
    sources TEXT,
    destinations TEXT,
    tags TEXT,
    service_id TEXT REFERENCES services (id)
) WITHOUT ROWID;
CREATE INDEX routes_service_id_idx ON routes (service_id);

CREATE TABLE consumers (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER,
    updated_at INTEGER,
    username TEXT UNIQUE,
    custom_id TEXT UNIQUE,
    tags TEXT
) WITHOUT ROWID;

CREATE TABLE plugins (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER,
    updated_at INTEGER,
    name TEXT NOT NULL,
    instance_name TEXT UNIQUE,
    route_id TEXT REFERENCES routes (id) ON DELETE CASCADE,
    service_id TEXT REFERENCES services (id) ON DELETE CASCADE,
    consumer_id TEXT REFERENCES consumers (id) ON DELETE CASCADE,
    config TEXT NOT NULL,
    protocols TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    tags TEXT,
    cache_key TEXT NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE INDEX plugins_route_id_idx ON plugins (route_id);
CREATE INDEX plugins_service_id_idx ON plugins (service_id);
CREATE INDEX plugins_consumer_id_idx ON plugins (consumer_id);

CREATE TABLE keyauth_credentials (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER,
    consumer_id TEXT NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    "key" TEXT NOT NULL UNIQUE,
    tags TEXT,
    ttl REAL
) WITHOUT ROWID;
CREATE INDEX keyauth_credentials_consumer_id_idx ON keyauth_credentials (consumer_id);
CREATE INDEX keyauth_credentials_ttl_idx ON keyauth_credentials (ttl) WHERE ttl IS NOT NULL;

-- The change log. config_version outlives the entries: it is the number of the last change even
-- when all of them have been pruned.
CREATE TABLE config_version (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
);
INSERT INTO config_version (id, seq) VALUES (1, 0);
CREATE TABLE config_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    op TEXT NOT NULL,
    at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER))
);
CREATE TRIGGER config_changes_counted AFTER INSERT ON config_changes BEGIN
    UPDATE config_version SET seq = NEW.seq;
END;
-- Kept: the last hour, at most 10000 entries. Looked at on every hundredth.
CREATE TRIGGER config_changes_pruned AFTER INSERT ON config_changes WHEN NEW.seq % 100 = 0 BEGIN
    DELETE FROM config_changes WHERE seq <= NEW.seq - 10000 OR at < NEW.at - 3600;
END;

-- Three triggers per entity; a cascade runs them too.
CREATE TRIGGER services_insert AFTER INSERT ON services BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('services', NEW.id, 'insert');
END;
CREATE TRIGGER services_update AFTER UPDATE ON services BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('services', NEW.id, 'update');
END;
CREATE TRIGGER services_delete AFTER DELETE ON services BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('services', OLD.id, 'delete');
END;
CREATE TRIGGER routes_insert AFTER INSERT ON routes BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('routes', NEW.id, 'insert');
END;
CREATE TRIGGER routes_update AFTER UPDATE ON routes BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('routes', NEW.id, 'update');
END;
CREATE TRIGGER routes_delete AFTER DELETE ON routes BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('routes', OLD.id, 'delete');
END;
CREATE TRIGGER consumers_insert AFTER INSERT ON consumers BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('consumers', NEW.id, 'insert');
END;
CREATE TRIGGER consumers_update AFTER UPDATE ON consumers BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('consumers', NEW.id, 'update');
END;
CREATE TRIGGER consumers_delete AFTER DELETE ON consumers BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('consumers', OLD.id, 'delete');
END;
CREATE TRIGGER plugins_insert AFTER INSERT ON plugins BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('plugins', NEW.id, 'insert');
END;
CREATE TRIGGER plugins_update AFTER UPDATE ON plugins BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('plugins', NEW.id, 'update');
END;
CREATE TRIGGER plugins_delete AFTER DELETE ON plugins BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('plugins', OLD.id, 'delete');
END;
CREATE TRIGGER keyauth_credentials_insert AFTER INSERT ON keyauth_credentials BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('keyauth_credentials', NEW.id, 'insert');
END;
CREATE TRIGGER keyauth_credentials_update AFTER UPDATE ON keyauth_credentials BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('keyauth_credentials', NEW.id, 'update');
END;
CREATE TRIGGER keyauth_credentials_delete AFTER DELETE ON keyauth_credentials BEGIN
    INSERT INTO config_changes (entity, entity_id, op) VALUES ('keyauth_credentials', OLD.id, 'delete');
END;

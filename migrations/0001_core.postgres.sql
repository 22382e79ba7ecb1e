-- SPDX-License-Identifier: Apache-2.0
-- 0001_core, PostgreSQL: services, routes, consumers, plugins, key-auth credentials, and the change
-- log. Table and column names are those of Kong, without its workspaces.

CREATE TABLE services (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ,
    name TEXT UNIQUE,
    retries BIGINT,
    protocol TEXT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    path TEXT,
    connect_timeout BIGINT,
    write_timeout BIGINT,
    read_timeout BIGINT,
    tags TEXT[],
    client_certificate_id UUID,
    tls_verify BOOLEAN,
    tls_verify_depth BIGINT,
    ca_certificates TEXT[],
    enabled BOOLEAN NOT NULL DEFAULT true
);
CREATE INDEX services_tags_idx ON services USING gin (tags);

CREATE TABLE routes (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ,
    name TEXT UNIQUE,
    protocols TEXT[] NOT NULL,
    methods TEXT[],
    hosts TEXT[],
    paths TEXT[],
    headers JSONB,
    https_redirect_status_code BIGINT NOT NULL,
    regex_priority BIGINT,
    strip_path BOOLEAN NOT NULL,
    path_handling TEXT,
    preserve_host BOOLEAN NOT NULL,
    request_buffering BOOLEAN NOT NULL,
    response_buffering BOOLEAN NOT NULL,
    snis TEXT[],
    sources JSONB,
    destinations JSONB,
    tags TEXT[],
    service_id UUID REFERENCES services (id)
);
CREATE INDEX routes_service_id_idx ON routes (service_id);
CREATE INDEX routes_tags_idx ON routes USING gin (tags);

CREATE TABLE consumers (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ,
    username TEXT UNIQUE,
    custom_id TEXT UNIQUE,
    tags TEXT[]
);
CREATE INDEX consumers_tags_idx ON consumers USING gin (tags);

CREATE TABLE plugins (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ,
    name TEXT NOT NULL,
    instance_name TEXT UNIQUE,
    route_id UUID REFERENCES routes (id) ON DELETE CASCADE,
    service_id UUID REFERENCES services (id) ON DELETE CASCADE,
    consumer_id UUID REFERENCES consumers (id) ON DELETE CASCADE,
    config JSONB NOT NULL,
    protocols TEXT[] NOT NULL,
    enabled BOOLEAN NOT NULL,
    tags TEXT[],
    cache_key TEXT NOT NULL UNIQUE
);
CREATE INDEX plugins_route_id_idx ON plugins (route_id);
CREATE INDEX plugins_service_id_idx ON plugins (service_id);
CREATE INDEX plugins_consumer_id_idx ON plugins (consumer_id);
CREATE INDEX plugins_tags_idx ON plugins USING gin (tags);

CREATE TABLE keyauth_credentials (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ,
    consumer_id UUID NOT NULL REFERENCES consumers (id) ON DELETE CASCADE,
    "key" TEXT NOT NULL UNIQUE,
    tags TEXT[],
    ttl TIMESTAMPTZ
);
CREATE INDEX keyauth_credentials_consumer_id_idx ON keyauth_credentials (consumer_id);
CREATE INDEX keyauth_credentials_ttl_idx ON keyauth_credentials (ttl) WHERE ttl IS NOT NULL;
CREATE INDEX keyauth_credentials_tags_idx ON keyauth_credentials USING gin (tags);

-- The change log. config_version is a counter in a row, not a sequence: its row lock makes writers
-- queue, so that numbers become visible in their order, and a rollback leaves no gap. It outlives
-- the entries: it is the number of the last change even when all of them have been pruned.
CREATE TABLE config_version (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
);
INSERT INTO config_version (id, seq) VALUES (1, 0);
CREATE TABLE config_changes (
    seq BIGINT PRIMARY KEY,
    entity TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    op TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp
);

-- Writes the entry, wakes the other nodes (once per transaction, however many rows it wrote), and
-- on every hundredth entry prunes the log to the last hour, at most 10000 entries.
-- The search_path of now is kept, so that a change made by hand in another session is logged too.
CREATE FUNCTION config_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    number BIGINT;
    changed TEXT;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD.id;
    ELSE
        changed := NEW.id;
    END IF;
    UPDATE config_version SET seq = seq + 1 RETURNING seq INTO number;
    INSERT INTO config_changes (seq, entity, entity_id, op)
        VALUES (number, TG_TABLE_NAME, changed, lower(TG_OP));
    IF number % 100 = 0 THEN
        DELETE FROM config_changes
            WHERE seq <= number - 10000 OR at < current_timestamp - interval '1 hour';
    END IF;
    PERFORM pg_notify('sluice_config', '');
    RETURN NULL;
END;
$$;

-- One trigger per entity; a cascade runs them too.
CREATE TRIGGER services_changed AFTER INSERT OR UPDATE OR DELETE ON services
    FOR EACH ROW EXECUTE FUNCTION config_changed();
CREATE TRIGGER routes_changed AFTER INSERT OR UPDATE OR DELETE ON routes
    FOR EACH ROW EXECUTE FUNCTION config_changed();
CREATE TRIGGER consumers_changed AFTER INSERT OR UPDATE OR DELETE ON consumers
    FOR EACH ROW EXECUTE FUNCTION config_changed();
CREATE TRIGGER plugins_changed AFTER INSERT OR UPDATE OR DELETE ON plugins
    FOR EACH ROW EXECUTE FUNCTION config_changed();
CREATE TRIGGER keyauth_credentials_changed AFTER INSERT OR UPDATE OR DELETE ON keyauth_credentials
    FOR EACH ROW EXECUTE FUNCTION config_changed();

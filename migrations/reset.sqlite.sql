-- SPDX-License-Identifier: Apache-2.0
-- Drops what all migrations made, children first; triggers and indexes go with their tables.
DROP TABLE IF EXISTS keyauth_credentials;
DROP TABLE IF EXISTS plugins;
DROP TABLE IF EXISTS consumers;
DROP TABLE IF EXISTS routes;
DROP TABLE IF EXISTS services;
DROP TABLE IF EXISTS config_changes;
DROP TABLE IF EXISTS config_version;
DROP TABLE IF EXISTS schema_migrations;

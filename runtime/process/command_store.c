/* SPDX-License-Identifier: Apache-2.0 */
/* command_store.c -- see command_store.h. */
#include "process/command_store.h"

#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/store.h"

void command_store_name(const struct options *options, char *out, size_t size)
{
    if (strcmp(options->database, "postgres") == 0)
        (void)snprintf(out, size, "postgres '%s' at %s:%d",
                       options->pg.database == NULL ? "" : options->pg.database,
                       options->pg.host == NULL ? "" : options->pg.host, options->pg.port);
    else
        (void)snprintf(out, size, "%s %s", options->database, options->sqlite_path);
}

static bool explain(const struct options *options, enum store_state state, char **error)
{
    char name[COMMAND_STORE_NAME_BYTES];
    command_store_name(options, name, sizeof(name));
    int n = state == STORE_EMPTY
                ? asprintf(error,
                           "Database needs bootstrapping or is older than Sluice %s (%s). "
                           "Run 'sluice migrations bootstrap'",
                           SLUICE_VERSION, name)
                : asprintf(error,
                           "New migrations available (%s); run 'sluice migrations up' to proceed",
                           name);
    if (n < 0)
        *error = NULL;
    return false;
}

bool command_store_ready(const struct options *options, bool is_migrating, double lock_timeout_s,
                         char **error)
{
    struct store_error why = {0};
    enum store_state state = STORE_READY;
    int applied;
    *error = NULL;
    if (strcmp(options->database, "off") == 0)
        return true;
    struct store *store = store_open(options, NULL, &why);
    bool is_ok = store != NULL && store_state_get(store, &state, &why) == STORE_OK;
    is_migrating = is_migrating || strcmp(options->database, "sqlite") == 0;
    if (is_ok && state != STORE_READY && is_migrating)
        is_ok = store_migrate(store, (int64_t)(lock_timeout_s * 1000), &applied, &why) == STORE_OK;
    else if (is_ok && state != STORE_READY)
        is_ok = explain(options, state, error);
    if (!is_ok && *error == NULL)
        *error = strdup(why.text);
    store_error_clear(&why);
    store_close(store);
    return is_ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* command_migrations.c -- `sluice migrations bootstrap|up|finish|list|status|reset`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "config/store.h"
#include "process/command.h"
#include "process/command_store.h"
#include "process/prefix.h"

/* Exit statuses of `migrations list`; 4 (pending) cannot happen: a migration has run or it has not.
 */
enum { STATUS_NEEDS_BOOTSTRAP = 3, STATUS_NEW = 5 };

struct context {
    const struct command_arguments *arguments;
    struct store *store;
    struct store_error error;
    char name[COMMAND_STORE_NAME_BYTES];
};

static int fail(const struct context *context)
{
    return command_fail(context->arguments, "%s", context->error.text);
}

__attribute__((format(printf, 2, 3))) static void say(const struct context *context,
                                                      const char *format, ...)
{
    va_list args;
    if (context->arguments->is_quiet)
        return;
    va_start(args, format);
    (void)vprintf(format, args);
    (void)putchar('\n');
    va_end(args);
}

static bool get_state(struct context *context, enum store_state *state)
{
    return store_state_get(context->store, state, &context->error) == STORE_OK;
}

static int migrate(struct context *context)
{
    int applied = 0;
    int64_t lock_ms = (int64_t)(context->arguments->lock_timeout_s * 1000);
    say(context, "migrating %s...", context->name);
    if (store_migrate(context->store, lock_ms, &applied, &context->error) != STORE_OK)
        return fail(context);
    say(context, "%d migration%s processed\n%d executed\nDatabase is up-to-date", applied,
        applied == 1 ? "" : "s", applied);
    return 0;
}

/* ------------------------------------------------------------------------------------ the verbs */
static int bootstrap(struct context *context)
{
    enum store_state state;
    if (!get_state(context, &state))
        return fail(context);
    if (state != STORE_EMPTY && !context->arguments->is_forced) {
        say(context, "Database already bootstrapped");
        return 0;
    }
    if (context->arguments->is_forced && store_reset(context->store, &context->error) != STORE_OK)
        return fail(context);
    say(context, "Bootstrapping database...");
    return migrate(context);
}

static int refuse_empty(const struct context *context)
{
    return command_fail(context->arguments,
                        "Cannot run migrations: database needs bootstrapping (%s); run 'sluice "
                        "migrations bootstrap'",
                        context->name);
}

static int up(struct context *context)
{
    enum store_state state;
    if (!get_state(context, &state))
        return fail(context);
    if (state == STORE_EMPTY)
        return refuse_empty(context);
    if (state == STORE_BEHIND)
        return migrate(context);
    say(context, "Database is already up-to-date");
    return 0;
}

/* Migrations here have one phase; `finish` exists for the scripts that call it after `up`. */
static int finish(struct context *context)
{
    enum store_state state;
    if (!get_state(context, &state))
        return fail(context);
    if (state == STORE_EMPTY)
        return refuse_empty(context);
    say(context, "No pending migrations to finish");
    return 0;
}

static void say_names(const struct context *context, const char *title, const json_t *names)
{
    if (json_array_size(names) == 0)
        return;
    say(context, "%s", title);
    for (size_t i = 0; i < json_array_size(names); i++)
        say(context, "  %s", json_string_value(json_array_get(names, i)));
}

static int list(struct context *context)
{
    json_t *status = NULL;
    enum store_state state;
    if (!get_state(context, &state))
        return fail(context);
    if (state == STORE_EMPTY) {
        say(context, "Database needs bootstrapping; run 'sluice migrations bootstrap'.");
        return STATUS_NEEDS_BOOTSTRAP;
    }
    if (store_migration_status(context->store, &status, &context->error) != STORE_OK)
        return fail(context);
    const json_t *new = json_object_get(status, "new");
    say_names(context, "Executed migrations:", json_object_get(status, "executed"));
    say_names(context, "New migrations available:", new);
    bool is_behind = json_array_size(new) > 0;
    if (is_behind)
        say(context, "\nRun 'sluice migrations up' to proceed");
    json_decref(status);
    return is_behind ? STATUS_NEW : 0;
}

static int print_status(struct context *context)
{
    json_t *status = NULL;
    enum store_state state;
    if (!get_state(context, &state) ||
        store_migration_status(context->store, &status, &context->error) != STORE_OK)
        return fail(context);
    bool is_new = json_array_size(json_object_get(status, "new")) > 0;
    bool is_ok =
        json_object_set_new(status, "needs_bootstrap", json_boolean(state == STORE_EMPTY)) == 0 &&
        json_object_set_new(status, "new_migrations", json_boolean(is_new)) == 0;
    char *text = is_ok ? json_dumps(status, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
    if (text != NULL)
        (void)puts(text);
    is_ok = text != NULL;
    free(text);
    json_decref(status);
    return is_ok ? 0 : command_fail(context->arguments, "out of memory");
}

/* Whether the user wants it. */
static bool confirm(const char *name)
{
    char answer[16];
    (void)printf("> Are you sure? This operation is irreversible (%s). [y/N] ", name);
    (void)fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int reset(struct context *context)
{
    enum store_state state;
    if (!context->arguments->is_yes && isatty(STDIN_FILENO) == 0)
        return command_fail(context->arguments,
                            "not a tty: invoke 'reset' non-interactively with the --yes flag");
    if (!get_state(context, &state))
        return fail(context);
    if (state == STORE_EMPTY) {
        say(context, "Database not bootstrapped, nothing to reset");
        return 0;
    }
    if (!context->arguments->is_yes && !confirm(context->name)) {
        say(context, "cancelled");
        return 0;
    }
    say(context, "Resetting database...");
    if (store_reset(context->store, &context->error) != STORE_OK)
        return fail(context);
    say(context, "Database successfully reset");
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct context *context);
} verbs[] = {
    {"bootstrap", bootstrap}, {"up", up},       {"finish", finish},
    {"list", list},           {"reset", reset}, {"status", print_status},
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int run(const struct command_arguments *arguments, size_t verb)
{
    struct context context = {.arguments = arguments};
    struct options *options = command_load(arguments);
    char *error = NULL;
    int status = 1;
    if (options == NULL)
        return 1;
    command_store_name(options, context.name, sizeof(context.name));
    if (strcmp(options->database, "off") == 0) {
        status = command_fail(arguments, "database = off has no migrations; set database to sqlite "
                                         "or postgres");
        goto done;
    }
    /* SQLite's file is below the prefix. */
    if (strcmp(options->database, "sqlite") == 0 && !prefix_prepare(options, &error)) {
        status = command_fail(arguments, "%s", error != NULL ? error : "out of memory");
        goto done;
    }
    context.store = store_open(options, NULL, &context.error);
    status = context.store == NULL ? fail(&context) : verbs[verb].run(&context);
done:
    free(error);
    store_error_clear(&context.error);
    store_close(context.store);
    options_destroy(options);
    return status;
}

int command_migrations(const struct command_arguments *arguments)
{
    const char *name = arguments->words[0];
    for (size_t i = 0; name != NULL && i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return run(arguments, i);
    return command_fail(
        arguments, "migrations: expected bootstrap, up, finish, list, reset or status, found %s",
        name == NULL ? "nothing" : name);
}

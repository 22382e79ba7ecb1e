/* SPDX-License-Identifier: Apache-2.0 */
/* command.c -- see command.h: the table of commands, their options and help. */
#include "process/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/options_value.h"

struct command {
    const char *name;
    const char *summary;
    const char *usage;   /* behind "sluice <name> " */
    const char *accepts; /* letters of the options table */
    const char *help;    /* NULL: the options say it all */
    int (*run)(const struct command_arguments *arguments);
};

static const struct command commands[] = {
    {"check", "check the validity of a configuration file", "<conf>", "", NULL, command_check},
    {"config", "check a declarative configuration file", "parse <file> [OPTIONS]", "cp", NULL,
     command_config},
    {"health", "check if this node is running", "[OPTIONS]", "cp", NULL, command_health},
    {"migrations", "manage database schema migrations", "COMMAND [OPTIONS]", "cpyqfdl",
     "The available commands are:\n"
     " bootstrap   create the tables of an empty database\n"
     " up          run what is missing\n"
     " finish      finish running migrations\n"
     " list        list what has run; status 0 up to date, 3 needs bootstrap, 5 new ones\n"
     " reset       remove all tables with their content\n"
     " status      the state as JSON\n",
     command_migrations},
    {"prepare", "prepare the prefix without starting", "[OPTIONS]", "cpn", NULL, command_prepare},
    {"quit", "let running requests finish, then stop", "[OPTIONS]", "cptw", NULL, command_quit},
    {"reload", "read the configuration again without losing a request", "[OPTIONS]", "cpn", NULL,
     command_reload},
    {"restart", "stop, then start", "[OPTIONS]", "cpnrdl", NULL, command_restart},
    {"start", "start a node", "[OPTIONS]", "cpnrdl", NULL, command_start},
    {"stop", "stop this node at once", "[OPTIONS]", "cp", NULL, command_stop},
    {"version", "print the version", "[OPTIONS]", "a", NULL, command_version},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* --------------------------------------------------------------------------------------- output */
int command_fail(const struct command_arguments *arguments, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("Error: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    if (arguments->verbosity == 0)
        (void)fputs("\n  Run with --v (verbose) or --vv (debug) for more details\n", stderr);
    return 1;
}

void command_verbose(const struct command_arguments *arguments, const char *format, ...)
{
    va_list args;
    if (arguments->verbosity == 0)
        return;
    va_start(args, format);
    (void)fputs("[verbose] ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

static void print_usage(FILE *to)
{
    (void)fputs("Usage: sluice COMMAND [OPTIONS]\n\nThe available commands are:\n", to);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(to, " %-11s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\nOptions:\n"
                " --v         verbose\n"
                " --vv        debug\n"
                " --help      this text, or that of a command\n",
                to);
}

/* -------------------------------------------------------------------------------------- options */
enum option_value { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER };

static const struct option {
    char letter; /* in struct command.accepts, and "-x" if it has a short form */
    bool has_short;
    const char *name;
    enum option_value value;
    const char *help;
} option_table[] = {
    {'c', true, "conf", VALUE_TEXT, "configuration file"},
    {'p', true, "prefix", VALUE_TEXT, "working directory"},
    {'n', false, "nginx-conf", VALUE_TEXT, "ignored: there is no nginx"},
    {'n', false, "nginx-conf-flags", VALUE_TEXT, "ignored: there is no nginx"},
    {'r', false, "run-migrations", VALUE_NONE, "run missing migrations first"},
    {'d', false, "db-timeout", VALUE_NUMBER, "seconds to wait for the database"},
    {'l', false, "lock-timeout", VALUE_NUMBER, "seconds to wait for other nodes' migrations (60)"},
    {'t', true, "timeout", VALUE_NUMBER, "seconds until running requests are cut off (10)"},
    {'w', true, "wait", VALUE_NUMBER, "seconds to wait before stopping (0)"},
    {'y', true, "yes", VALUE_NONE, "assume yes to all questions"},
    {'q', true, "quiet", VALUE_NONE, "print nothing but errors"},
    {'f', true, "force", VALUE_NONE, "run even if it has been done: bootstrap resets first"},
    {'a', true, "all", VALUE_NONE, "of all parts"},
};
enum { OPTIONS = sizeof(option_table) / sizeof(option_table[0]) };

static int print_command_usage(const struct command *command, FILE *to)
{
    (void)fprintf(to, "Usage: sluice %s %s\n\n%s.\n\n", command->name, command->usage,
                  command->summary);
    if (command->help != NULL)
        (void)fprintf(to, "%s\n", command->help);
    (void)fputs("Options:\n", to);
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &option_table[i];
        char names[64];
        if (strchr(command->accepts, option->letter) == NULL)
            continue;
        if (option->has_short)
            (void)snprintf(names, sizeof(names), "-%c,--%s", option->letter, option->name);
        else
            (void)snprintf(names, sizeof(names), "   --%s", option->name);
        (void)fprintf(to, " %-22s %s\n", names, option->help);
    }
    (void)fputs(" --v, --vv              verbose, debug\n", to);
    return to == stdout ? 0 : 1;
}

static const struct option *find_long(const char *name, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(option_table[i].name) == len && strncmp(option_table[i].name, name, len) == 0)
            return &option_table[i];
    return NULL;
}

static const struct option *find_short(char letter)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (option_table[i].has_short && option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

static void apply_text(struct command_arguments *out, const struct option *option,
                       const char *value)
{
    if (option->letter == 'c')
        out->config_path = value;
    else if (option->letter == 'p')
        out->prefix = value;
    else
        (void)fprintf(stderr, "Warning: --%s is ignored: Sluice has no nginx\n", option->name);
}

static bool apply_number(struct command_arguments *out, const struct option *option,
                         const char *value)
{
    const double most_s = 86400 * 365;
    double number;
    if (!options_value_number(value, &number) || number < 0 || number > most_s) {
        (void)command_fail(out, "--%s: expected a number of seconds, found '%s'", option->name,
                           value);
        return false;
    }
    double *const targets[] = {&out->db_timeout_s, &out->lock_timeout_s, &out->quit_timeout_s,
                               &out->quit_wait_s};
    *targets[strchr("dltw", option->letter) - "dltw"] = number;
    return true;
}

static void apply_flag(struct command_arguments *out, const struct option *option)
{
    bool *const targets[] = {&out->has_run_migrations, &out->is_yes, &out->is_quiet,
                             &out->is_forced, &out->is_all};
    *targets[strchr("ryqfa", option->letter) - "ryqfa"] = true;
}

/* "--name value", "--name=value", "-n value" or "-nvalue" at argv[*i], which moves behind what was
 * used. False: the error was printed. */
static bool take_option(const struct command *command, struct command_arguments *out, char **argv,
                        int *i)
{
    const char *text = argv[*i];
    bool is_long = text[1] == '-';
    size_t len = is_long ? strcspn(text + 2, "=") : 1;
    const struct option *option = is_long ? find_long(text + 2, len) : find_short(text[1]);
    if (option == NULL || strchr(command->accepts, option->letter) == NULL) {
        (void)command_fail(out, "%s has no option '%s'; see sluice %s --help", command->name, text,
                           command->name);
        return false;
    }
    const char *value = text + (is_long ? 2 : 1) + len;
    if (is_long && *value == '=')
        value++;
    else if (*value == '\0')
        value = NULL;
    if (option->value == VALUE_NONE) {
        if (value != NULL) {
            (void)command_fail(out, "--%s takes no value, found '%s'", option->name, value);
            return false;
        }
        apply_flag(out, option);
        return true;
    }
    if (value == NULL)
        value = argv[++*i]; /* argv ends with NULL */
    if (value == NULL) {
        (void)command_fail(out, "--%s: expected a value", option->name);
        return false;
    }
    if (option->value == VALUE_NUMBER)
        return apply_number(out, option, value);
    apply_text(out, option, value);
    return true;
}

static bool take_universal(struct command_arguments *out, const char *text)
{
    if (strcmp(text, "--v") == 0)
        out->verbosity = out->verbosity > 1 ? out->verbosity : 1;
    else if (strcmp(text, "--vv") == 0)
        out->verbosity = 2;
    else if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)
        out->has_help = true;
    else
        return false;
    return true;
}

static bool parse(const struct command *command, struct command_arguments *out, int argc,
                  char **argv)
{
    int words = 0;
    for (int i = 2; i < argc; i++) {
        if (take_universal(out, argv[i]))
            continue;
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(command, out, argv, &i))
                return false;
        } else if (words == COMMAND_WORDS) {
            (void)command_fail(out, "too many arguments: '%s'", argv[i]);
            return false;
        } else {
            out->words[words++] = argv[i];
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------- what many need */
struct options *command_load(const struct command_arguments *arguments)
{
    char timeout_ms[32];
    struct options_override overrides[3] = {{0}};
    size_t count = 0;
    char *error;
    if (arguments->prefix != NULL)
        overrides[count++] = (struct options_override){"prefix", arguments->prefix};
    if (arguments->db_timeout_s > 0) {
        (void)snprintf(timeout_ms, sizeof(timeout_ms), "%.0f", arguments->db_timeout_s * 1000);
        overrides[count++] = (struct options_override){"pg_timeout", timeout_ms};
    }
    struct options *options = options_load_with(arguments->config_path, overrides, &error);
    if (options == NULL) {
        (void)command_fail(arguments, "%s", error != NULL ? error : "out of memory");
        free(error);
        return NULL;
    }
    command_verbose(arguments, "Sluice: %s", SLUICE_VERSION);
    command_verbose(arguments, "configuration file: %s",
                    options->config_path == NULL ? "none" : options->config_path);
    command_verbose(arguments, "prefix in use: %s", options->prefix);
    const char *key;
    json_t *origin;
    if (arguments->verbosity > 1)
        json_object_foreach(options->origins, key, origin)
            command_verbose(arguments, "%s is set by %s", key, json_string_value(origin));
    return options;
}

char *command_prefix(const struct command_arguments *arguments)
{
    char *error;
    char *prefix = options_prefix(arguments->config_path, arguments->prefix, &error);
    if (prefix == NULL)
        (void)command_fail(arguments, "%s", error != NULL ? error : "out of memory");
    free(error);
    return prefix;
}

int command_main(int argc, char **argv)
{
    struct command_arguments arguments = {.lock_timeout_s = 60, .quit_timeout_s = 10};
    const char *name = argc < 2 ? NULL : argv[1];
    if (name != NULL &&
        (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)) {
        print_usage(stdout);
        return 0;
    }
    for (size_t i = 0; name != NULL && i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (!parse(&commands[i], &arguments, argc, argv))
            return 1;
        return arguments.has_help ? print_command_usage(&commands[i], stdout)
                                  : commands[i].run(&arguments);
    }
    print_usage(stderr);
    if (name != NULL)
        (void)fprintf(stderr, "\nNo such command: %s\n", name);
    return 1;
}

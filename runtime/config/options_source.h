/* SPDX-License-Identifier: Apache-2.0 */
/* options_source.h -- the layers of configuration as text: defaults, file, environment, command
 * line. Each layer overwrites the one below; every value knows where it came from. */
#ifndef SLUICE_CONFIG_OPTIONS_SOURCE_H
#define SLUICE_CONFIG_OPTIONS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/map.h"

struct option_key;
struct options_override;

struct options_setting {
    char *name;
    char *text;      /* NULL: unset */
    char *reference; /* the {vault://...} that `text` was resolved from, or NULL */
    char *origin;    /* "<file>:<line>", a variable, "the command line"; NULL: default */
    const struct option_key *key; /* NULL: a dynamic name (nginx_http_...) */
};

/* Zeroed before use; options_source_clear() ends it. */
struct options_source {
    struct map by_name;
    struct options_setting **settings; /* the table's keys in its order, then dynamic names */
    size_t count;
    char *config_path;      /* the file that was read, absolute; NULL: none */
    struct buffer problems; /* lines */
    struct buffer warnings; /* lines */
    bool is_out_of_memory;
};

/* Reads all layers. `config_path` NULL: the default places; `overrides` may be NULL. Whatever goes
 * wrong is in source->problems. */
void options_source_read(struct options_source *source, const char *config_path,
                         const struct options_override *overrides);
void options_source_clear(struct options_source *source);

/* NULL: not among the keys. */
const struct options_setting *options_source_find(const struct options_source *source,
                                                  const char *name);
/* Text of a key of the table; NULL: unset. */
const char *options_source_text(const struct options_source *source, const char *name);

/* Sets one value, as a layer does: a synonym counts as its key, an unknown name is a warning, an
 * empty text unsets. */
void options_source_put(struct options_source *source, const char *name, struct slice text,
                        const char *origin);
/* Adds a line to the problems. */
void options_source_fail(struct options_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, with "; set by <origin>" behind it unless the value is a default. */
void options_source_reject(struct options_source *source, const struct options_setting *setting,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

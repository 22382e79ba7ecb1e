/* SPDX-License-Identifier: Apache-2.0 */
/* options_table.h -- every configuration key: its name, kind, default and limits, as data. */
#ifndef SLUICE_CONFIG_OPTIONS_TABLE_H
#define SLUICE_CONFIG_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_TEXT,
    OPTION_BOOLEAN, /* on, true, off, false; JSON shows a boolean */
    OPTION_SWITCH,  /* on or off; JSON shows the text (Kong: ngx_boolean) */
    OPTION_NUMBER,  /* min..max */
    OPTION_COUNT,   /* "auto" or an integer, min..max */
    OPTION_CHOICE,  /* one of `accepts` */
    OPTION_CHOICES, /* list, each one of `accepts` */
    OPTION_LIST,    /* comma separated */
    OPTION_LISTEN,  /* listen addresses */
    OPTION_SIZE,    /* bytes, or with k, m or g */
    OPTION_TIME,    /* seconds, or with ms, s, m, h or d */
    OPTION_LOG,     /* path, /dev/stdout, /dev/stderr or off */
    OPTION_UNUSED,  /* Kong's; accepted so that its files work as they are, shown, and not acted on
                     */
};

struct option_key {
    const char *name;
    enum option_kind kind;
    const char *value;   /* default; NULL: unset */
    const char *accepts; /* of a choice: "a, b, c" */
    double min, max;     /* of a number */
    bool is_secret;      /* masked wherever it is shown */
};

/* In the order in which they are shown; the end has a NULL name. */
extern const struct option_key options_table[];

/* `name` or the key that it is a synonym of ("workers"); NULL: unknown. */
const struct option_key *options_table_find(const char *name);
/* Names built from a prefix, such as nginx_http_<directive>: accepted, whatever the rest is. */
bool options_table_is_dynamic(const char *name);
/* The known name (or synonym) with the smallest edit distance, if it is small enough to be what was
 * meant; else NULL. */
const char *options_table_nearest(const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* options_show.h -- the configuration as JSON: for the Admin API and for <prefix>/.kong_env. */
#ifndef SLUICE_CONFIG_OPTIONS_SHOW_H
#define SLUICE_CONFIG_OPTIONS_SHOW_H

#include <stdbool.h>

struct options;
struct options_source;

/* Fills options->effective, raw, references and origins from the source and the filled members.
 * False: out of memory. */
bool options_show(struct options *options, const struct options_source *source)
    __attribute__((warn_unused_result));

#endif

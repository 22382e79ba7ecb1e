/* SPDX-License-Identifier: Apache-2.0 */
/* options_fill.h -- from checked text to the typed members of struct options. */
#ifndef SLUICE_CONFIG_OPTIONS_FILL_H
#define SLUICE_CONFIG_OPTIONS_FILL_H

struct options;
struct options_source;

/* Fills every member but the JSON ones. Adds to the source's problems what only shows while parsing
 * (listen addresses); sets source->is_out_of_memory. A text that options_check() has refused leaves
 * its member zero. */
void options_fill(struct options *options, struct options_source *source);
/* Absolute form of the key `prefix`, without a slash at the end; heap text, NULL: out of memory. */
char *options_fill_prefix(const struct options_source *source);

#endif

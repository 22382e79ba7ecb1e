/* SPDX-License-Identifier: Apache-2.0 */
/* options_check.h -- whether the text of every key has the form that its kind asks for, and whether
 * the keys go together. */
#ifndef SLUICE_CONFIG_OPTIONS_CHECK_H
#define SLUICE_CONFIG_OPTIONS_CHECK_H

struct options_source;

/* Adds all problems to the source. Listen addresses are checked where they are parsed
 * (options_fill.c). */
void options_check(struct options_source *source);

#endif

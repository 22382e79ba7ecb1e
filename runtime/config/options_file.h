/* SPDX-License-Identifier: Apache-2.0 */
/* options_file.h -- the format of kong.conf: "key = value" lines, '#' comments, "\#" for a literal
 * one. */
#ifndef SLUICE_CONFIG_OPTIONS_FILE_H
#define SLUICE_CONFIG_OPTIONS_FILE_H

#include <stdbool.h>

struct options_source;

/* Puts every line of the file; origins are "<path>:<line>". What cannot be read is a problem of the
 * source. */
void options_file_read(struct options_source *source, const char *path);

#endif

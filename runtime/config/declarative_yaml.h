/* SPDX-License-Identifier: Apache-2.0 */
/* declarative_yaml.h -- YAML text to a JSON value; used by declarative.c alone. */
#ifndef SLUICE_CONFIG_DECLARATIVE_YAML_H
#define SLUICE_CONFIG_DECLARATIVE_YAML_H

#include "config/declarative.h"

/* As declarative_decode(), for text that is YAML. An empty text is null. */
enum declarative_result declarative_yaml_decode(struct slice text, json_t **value, char **error)
    __attribute__((warn_unused_result));

#endif

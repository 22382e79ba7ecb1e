/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h -- what a configuration of rate-limiting may say. */
#ifndef SLUICE_PLUGINS_C_RATE_LIMITING_FIELDS_H
#define SLUICE_PLUGINS_C_RATE_LIMITING_FIELDS_H

#include "pdk.h"

extern const struct pdk_field fields_of_config[];
extern const struct pdk_check fields_checks[];

/* Checks that no table can say: longer periods have no lower limits, and only what this build
 * offers is asked for. */
bool fields_check(const struct pdk *kong, struct pdk_conf *in);

#endif

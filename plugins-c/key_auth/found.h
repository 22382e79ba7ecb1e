/* SPDX-License-Identifier: Apache-2.0 */
/* found.h -- what a search for a key under one name came to, in a header, a query or a body.
 *
 * Kong tells these cases apart by Lua type: a text is a key; a table (a repeated name) ends the
 * search with an error; anything else (`?apikey`, a JSON number) hides the places that come after
 * it, but is no key. */
#ifndef SLUICE_PLUGINS_C_KEY_AUTH_FOUND_H
#define SLUICE_PLUGINS_C_KEY_AUTH_FOUND_H

#include "pdk.h"

enum found_kind { FOUND_NOTHING, FOUND_TEXT, FOUND_OTHER, FOUND_SEVERAL };

struct found {
    enum found_kind kind;
    struct pdk_str text; /* FOUND_TEXT: borrowed from what was searched, still encoded */
};

/* Takes one more occurrence into account: two of them are several, whatever they are. */
static inline void found_add(struct found *found, enum found_kind kind, struct pdk_str text)
{
    found->kind = found->kind == FOUND_NOTHING ? kind : FOUND_SEVERAL;
    found->text = text;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* route_match.h -- one matcher against one request (reference/proxy-behaviour.md section 3). */
#ifndef SLUICE_ROUTE_ROUTE_MATCH_H
#define SLUICE_ROUTE_ROUTE_MATCH_H

#include "route/route_matcher.h"
#include "route/router.h"

struct route_hit {
    const struct route_matcher *matcher;
    size_t path_len;
    const struct route_regex *regex;  /* of the path; NULL: none */
    struct route_regex_groups groups; /* of the regex */
};

/* True if all criteria but the hosts are met; *hit then says how, and is unchanged otherwise. The
 * caller has seen to the hosts and, with `is_path_known`, to a plain path. */
bool route_match_test(const struct route_matcher *matcher, const struct router_request *request,
                      bool is_path_known, struct route_hit *hit)
    __attribute__((warn_unused_result));

#endif

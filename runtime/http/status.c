/* SPDX-License-Identifier: Apache-2.0 */
/* status.c -- the texts of the status codes, from one list. */
#include "http/status.h"

/* X(code, reason phrase of the IANA registry, Kong's default message or NULL). 494 is nginx's. */
#define STATUSES(X)                                                                                \
    X(100, "Continue", NULL)                                                                       \
    X(101, "Switching Protocols", NULL)                                                            \
    X(102, "Processing", NULL)                                                                     \
    X(103, "Early Hints", NULL)                                                                    \
    X(200, "OK", NULL)                                                                             \
    X(201, "Created", NULL)                                                                        \
    X(202, "Accepted", NULL)                                                                       \
    X(203, "Non-Authoritative Information", NULL)                                                  \
    X(204, "No Content", NULL)                                                                     \
    X(205, "Reset Content", NULL)                                                                  \
    X(206, "Partial Content", NULL)                                                                \
    X(207, "Multi-Status", NULL)                                                                   \
    X(208, "Already Reported", NULL)                                                               \
    X(226, "IM Used", NULL)                                                                        \
    X(300, "Multiple Choices", NULL)                                                               \
    X(301, "Moved Permanently", NULL)                                                              \
    X(302, "Found", NULL)                                                                          \
    X(303, "See Other", NULL)                                                                      \
    X(304, "Not Modified", NULL)                                                                   \
    X(305, "Use Proxy", NULL)                                                                      \
    X(307, "Temporary Redirect", NULL)                                                             \
    X(308, "Permanent Redirect", NULL)                                                             \
    X(400, "Bad Request", "Bad request")                                                           \
    X(401, "Unauthorized", "Unauthorized")                                                         \
    X(402, "Payment Required", "Payment required")                                                 \
    X(403, "Forbidden", "Forbidden")                                                               \
    X(404, "Not Found", "Not found")                                                               \
    X(405, "Method Not Allowed", "Method not allowed")                                             \
    X(406, "Not Acceptable", "Not acceptable")                                                     \
    X(407, "Proxy Authentication Required", "Proxy authentication required")                       \
    X(408, "Request Timeout", "Request timeout")                                                   \
    X(409, "Conflict", "Conflict")                                                                 \
    X(410, "Gone", "Gone")                                                                         \
    X(411, "Length Required", "Length required")                                                   \
    X(412, "Precondition Failed", "Precondition failed")                                           \
    X(413, "Content Too Large", "Payload too large")                                               \
    X(414, "URI Too Long", "URI too long")                                                         \
    X(415, "Unsupported Media Type", "Unsupported media type")                                     \
    X(416, "Range Not Satisfiable", "Range not satisfiable")                                       \
    X(417, "Expectation Failed", "Expectation failed")                                             \
    X(418, "I'm a teapot", "I'm a teapot")                                                         \
    X(421, "Misdirected Request", "Misdirected request")                                           \
    X(422, "Unprocessable Content", "Unprocessable entity")                                        \
    X(423, "Locked", "Locked")                                                                     \
    X(424, "Failed Dependency", "Failed dependency")                                               \
    X(425, "Too Early", "Too early")                                                               \
    X(426, "Upgrade Required", "Upgrade required")                                                 \
    X(428, "Precondition Required", "Precondition required")                                       \
    X(429, "Too Many Requests", "Too many requests")                                               \
    X(431, "Request Header Fields Too Large", "Request header fields too large")                   \
    X(451, "Unavailable For Legal Reasons", "Unavailable for legal reasons")                       \
    X(494, "Request Header Or Cookie Too Large", "Request header or cookie too large")             \
    X(499, "Client Closed Request", NULL)                                                          \
    X(500, "Internal Server Error", "An unexpected error occurred")                                \
    X(501, "Not Implemented", "Not implemented")                                                   \
    X(502, "Bad Gateway", "An invalid response was received from the upstream server")             \
    X(503, "Service Unavailable", "The upstream server is currently unavailable")                  \
    X(504, "Gateway Timeout", "The upstream server is timing out")                                 \
    X(505, "HTTP Version Not Supported", "HTTP version not supported")                             \
    X(506, "Variant Also Negotiates", "Variant also negotiates")                                   \
    X(507, "Insufficient Storage", "Insufficient storage")                                         \
    X(508, "Loop Detected", "Loop detected")                                                       \
    X(510, "Not Extended", "Not extended")                                                         \
    X(511, "Network Authentication Required", "Network authentication required")

struct slice status_reason(int status)
{
    switch (status) {
#define X(code, reason, message)                                                                   \
    case code: return SLICE(reason);
        STATUSES(X)
#undef X
    }
    return SLICE("Unknown");
}

struct slice status_message(int status)
{
    switch (status) {
#define X(code, reason, message)                                                                   \
    case code: return slice_of(message);
        STATUSES(X)
#undef X
    }
    return slice_of(NULL);
}

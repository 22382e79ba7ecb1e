/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.c -- access lines. What a client sent is escaped, so that nobody can forge a line. */
#include "proxy/access_log.h"

#include <stdio.h>
#include <time.h>

#include "proxy/client.h"
#include "proxy/request.h"

enum { LINE_MAX_BYTES = 6 * 1024, PART_MAX_BYTES = 1200 };

static void on_flush(void *arg)
{
    access_log_flush(arg);
}

void access_log_init(struct worker *worker)
{
    loop_task_init(&worker->access_task, on_flush, worker);
}

void access_log_flush(struct worker *worker)
{
    log_raw(worker->shared->access_log, buffer_slice(&worker->access));
    buffer_consume(&worker->access, buffer_len(&worker->access));
}

/* Appends text that came from outside: quotes, backslashes, controls and non-ASCII as \xNN; long
 * ones are cut. */
static size_t put_escaped(char *out, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < PART_MAX_BYTES - 4; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return n;
}

static size_t put_or_dash(char *out, struct slice text)
{
    if (text.len > 0)
        return put_escaped(out, text);
    out[0] = '-';
    return 1;
}

static size_t put_time(char *out, int64_t unix_s)
{
    struct tm tm;
    time_t at = (time_t)unix_s;
    localtime_r(&at, &tm);
    return strftime(out, 64, " - - [%d/%b/%Y:%H:%M:%S %z] \"", &tm);
}

static size_t put_text(char *out, struct slice text)
{
    memcpy(out, text.ptr, text.len);
    return text.len;
}

static size_t make_line(const struct request *request, char *line)
{
    const struct http1_head *head = &request->in.head;
    size_t n = put_or_dash(line, request->in.client_ip.len > 0
                                     ? request->in.client_ip
                                     : slice_make(request->client->ip, request->client->ip_len));
    n += put_time(line + n, loop_wall_ms(request->worker->loop) / 1000);
    if (head->method.len > 0) {
        n += put_escaped(line + n, head->method);
        line[n++] = ' ';
        n += put_escaped(line + n, head->target);
        n += put_text(line + n, head->minor_version == 0 ? SLICE(" HTTP/1.0") : SLICE(" HTTP/1.1"));
    }
    n += (size_t)sprintf(line + n, "\" %d %llu \"", request->out.status,
                         (unsigned long long)request->out.body_bytes);
    n += put_or_dash(line + n, http_headers_get_known(&head->headers, HTTP_NAME_REFERER));
    n += put_text(line + n, SLICE("\" \""));
    n += put_or_dash(line + n, http_headers_get_known(&head->headers, HTTP_NAME_USER_AGENT));
    int64_t now = loop_now_ms(request->worker->loop);
    n += (size_t)sprintf(line + n, "\" %lld kong_request_id: \"%.32s\"\n",
                         (long long)(now - request->timing.start_ms), request->in.id);
    return n;
}

void access_log_write(struct request *request)
{
    struct worker *worker = request->worker;
    if (!log_is_on(worker->shared->access_log))
        return;
    char line[LINE_MAX_BYTES];
    struct slice text = slice_make(line, make_line(request, line));
    if (buffer_len(&worker->access) + text.len > WORKER_ACCESS_BYTES)
        access_log_flush(worker);
    if (buffer_append(&worker->access, text, WORKER_ACCESS_BYTES))
        loop_defer(worker->loop, &worker->access_task);
}

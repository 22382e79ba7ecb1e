/* SPDX-License-Identifier: Apache-2.0 */
/* prefix.c -- see prefix.h. */
#include "process/prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/options.h"
#include "net/tls.h"

__attribute__((format(printf, 2, 3))) static bool fail(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(error, format, args) < 0)
        *error = NULL;
    va_end(args);
    return false;
}

char *prefix_path(const char *prefix, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", prefix, name) < 0 ? NULL : path;
}

/* True if it is there afterwards; else errno says why not. */
static bool make_one(const char *path, mode_t mode)
{
    struct stat status;
    if (mkdir(path, mode) == 0)
        return true;
    if (errno != EEXIST || stat(path, &status) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode);
}

/* With all its parents. */
static bool make_directory(const char *path, mode_t mode, char **error)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    bool is_ok = true;
    for (char *at = copy + 1; is_ok && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        is_ok = make_one(copy, 0755);
        *at = '/';
    }
    is_ok = is_ok && make_one(path, mode);
    if (!is_ok)
        fail(error, "cannot create the directory %s: %s; choose another with -p or the key prefix",
             path, strerror(errno));
    free(copy);
    return is_ok;
}

static bool make_directories(const char *prefix, char **error)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"pids", 0755}, {"logs", 0755}, {"ssl", 0700}};
    if (!make_directory(prefix, 0755, error))
        return false;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *path = prefix_path(prefix, folders[i].name);
        bool is_ok = path != NULL && make_directory(path, folders[i].mode, error);
        free(path);
        if (!is_ok)
            return false;
    }
    return true;
}

static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        left -= (size_t)n;
    }
    return true;
}

bool prefix_write(const char *prefix, const char *name, const char *text, char **error)
{
    char *path = prefix_path(prefix, name);
    char *draft = NULL;
    bool is_ok = false;
    int fd = -1;
    if (path == NULL || asprintf(&draft, "%s.XXXXXX", path) < 0) {
        draft = NULL;
        goto done;
    }
    fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    is_ok = fd >= 0 && write_all(fd, text) && rename(draft, path) == 0;
    if (!is_ok) {
        fail(error, "cannot write %s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)unlink(draft);
    }
done:
    if (fd >= 0)
        close(fd);
    free(draft);
    free(path);
    return is_ok;
}

/* One line of .kong_env: what a configuration file would say to mean the same. */
static bool print_setting(FILE *to, const char *key, const char *text)
{
    bool is_ok = fprintf(to, "%s = ", key) > 0;
    for (; is_ok && *text != '\0'; text++) {
        /* A line end inside a value (PEM) has no form in the file; such keys cannot be kept there.
         */
        if (*text == '#')
            is_ok = fputc('\\', to) != EOF;
        is_ok = is_ok && fputc(*text, to) != EOF;
    }
    return is_ok && fputc('\n', to) != EOF;
}

static bool write_environment(const struct options *options, char **error)
{
    char *text = NULL;
    size_t len = 0;
    const char *key;
    json_t *value;
    FILE *to = open_memstream(&text, &len);
    bool is_ok =
        to != NULL && fprintf(to, "# The configuration in effect, written by sluice %s at start.\n",
                              SLUICE_VERSION) > 0;
    json_object_foreach(options->raw, key, value)
    {
        const json_t *reference = json_object_get(options->references, key);
        const char *shown = json_string_value(reference != NULL ? reference : value);
        if (is_ok && strchr(shown, '\n') == NULL)
            is_ok = print_setting(to, key, shown);
    }
    if (to != NULL)
        is_ok = fclose(to) == 0 && is_ok;
    is_ok = is_ok && prefix_write(options->prefix, ".kong_env", text, error);
    free(text);
    return is_ok;
}

bool prefix_prepare(const struct options *options, char **error)
{
    *error = NULL;
    char line[sizeof(options->node_id) + 1];
    (void)snprintf(line, sizeof(line), "%s\n", options->node_id);
    return make_directories(options->prefix, error) &&
           prefix_write(options->prefix, "kong.id", line, error) &&
           write_environment(options, error);
}

bool prefix_tls_pair(const struct options *options, const char *kind, char **cert, char **key,
                     char **error)
{
    bool is_admin = strcmp(kind, "admin") == 0;
    const char *own_cert = is_admin ? options->admin_ssl_cert : options->ssl_cert;
    const char *own_key = is_admin ? options->admin_ssl_cert_key : options->ssl_cert_key;
    bool is_own = own_cert != NULL && own_key != NULL;
    *error = NULL;
    *cert = is_own ? strdup(own_cert)
                   : prefix_path(options->prefix,
                                 is_admin ? "ssl/admin-kong-default.crt" : "ssl/kong-default.crt");
    *key = is_own ? strdup(own_key)
                  : prefix_path(options->prefix,
                                is_admin ? "ssl/admin-kong-default.key" : "ssl/kong-default.key");
    if (*cert != NULL && *key != NULL &&
        (is_own || tls_self_signed(*cert, *key, "localhost", error)))
        return true;
    free(*cert);
    free(*key);
    *cert = *key = NULL;
    return false;
}

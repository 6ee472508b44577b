/* Finds the runtimes that are installed and chooses one by the version of
 * Python that a configuration asks for. Only looks at file names and at
 * pyvenv.cfg; loading a runtime is done elsewhere. */

#include "etcl_runtimes.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "cpython-"

const char *etcl_runtimes_folder(apr_pool_t *pool)
{
    Dl_info info;
    const char *slash;

    if (!dladdr(&etcl_module, &info) || !info.dli_fname) {
        return NULL;
    }
    slash = strrchr(info.dli_fname, '/');
    if (!slash) {
        return NULL;
    }
    return apr_pstrcat(pool,
                       apr_pstrmemdup(pool, info.dli_fname,
                                      (apr_size_t)(slash - info.dli_fname)),
                       "/etcl", NULL);
}

/* "3.11" from the beginning of `text`; NULL when there is no version. */
static const char *version_in(const char *text, apr_pool_t *pool)
{
    unsigned int major, minor;

    if (sscanf(text, "%2u.%3u", &major, &minor) != 2) {
        return NULL;
    }
    return apr_psprintf(pool, "%u.%u", major, minor);
}

static apr_array_header_t *installed(const char *folder, apr_pool_t *pool)
{
    apr_array_header_t *out = apr_array_make(pool, 4, sizeof(const char *));
    apr_finfo_t entry;
    apr_dir_t *dir;
    const char *version;

    if (!folder || apr_dir_open(&dir, folder, pool)) {
        return out;
    }
    while (!apr_dir_read(&entry, APR_FINFO_NAME, dir)) {
        if (strncmp(entry.name, PREFIX, strlen(PREFIX))) {
            continue;
        }
        version = version_in(entry.name + strlen(PREFIX), pool);
        if (version &&
            !strcmp(entry.name + strlen(PREFIX) + strlen(version), ".so")) {
            *(const char **)apr_array_push(out) = version;
        }
    }
    apr_dir_close(dir);
    return out;
}

/* "version = 3.11.2" (venv) or "version_info = 3.11.2.final.0". */
static const char *version_of_line(const char *line, apr_pool_t *pool)
{
    line += strspn(line, " \t");
    if (strncmp(line, "version", 7)) {
        return NULL;
    }
    line += 7;
    if (!strncmp(line, "_info", 5)) {
        line += 5;
    }
    line += strspn(line, " \t");
    if (*line != '=') {
        return NULL;
    }
    return version_in(line + 1 + strspn(line + 1, " \t"), pool);
}

static const char *version_of_venv(const char *home, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, home, "/pyvenv.cfg", NULL);
    const char *version = NULL;
    apr_file_t *file;
    char line[512];

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0,
                      pool)) {
        return NULL;
    }
    while (!version && !apr_file_gets(line, sizeof line, file)) {
        version = version_of_line(line, pool);
    }
    apr_file_close(file);
    return version;
}

/* An installation's prefix holds lib/pythonX.Y, of one version as a rule. */
static const char *version_of_prefix(const char *home, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, home, "/lib", NULL);
    const char *version = NULL;
    apr_finfo_t entry;
    apr_dir_t *dir;
    int several = 0;

    if (apr_dir_open(&dir, path, pool)) {
        return NULL;
    }
    while (!apr_dir_read(&entry, APR_FINFO_NAME, dir)) {
        if (strncmp(entry.name, "python", 6) ||
            !version_in(entry.name + 6, pool)) {
            continue;
        }
        several = version != NULL;
        version = version_in(entry.name + 6, pool);
    }
    apr_dir_close(dir);
    return several ? NULL : version;
}

static const char *version_of_path(const char *path, apr_pool_t *pool)
{
    const char *at = path ? strstr(path, "/lib/python") : NULL;
    const char *version = NULL;

    while (at && !version) {
        version = version_in(at + strlen("/lib/python"), pool);
        at = strstr(at + 1, "/lib/python");
    }
    return version;
}

const char *etcl_runtimes_home(const char *text, apr_pool_t *pool)
{
    const char *end = strstr(text, "/bin/python");

    if (!end) {
        end = strstr(text, "/lib/python");
    }
    if (!end || end == text) {
        return text;
    }
    return apr_pstrmemdup(pool, text, (apr_size_t)(end - text));
}

static int is_newer(const char *a, const char *b)
{
    return apr_strnatcmp(a, b) > 0;
}

/* The only one; of several the system's own python3, else the newest. */
static const char *default_version(const apr_array_header_t *versions,
                                   apr_pool_t *pool)
{
    char link[64];
    const char *best = NULL, *system = NULL;
    ssize_t len = readlink("/usr/bin/python3", link, sizeof link - 1);
    int i;

    if (len > 6) {
        link[len] = '\0';
        system = version_in(link + 6, pool);
    }
    for (i = 0; i < versions->nelts; ++i) {
        const char *each = APR_ARRAY_IDX(versions, i, const char *);

        if (system && !strcmp(each, system)) {
            return each;
        }
        if (!best || is_newer(each, best)) {
            best = each;
        }
    }
    return best;
}

static int is_installed(const apr_array_header_t *versions, const char *version)
{
    int i;

    for (i = 0; i < versions->nelts; ++i) {
        if (!strcmp(APR_ARRAY_IDX(versions, i, const char *), version)) {
            return 1;
        }
    }
    return 0;
}

static const char *not_installed(const apr_array_header_t *versions,
                                 const char *version, const char *asked_by,
                                 apr_pool_t *pool)
{
    return apr_psprintf(
        pool,
        "%s is Python %s; installed runtimes: %s. Install the runtime of "
        "Python %s (build mod_etcl with PYTHON=python%s), or make the "
        "environment anew with an installed version",
        asked_by, version, apr_array_pstrcat(pool, versions, ' '), version,
        version);
}

const char *etcl_runtimes_choose(const char *home, const char *path,
                                 apr_pool_t *pool, const char **runtime)
{
    const char *folder = etcl_runtimes_folder(pool);
    const apr_array_header_t *versions = installed(folder, pool);
    const char *version = NULL, *asked_by = home;

    if (!versions->nelts) {
        return apr_psprintf(pool,
                            "no runtime (cpython-X.Y.so) is installed "
                            "in %s: run `make install` again",
                            folder ? folder : "etcl/ beside the module");
    }
    if (home) {
        version = version_of_venv(home, pool);
        version = version ? version : version_of_prefix(home, pool);
    }
    if (!version) {
        asked_by = path;
        version = version_of_path(path, pool);
    }
    if (!version) {
        version = default_version(versions, pool);
    }
    if (!is_installed(versions, version)) {
        return not_installed(versions, version, asked_by, pool);
    }
    *runtime = apr_pstrcat(pool, folder, "/" PREFIX, version, ".so", NULL);
    return NULL;
}

const char *etcl_runtimes_version(const char *runtime, apr_pool_t *pool)
{
    return version_in(strrchr(runtime, '/') + 1 + strlen(PREFIX), pool);
}

const char *etcl_runtimes_mismatch(const char *path, const char *runtime,
                                   apr_pool_t *pool)
{
    const char *wanted = version_of_path(path, pool);
    const char *have = etcl_runtimes_version(runtime, pool);

    return wanted && strcmp(wanted, have) ? wanted : NULL;
}

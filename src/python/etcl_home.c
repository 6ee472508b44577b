/* Looks at files only; knows nothing of PyConfig. The version that counts is
 * the one this runtime was compiled for. */

#include "etcl_home.h"

#include "etcl_python.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRING(x) #x
#define VERSION(major, minor) STRING(major) "." STRING(minor)
#define PYTHON_XY VERSION(PY_MAJOR_VERSION, PY_MINOR_VERSION)
#define CFG_BYTES 16384

static int is_dir(const char *path)
{
    struct stat info;

    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static int is_file(const char *path)
{
    struct stat info;

    return !stat(path, &info) && S_ISREG(info.st_mode);
}

static const char *without_slashes(const char *path, apr_pool_t *pool)
{
    apr_size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, path, len);
}

static const char *parent_of(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path) {
        return "/";
    }
    return apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The folder that is meant: /venv, /venv/bin/python3 and
 * /venv/lib/python3.11/site-packages name the same. */
static const char *normalise(const char *home, apr_pool_t *pool)
{
    const char *path = without_slashes(home, pool);
    const char *parent = parent_of(path, pool);

    if (!strncmp(last_of(path), "python", 6) &&
        !strcmp(last_of(parent), "bin")) {
        return parent_of(parent, pool);
    }
    if (!strcmp(last_of(path), "site-packages") &&
        !strncmp(last_of(parent), "python", 6)) {
        return parent_of(parent_of(parent, pool), pool);
    }
    if (!strcmp(last_of(path), "bin") &&
        is_file(apr_pstrcat(pool, parent, "/pyvenv.cfg", NULL))) {
        return parent;
    }
    return path;
}

/* The value of a "key = value" line of pyvenv.cfg, or NULL. */
static const char *cfg_value(const char *text, const char *key,
                             apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);
    char *line, *state, *value;

    for (line = apr_strtok(copy, "\r\n", &state); line;
         line = apr_strtok(NULL, "\r\n", &state)) {
        value = strchr(line, '=');
        if (value) {
            *value++ = '\0';
            apr_collapse_spaces(line, line);
            if (!strcmp(line, key)) {
                return value + strspn(value, " \t");
            }
        }
    }
    return NULL;
}

static char *read_text(const char *path, apr_pool_t *pool)
{
    char *text = apr_pcalloc(pool, CFG_BYTES + 1);
    apr_size_t len = CFG_BYTES;
    apr_file_t *file;

    if (apr_file_open(&file, path, APR_FOPEN_READ, 0, pool)) {
        return NULL;
    }
    if (apr_file_read(file, text, &len)) {
        text[0] = '\0';
    }
    apr_file_close(file);
    return text;
}

static apr_status_t refuse(apr_pool_t *pool, const char **why,
                           const char *number, const char *home,
                           const char *reason)
{
    *why = apr_psprintf(pool, "%s: python-home %s %s", number, home, reason);
    return APR_EGENERAL;
}

/* A standard library below `prefix`: what Python dies of when it is missing.
 */
static int has_library(const char *prefix, apr_pool_t *pool)
{
    static const char *const parts[] = { "lib", "lib64" };
    size_t i;

    for (i = 0; i < 2; i++) {
        if (is_dir(apr_pstrcat(pool, prefix, "/", parts[i],
                               "/python" PYTHON_XY "/encodings", NULL))) {
            return 1;
        }
    }
    return 0;
}

/* Python's own installation: the folder above its shared library that has a
 * bin/pythonX.Y. Without it PATH would decide, and often for another one. */
static const char *own_program(apr_pool_t *pool)
{
    char library[PATH_MAX];
    const char *dir = library;
    const char *program;
    Dl_info info;

    if (!dladdr((void *)(apr_uintptr_t)Py_GetVersion, &info) ||
        !realpath(info.dli_fname, library)) {
        return NULL;
    }
    while (strcmp(dir, "/")) {
        dir = parent_of(dir, pool);
        program = apr_pstrcat(pool, dir, "/bin/python" PYTHON_XY, NULL);
        if (is_file(program)) {
            return program;
        }
    }
    return NULL;
}

static int same_version(const char *version)
{
    apr_size_t len = strlen(PYTHON_XY);

    return !strncmp(version, PYTHON_XY, len) &&
           (version[len] == '.' || version[len] == '\0' || version[len] == ' ');
}

static apr_status_t check_venv(const char *home, const char *cfg,
                               apr_pool_t *pool, const char **why)
{
    const char *version = cfg_value(cfg, "version", pool);
    const char *base = cfg_value(cfg, "home", pool);

    if (!version) {
        version = cfg_value(cfg, "version_info", pool);
    }
    if (version && !same_version(version)) {
        return refuse(pool, why, "ETCL0302", home,
                      apr_psprintf(pool,
                                   "is a virtual environment of Python %s, "
                                   "this runtime is Python " PYTHON_XY
                                   ": install the runtime of that version, or "
                                   "make the environment again with "
                                   "python" PYTHON_XY " -m venv",
                                   version));
    }
    if (base &&
        !has_library(parent_of(without_slashes(base, pool), pool), pool)) {
        return refuse(pool, why, "ETCL0303", home,
                      apr_psprintf(pool,
                                   "was made with the Python in %s, which has "
                                   "no standard library of " PYTHON_XY
                                   " any more: install it again, or make the "
                                   "environment again",
                                   base));
    }
    return APR_SUCCESS;
}

static apr_status_t check_prefix(const char *home, apr_pool_t *pool,
                                 const char **why)
{
    if (has_library(home, pool)) {
        return APR_SUCCESS;
    }
    return refuse(pool, why, "ETCL0303", home,
                  "is neither a virtual environment (no pyvenv.cfg) nor an "
                  "installation of Python " PYTHON_XY
                  " (no lib/python" PYTHON_XY
                  "/encodings): name the folder that python -m venv made");
}

apr_status_t etcl_home_resolve(const char *python_home, apr_pool_t *pool,
                               etcl_home_t *out, const char **why)
{
    const char *home, *cfg;

    out->prefix = NULL;
    out->program = own_program(pool);
    if (!python_home) {
        return APR_SUCCESS;
    }
    home = normalise(python_home, pool);
    if (!is_dir(home)) {
        return refuse(pool, why, "ETCL0301", home,
                      access(home, F_OK)
                          ? "does not exist, or a folder above it may not be "
                            "entered by this user"
                          : "is not a folder");
    }
    if (access(home, R_OK | X_OK)) {
        return refuse(pool, why, "ETCL0301", home,
                      "may not be read by this user: chmod o+rx it and the "
                      "folders above it");
    }
    cfg = apr_pstrcat(pool, home, "/pyvenv.cfg", NULL);
    if (access(cfg, F_OK)) {
        out->prefix = home;
        return check_prefix(home, pool, why);
    }
    cfg = read_text(cfg, pool);
    if (!cfg) {
        return refuse(pool, why, "ETCL0301", home,
                      "has a pyvenv.cfg that this user may not read");
    }
    out->program = apr_pstrcat(pool, home, "/bin/python", NULL);
    return check_venv(home, cfg, pool, why);
}

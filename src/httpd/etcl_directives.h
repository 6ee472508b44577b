/* The directives: one table from which the configuration structs, their
 * merging and httpd's command records are made. The manual is checked
 * against it.
 *
 * X(scope, field, directive, context, kind, help)
 *
 *   scope    DIR   a setting of etcl_dir_t: of a directory, or of all
 *            MAIN  a setting of etcl_main_t: of a server, or of all
 *            OWN   etcl_setters_<field>() does it all
 *   context  GLOBAL   outside any section
 *            SERVER   also in a virtual host
 *            DIR      also in Directory, Location, Files
 *            FILEINFO also in .htaccess with AllowOverride FileInfo
 *   kind     TEXT, FLAG (On or Off), RAW (a whole line, for OWN)
 *
 * Source  the contexts and merging rules of mod_wsgi's directives */

#ifndef ETCL_DIRECTIVES_H
#define ETCL_DIRECTIVES_H

#define ETCL_DIRECTIVES(X)                                                     \
    X(OWN, alias, "WSGIScriptAlias", SERVER, RAW,                              \
      "url-path file [option=value ...]")                                      \
    X(OWN, alias_match, "WSGIScriptAliasMatch", SERVER, RAW,                   \
      "regex file [option=value ...]")                                         \
    X(OWN, daemon, "WSGIDaemonProcess", SERVER, RAW,                           \
      "name [option=value ...]")                                               \
    X(DIR, process_group, "WSGIProcessGroup", DIR, TEXT,                       \
      "name of a daemon process group, or %{...}")                             \
    X(DIR, application_group, "WSGIApplicationGroup", DIR, TEXT,               \
      "name of an interpreter, or %{...}")                                     \
    X(DIR, callable_object, "WSGICallableObject", FILEINFO, TEXT,              \
      "name of the application in its script")                                 \
    X(DIR, pass_authorization, "WSGIPassAuthorization", FILEINFO, FLAG,        \
      "whether the application sees the Authorization header")                 \
    X(DIR, chunked_request, "WSGIChunkedRequest", FILEINFO, FLAG,              \
      "whether request bodies of unknown length are accepted")                 \
    X(DIR, script_reloading, "WSGIScriptReloading", FILEINFO, FLAG,            \
      "whether a changed script is loaded again")                              \
    X(MAIN, restrict_embedded, "WSGIRestrictEmbedded", SERVER, FLAG,           \
      "whether Python is kept out of Apache's own processes")                  \
    X(MAIN, socket_prefix, "WSGISocketPrefix", GLOBAL, TEXT,                   \
      "beginning of the paths of sockets")                                     \
    X(MAIN, python_home, "WSGIPythonHome", GLOBAL, TEXT,                       \
      "virtual environment or installation of Python")                         \
    X(MAIN, python_path, "WSGIPythonPath", GLOBAL, TEXT,                       \
      "folders with modules for embedded mode")

#endif

/* The directives: one table from which the configuration structs, their
 * merging and httpd's command records are made. The manual is checked
 * against it.
 *
 * X(scope, field, directive, context, kind, help)
 *
 *   scope    DIR   a setting of etcl_dir_t: of a directory, or of all
 *            MAIN  a setting of etcl_main_t: of a server, or of all
 *            TUNED likewise, but etcl_tuning_<field>() judges the value
 *            OWN   etcl_setters_<field>() does it all
 *   context  GLOBAL   outside any section
 *            SERVER   also in a virtual host
 *            DIR      also in Directory, Location, Files
 *            FILEINFO also in .htaccess with AllowOverride FileInfo
 *            AUTHCFG  in Directory, Location, Files; in .htaccess with
 *                     AllowOverride AuthConfig
 *   kind     TEXT, FLAG (On or Off), WORDS, RAW (a whole line, judged),
 *            AUTO, SCRIPT, HANDLER, HEADERS, NETS (etcl_setters_dir.h),
 *            REQUEST
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
      "folders with modules for embedded mode")                                \
    X(MAIN, python_eggs, "WSGIPythonEggs", GLOBAL, TEXT,                       \
      "folder for files unpacked from eggs in embedded mode")                  \
    X(TUNED, python_optimize, "WSGIPythonOptimize", GLOBAL, TEXT,              \
      "0, 1 or 2, as python -O and -OO")                                       \
    X(TUNED, python_hash_seed, "WSGIPythonHashSeed", GLOBAL, TEXT,             \
      "random, or a number from 0 to 4294967295")                              \
    X(TUNED, python_warnings, "WSGIPythonWarnings", GLOBAL, TEXT,              \
      "a filter, as of python -W")                                             \
    X(TUNED, switch_interval, "WSGISwitchInterval", GLOBAL, TEXT,              \
      "seconds that a thread may keep Python's lock")                          \
    X(MAIN, dont_write_bytecode, "WSGIDontWriteBytecode", GLOBAL, FLAG,        \
      "whether Python writes no .pyc files")                                   \
    X(MAIN, destroy_interpreter, "WSGIDestroyInterpreter", GLOBAL, FLAG,       \
      "whether Python is finalized when a process ends")                       \
    X(MAIN, per_interpreter_gil, "WSGIPerInterpreterGIL", GLOBAL, FLAG,        \
      "whether each sub-interpreter has a lock of its own")                    \
    X(MAIN, free_threading, "WSGIFreeThreading", GLOBAL, FLAG,                 \
      "whether a free-threaded Python runs without its lock")                  \
    X(MAIN, restrict_stdin, "WSGIRestrictStdin", GLOBAL, FLAG,                 \
      "whether using sys.stdin raises")                                        \
    X(MAIN, restrict_stdout, "WSGIRestrictStdout", GLOBAL, FLAG,               \
      "whether writing to sys.stdout raises")                                  \
    X(MAIN, restrict_signal, "WSGIRestrictSignal", GLOBAL, FLAG,               \
      "whether applications may not install signal handlers")                  \
    X(MAIN, case_sensitivity, "WSGICaseSensitivity", GLOBAL, FLAG,             \
      "whether paths that differ in case are different scripts")               \
    X(MAIN, server_metrics, "WSGIServerMetrics", GLOBAL, FLAG,                 \
      "whether applications may see Apache's scoreboard")                      \
    X(OWN, interpreter_options, "<WSGIInterpreterOptions", GLOBAL, RAW,        \
      "[process-group=name] [application-group=name]>")                        \
    X(OWN, import_script, "WSGIImportScript", SERVER, RAW,                     \
      "file process-group=name application-group=name")                        \
    X(DIR, restrict_process, "WSGIRestrictProcess", DIR, WORDS,                \
      "names of the process groups that may be chosen")                        \
    X(TUNED, accept_mutex, "WSGIAcceptMutex", GLOBAL, TEXT,                    \
      "accepted; nothing needs it")                                            \
    X(MAIN, socket_rotation, "WSGISocketRotation", GLOBAL, FLAG,               \
      "accepted; sockets of a generation stay while it serves")                \
    X(MAIN, verbose_debugging, "WSGIVerboseDebugging", GLOBAL, FLAG,           \
      "accepted; use LogLevel etcl:debug")                                     \
    X(TUNED, telemetry_service, "WSGITelemetryService", GLOBAL, RAW,           \
      "accepted: unix:/path [interval=seconds]")                               \
    X(TUNED, telemetry_options, "WSGITelemetryOptions", GLOBAL, RAW,           \
      "accepted: [+|-]CaptureUserAgent, None or All")                          \
    X(TUNED, slow_requests, "WSGISlowRequests", GLOBAL, TEXT,                  \
      "accepted: seconds")                                                     \
    X(DIR, error_override, "WSGIErrorOverride", FILEINFO, FLAG,                \
      "whether ErrorDocument replaces error pages of applications")            \
    X(DIR, map_head, "WSGIMapHEADToGET", FILEINFO, AUTO,                       \
      "Off, On or Auto: whether applications see HEAD as GET")                 \
    X(DIR, ignore_activity, "WSGIIgnoreActivity", FILEINFO, FLAG,              \
      "whether requests do not count for inactivity-timeout")                  \
    X(DIR, enable_sendfile, "WSGIEnableSendfile", FILEINFO, FLAG,              \
      "whether files may be sent by the kernel")                               \
    X(DIR, internal_redirect, "WSGIInternalRedirect", FILEINFO, FLAG,          \
      "whether 200 with Location: /path is an internal redirect")              \
    X(DIR, pass_request, "WSGIPassApacheRequest", DIR, REQUEST,                \
      "accepted; there is no apache.request_rec")                              \
    X(DIR, trusted_headers, "WSGITrustedProxyHeaders", FILEINFO, HEADERS,      \
      "headers of proxies that are believed")                                  \
    X(DIR, trusted_proxies, "WSGITrustedProxies", FILEINFO, NETS,              \
      "addresses and networks of proxies")                                     \
    X(DIR, handler_script, "WSGIHandlerScript", DIR, HANDLER,                  \
      "handler-name file [option=value ...]")                                  \
    X(DIR, dispatch_script, "WSGIDispatchScript", DIR, SCRIPT,                 \
      "file [application-group=name] [process-group=name]")                    \
    X(DIR, access_script, "WSGIAccessScript", AUTHCFG, SCRIPT,                 \
      "file [application-group=name] [process-group=name]")                    \
    X(DIR, user_script, "WSGIAuthUserScript", AUTHCFG, SCRIPT,                 \
      "file [application-group=name] [process-group=name]")                    \
    X(DIR, group_script, "WSGIAuthGroupScript", AUTHCFG, SCRIPT,               \
      "file [application-group=name] [process-group=name]")                    \
    X(DIR, group_authoritative, "WSGIGroupAuthoritative", AUTHCFG, FLAG,       \
      "accepted; Require says what is needed")

#endif

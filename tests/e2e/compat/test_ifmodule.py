"""Contract 0, 1.10, 1.11: the names of the module, and directives of old."""

import pytest

import config

NAMES = ["mod_wsgi.c", "wsgi_module"]
OURS = ["mod_etcl.c", "etcl_module"]


@pytest.mark.parametrize("name", NAMES + [
    pytest.param(name, marks=pytest.mark.ours("our own name"))
    for name in OURS])
def test_if_module_is_true(make, mode, name):
    server = make(f"<IfModule {name}>\n"
                  "WSGIScriptAlias /p {apps}/probe.py\n</IfModule>\n"
                  f"<IfModule !{name}>\nNonsense\n</IfModule>", mode)
    assert server.ask("/p").body == b"probe"


@pytest.mark.parametrize("name", ["mod_wsgi2.c", "wsgi", "mod_python.c"])
def test_if_module_of_another_name_is_not(make, mode, name):
    server = make(f"<IfModule {name}>\nNonsense\n</IfModule>\n"
                  "WSGIScriptAlias /p {apps}/probe.py", mode)
    assert server.ask("/p").body == b"probe"


@pytest.mark.parametrize("line", [
    "LogLevel info wsgi:trace1", "LogLevel wsgi:debug",
    "LogLevel wsgi_module:info"])
def test_a_log_level_for_wsgi_is_accepted(configtest, line):
    code, said = configtest(line)
    assert code == 0, said


@pytest.mark.parametrize("line", [
    "WSGIVerboseDebugging On", "WSGIVerboseDebugging Off",
    "WSGIAcceptMutex default", "WSGISocketRotation Off",
    "WSGIPassApacheRequest On",
    "<Location /x>\nWSGIGroupAuthoritative Off\n</Location>"])
def test_what_has_no_effect_is_accepted(configtest, line):
    code, said = configtest(line)
    assert code == 0, said


TELEMETRY = ["WSGITelemetryService unix:{root}/run/t",
             "WSGITelemetryService unix:{root}/run/t interval=2",
             "WSGITelemetryOptions None", "WSGITelemetryOptions All",
             "WSGITelemetryOptions +CaptureUserAgent",
             "WSGITelemetryOptions -CaptureUserAgent"]


@pytest.mark.since6("new in 6.0")
@pytest.mark.parametrize("line", TELEMETRY + [
    "WSGISlowRequests 5", "WSGISlowRequests 0.5", "WSGISlowRequests 0"])
def test_a_directive_of_telemetry_is_accepted(configtest, line):
    code, said = configtest(line)
    assert code == 0, said


@pytest.mark.parametrize("line", [
    "WSGITelemetryService", "WSGITelemetryService udp:127.0.0.1:8125",
    "WSGITelemetryService unix:{root}/t interval=0.1",
    "WSGITelemetryService unix:{root}/t nonsense",
    "WSGITelemetryOptions Nonsense",
    "WSGITelemetryOptions CaptureUserAgent +CaptureUserAgent",
    "WSGISlowRequests -1", "WSGISlowRequests x"])
def test_nonsense_about_telemetry_is_refused(configtest, line):
    code, said = configtest(line)
    assert code != 0
    if not config.PEER:
        assert "Invalid command" not in said


@pytest.mark.ours("one warning names what replaces telemetry")
def test_telemetry_is_one_warning(make, mode):
    server = make("WSGITelemetryService unix:{root}/run/t\n"
                  "WSGITelemetryOptions +CaptureUserAgent\n"
                  "WSGIScriptAlias /p {apps}/probe.py", mode)
    assert server.ask("/p").body == b"probe"
    lines = [line for line in server.log.lines()
             if "elemetry" in line.text and line.level in ("warn", "raw")]
    # Apache reads its configuration twice; each reading may say it once.
    assert 1 <= len(lines) <= 2
    assert "ETCL" in lines[0].text


@pytest.mark.ours("WSGIAcceptMutex says that nothing needs it")
def test_accept_mutex_says_so(make):
    server = make("WSGIAcceptMutex flock\n"
                  "WSGIScriptAlias /p {apps}/probe.py", "daemon")
    assert server.ask("/p").body == b"probe"
    assert server.log.find("WSGIAcceptMutex")


@pytest.mark.since6("removed in 6.0")
@pytest.mark.parametrize("line", [
    "WSGILazyInitialization On", "WSGIPy3kWarningFlag On",
    "WSGINewRelicConfigFile {root}/x", "WSGINewRelicEnvironment x"])
def test_what_6_removed_is_an_invalid_command(configtest, line):
    code, said = configtest(line)
    assert code != 0 and "Invalid command" in said


@pytest.mark.parametrize("line", [
    "WSGIReloadMechanism Module", "WSGIOutputBuffering On",
    "WSGIAllowReloading On", "WSGINonsense On"])
def test_what_is_gone_for_long_is_an_invalid_command(configtest, line):
    code, said = configtest(line)
    assert code != 0 and "Invalid command" in said


def test_the_banner_names_the_module(make, mode):
    server = make("ServerTokens Full\n"
                  "WSGIScriptAlias /p {apps}/probe.py", mode)
    banner = server.ask("/p").get("Server")
    assert ("mod_wsgi/" if config.PEER else "mod_etcl/") in banner


@pytest.mark.ours("both modules together cannot work")
def test_both_modules_at_once_are_refused(configtest):
    code, said = configtest(
        f"LoadModule wsgi_module {config.MODULES}/mod_wsgi.so\n"
        "WSGIScriptAlias /p {apps}/probe.py")
    assert code != 0
    assert "mod_wsgi" in said

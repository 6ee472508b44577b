"""Flask, as its documentation deploys it."""

import flask

application = flask.Flask(__name__)
application.secret_key = "a test's own secret"


@application.route("/")
def index():
    return flask.render_template_string("<h1>{{ word }}</h1>", word="Flask")


@application.route("/form", methods=["POST"])
def form():
    upload = flask.request.files["file"]
    return flask.jsonify(name=flask.request.form["name"],
                         size=len(upload.read()), filename=upload.filename)


@application.route("/session")
def session():
    flask.session["count"] = flask.session.get("count", 0) + 1
    return str(flask.session["count"])


@application.route("/stream")
def stream():
    return flask.Response((f"{number}\n" for number in range(1000)),
                          mimetype="text/plain")


@application.route("/file")
def file():
    return flask.send_file(__file__, mimetype="text/x-python",
                           conditional=True)


@application.route("/redirect")
def redirect():
    return flask.redirect(flask.url_for("index", _external=True))


@application.route("/boom")
def boom():
    raise RuntimeError("boom in Flask")

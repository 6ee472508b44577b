"""A Django project in one file, with what `startproject` turns on."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

CONTRIB = ("admin", "auth", "contenttypes", "sessions", "messages",
           "staticfiles")
CONTEXT = "django.contrib.auth.context_processors.auth"
MESSAGES = "django.contrib.messages.context_processors.messages"
REQUEST = "django.template.context_processors.request"

settings.configure(
    SECRET_KEY="a benchmark keeps no secrets",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[f"django.contrib.{name}" for name in CONTRIB],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [REQUEST, CONTEXT, MESSAGES]},
    }],
    STATIC_URL="/static/",
)
application = get_wsgi_application()


def hello(request):
    return HttpResponse("Hello World!\n", content_type="text/plain")


def urls():
    """The routes: admin only after the applications are there."""
    from django.contrib import admin
    from django.urls import path
    return [path("admin/", admin.site.urls), path("hello", hello)]


urlpatterns = urls()

"""The WSGI callable that the server looks for: application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "etcl.settings")

application = get_wsgi_application()

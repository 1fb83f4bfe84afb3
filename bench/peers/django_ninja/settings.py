"""Settings of the Django-Ninja service: only what placing an order needs."""

import os
import secrets

DEBUG = False
# Signs nothing here (no sessions, no forms), but Django wants one.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(32)
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "api"
WSGI_APPLICATION = "wsgi.application"
INSTALLED_APPS = ["ledger"]
# No middleware: sessions, CSRF and the like would only slow an API with keys.
MIDDLEWARE: list[str] = []
USE_TZ = True
USE_I18N = False

POOL_SIZE = int(os.environ.get("PEER_POOL", "16"))

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
        "OPTIONS": {
            # Psycopg's own pool, shared by the threads of a worker.
            "pool": {"min_size": POOL_SIZE, "max_size": POOL_SIZE, "timeout": 10},
            # Real parameters, and a prepared statement from its first use.
            "server_side_binding": True,
            "prepare_threshold": 0,
        },
    }
}

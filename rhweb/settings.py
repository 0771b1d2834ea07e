"""Settings: every value of the project in one place, read from the environment by `rhweb.env`.

Everything starts with nothing set: SQLite in the data folder, the sandbox as upstream, mails on the console.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from rhweb import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.folder("RHWEB_DATA_DIR", BASE_DIR / "var")

# The portal
SITE_NAME = env.text("RHWEB_SITE_NAME", "Soundroom")
PUBLIC_URL = env.url("RHWEB_PUBLIC_URL")
DEBUG = env.flag("RHWEB_DEBUG")
SECRET_KEY = env.secret("RHWEB_SECRET_KEY", keep_in=DATA_DIR / "secret-key")
SECRET_KEY_FALLBACKS = env.secrets_of("RHWEB_SECRET_KEY_FALLBACKS")
OPEN_SIGNUP = env.flag("RHWEB_OPEN_SIGNUP")
OIDC_URL = env.url("RHWEB_OIDC_URL")  # an OpenID Connect provider that people may sign in through
OIDC_CLIENT_ID, OIDC_SECRET = env.text("RHWEB_OIDC_CLIENT_ID"), env.text("RHWEB_OIDC_SECRET")
OIDC_NAME = env.text("RHWEB_OIDC_NAME", "single sign-on") if OIDC_URL else ""
if OIDC_URL and not OIDC_CLIENT_ID:
    raise env.EnvError("RHWEB_OIDC_URL is set without RHWEB_OIDC_CLIENT_ID; the provider gives both.")
ALLOWED_HOSTS = env.names("RHWEB_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")) + (
    [urlsplit(PUBLIC_URL).hostname or ""] if PUBLIC_URL else []
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
MAX_OUTPUT_BYTES = env.integer("RHWEB_MAX_OUTPUT_BYTES", 1024**3, least=1024, most=2**40)
MAX_UPLOAD_BYTES = env.integer("RHWEB_MAX_UPLOAD_BYTES", 500 * 1024**2, least=1024, most=2**40)
MIN_FREE_BYTES = env.integer("RHWEB_MIN_FREE_BYTES", 1024**3, least=0, most=2**60)  # 0: never stop accepting
ACCEL_PREFIX = env.text("RHWEB_ACCEL_PREFIX")
WEBHOOK_NETWORKS = env.networks(
    "RHWEB_WEBHOOK_NETWORKS"
)  # private ones that webhooks may be sent to all the same
LISTENS = env.flag(
    "RHWEB_LIVE_PROGRESS", default=True
)  # to what running apps and workflows tell of themselves
SPEECH_WAIT = env.decimal(
    "RHWEB_SPEECH_WAIT", 60, least=0, most=300
)  # seconds that a call of speech waits at most
METRICS_TOKEN = env.text("RHWEB_METRICS_TOKEN")

# Upstream. Without a key the sandbox answers; it takes any key of 32 characters.
RUNNINGHUB_API_KEY = env.text("RUNNINGHUB_API_KEY")
SANDBOX_URL = env.url("RHWEB_SANDBOX_URL", "http://127.0.0.1:8188")
SANDBOX_KEY = hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:32]
USES_SANDBOX = not RUNNINGHUB_API_KEY
RUNNINGHUB_BASE_URL = (
    SANDBOX_URL if USES_SANDBOX else env.url("RUNNINGHUB_BASE_URL", "https://www.runninghub.ai")
)
RUNNINGHUB_FORMER_API_KEY = env.text("RUNNINGHUB_FORMER_API_KEY")  # until the last task of it has ended
EXTRA_SITES = env.urls("RHWEB_EXTRA_SITES")  # where else teams may have connections of their own
RUNNINGHUB_SLOTS = env.integer("RUNNINGHUB_SLOTS", 0, least=0, most=100_000)  # 0: ask upstream
CONNECT_SECONDS, READ_SECONDS, SUBMIT_SECONDS = 5.0, 20.0, 60.0  # patience with upstream; leases are longer
CALLS_PER_SECOND = 0.0  # submits and queries of one connection; 0: as many as it has slots, at least 20
CNY_PER_USD = env.decimal("RHWEB_CNY_PER_USD", 7.1, least=0.01, most=1000)

# Applications
INSTALLED_APPS = [
    "rhweb",
    "accounts",
    "generations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_q",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "generations.views.webhook.Doorbell",
    "generations.views.api.freshness.Unchanged",
    "csp.middleware.CSPMiddleware",
    "generations.uploads.incoming.NothingLeft",
    "generations.views.errors.NotAllowed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.Audited",
    "accounts.middleware.SignInRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "rhweb.urls"
WSGI_APPLICATION = "rhweb.wsgi.application"
SILENCED_SYSTEM_CHECKS = ["files.E001"]  # the folder of incoming files is made when the first one comes

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "generations.views.shell.shell",
            ],
        },
    }
]

# Rows and files
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR / "rhweb.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": env.storage("RHWEB_STORAGE_URL", MEDIA_ROOT),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
FILE_UPLOAD_HANDLERS = ["generations.uploads.incoming.Incoming"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
# The form of an AI app may have 300 inputs, with eight settings each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000

REDIS_URL = env.redis("REDIS_URL")
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "rhweb_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# The queue. The defaults of django-q2 would run a task twice whenever it outlives `retry`, and would repeat a
# failed task for ever; both are dangerous where a task spends money, so every value that matters is spelled out.
# `retry` > `timeout` * (2 + (queue_limit + 1) / workers), because the lock of a task starts when it is fetched.
Q_CLUSTER = {
    "name": "rhweb",
    "orm": "default",
    "workers": 4,
    "timeout": 240,
    "retry": 1800,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": 3,
    "bulk": 1,
    "poll": 0.2,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "label": "Queue",
    "guard_cycle": 1,
}

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # of those who sign up by themselves, see accounts.adapter
ACCOUNT_FORMS = {"signup": "accounts.forms.SignUp"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "10/m/ip,3/10m/key",
    "change_password": "5/m/user",
    "signup": "10/m/ip",
    "invitation": "20/m/ip",  # links that let nobody in
    "invitation_mail": "10/m/ip,3/10m/key",
    "share": "30/m/ip",  # links for outsiders that lead nowhere
    # Wrong ones. That for a link is more than one place may try, so that nobody alone can shut everybody out.
    "share_password": "10/m/ip,300/10m/key",
}
# Behind the proxy that HTTPS needs, everybody has the proxy's address, and one person's failed sign-ins would lock
# out all; so the last address of X-Forwarded-For counts, which is the one that the proxy itself wrote.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if PUBLIC_URL.startswith("https://") else 0
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on.SingleSignOn"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_SECRET,
                "settings": {"server_url": OIDC_URL, "oauth_pkce_enabled": True},
            }
        ]
        if OIDC_URL
        else []
    }
}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"  # an address that the provider did not verify comes nowhere near it
# A link, not a form: what a form leads to elsewhere, browsers hold to `form-action`, and a provider may lead further.
SOCIALACCOUNT_LOGIN_ON_GET = True
MFA_ADAPTER = "accounts.adapter.SecondFactor"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # a code more on either side, for telephones whose clock is a little off
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses that a manager or a command wrote are not confirmed by mail
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PUBLIC_URL.startswith(
    "https://"
)  # browsers allow it on localhost alone
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

SESSION_ENGINE = f"django.contrib.sessions.backends.{'cached_db' if REDIS_URL else 'db'}"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_NAME = "rhweb_session"
CSRF_COOKIE_NAME = "rhweb_csrf"
CSRF_FAILURE_VIEW = "generations.views.errors.csrf_failure"

# Safety in the browser
_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SECURE_SSL_REDIRECT = _SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Words
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

for _name, _value in env.email("RHWEB_EMAIL_URL").items():
    globals()[_name] = _value
DEFAULT_FROM_EMAIL = env.text("RHWEB_EMAIL_FROM", f"{SITE_NAME} <no-reply@{ALLOWED_HOSTS[-1].strip('[]')}>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("RHWEB_LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "rhweb": {"level": env.text("RHWEB_LOG_LEVEL", "INFO").upper()},
        # They tell whole addresses: one call of RunningHub wants the key in its address, and the address at which a
        # task tells of its progress has a secret in it.
        "urllib3": {"level": "ERROR"},
        "websockets": {"level": "ERROR"},
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
if LOGGING["root"]["level"] not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:  # type: ignore[index]
    raise env.EnvError("RHWEB_LOG_LEVEL is not a level; write DEBUG, INFO, WARNING or ERROR.")

"""Settings of one installation, read from the environment (see `.env.example` for every name).

`LOCAL=on` is the one-machine mode of `./dev`: plain http on the loopback interface and no second factor for staff.
Anything else is production, which refuses to start half-safe.
"""

import re
from base64 import urlsafe_b64encode
from datetime import date, timedelta
from email.utils import formataddr
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Which installation this is -------------------------------------------------------------------------------------

LOCAL = env.bool("LOCAL", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=not LOCAL)
MAINTENANCE = env.bool("MAINTENANCE", default=False)

if not LOCAL:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is on: error pages would show members' data. Unset DEBUG.")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or "insecure" in SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY must be at least 50 random characters. See .env.example.")
    if not STAFF_MFA_REQUIRED:
        raise ImproperlyConfigured("STAFF_MFA_REQUIRED is off: staff can only work here with a second factor.")

# Keys that lock restricted notes: the first locks, all of them open. Without any, such notes are not taken.
FIELD_KEYS = env.list("FIELD_KEYS", default=[])
if LOCAL and not FIELD_KEYS:
    FIELD_KEYS = [urlsafe_b64encode(sha256(f"field keys {SECRET_KEY}".encode()).digest()).decode()]
for key in FIELD_KEYS:
    if not re.fullmatch(r"[\w-]{43}=", key, re.ASCII):
        raise ImproperlyConfigured("FIELD_KEYS has a key that is not 32 random bytes in base64. See .env.example.")

SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
SITE_NAME = env.str("SITE_NAME", default="Meetings")
if not SITE_NAME.isprintable():
    raise ImproperlyConfigured("SITE_NAME has a line break or another invisible character. Use plain letters.")
SITE_HOST = urlsplit(SITE_URL).hostname or "localhost"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"] if LOCAL else [SITE_HOST])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Apps and the way a request takes -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "reports",
    "meetings",
    "centre",
    "lab",
    "groups",
    "members",
    "audit",
    "outbox",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "members.apps.StaffSiteConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "recovery_groups.maintenance.MaintenanceMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "members.middleware.AuthenticationMiddleware",
    "members.middleware.SessionLimitsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "members.middleware.MemberLanguageMiddleware",
    "members.middleware.DisplayMiddleware",
    "members.middleware.StaffSecondFactorMiddleware",
    "members.middleware.PrivatePagesMiddleware",
]

ROOT_URLCONF = "recovery_groups.urls"
WSGI_APPLICATION = "recovery_groups.wsgi.application"
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
                "members.context_processors.site",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Storage --------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default="postgres://postgres@127.0.0.1/recovery_groups")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
# A pool loses next to no request when PostgreSQL restarts; few connections also keep a hot row fast.
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 0, "max_size": 8, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits and codes live in the cache: in the database they outlive a broker that is down.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not LOCAL
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
ZONE_COOKIE_NAME = "zone"  # what the device says; static/site.js keeps it up to date
DISPLAY_COOKIE_NAME = "display"  # what a visitor chose: size of the words, time zone
DEFAULT_TIME_ZONE = env.str("DEFAULT_TIME_ZONE", default="America/Los_Angeles")  # of new groups

# --- Signing in -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my_week"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "members.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "members.forms.LoginForm", "signup": "members.forms.SignupForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# It is offered only where the address was free, and so tells which are taken. Signing up again does the same.
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# Mail can take some minutes, and a code may live ten (NIST SP 800-63B-4 §3.1.3).
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = None  # asked when signing in; else the cookie goes with the browser (session_limits.begin)
# Beside allauth's own: the same count of the same addresses.
ACCOUNT_RATE_LIMITS = {
    "question": "10/h/ip",
    "invitation": "60/m/ip",
    "letter": "20/d/user",
    "verify": "30/h/ip",
    "check_in": "10/10m/user",  # a whole room shares one address
    "wrong_link": "60/m/ip",
    "mail_link": "30/m/key",
}
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(SITE_URL).scheme
MFA_ADAPTER = "members.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL
MFA_FORMS = {
    "activate_totp": "members.forms.AppCodesForm",
    "add_webauthn": "members.forms.AddPasskeyForm",
    "edit_webauthn": "members.forms.RenamePasskeyForm",
}
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # clocks of cheap phones are off by half a minute
MFA_RECOVERY_CODES_SHOW_ONCE = True
USERSESSIONS_TRACK_ACTIVITY = False  # it would store addresses of people's devices
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# --- Browser and transport ------------------------------------------------------------------------------------------

# Where "Leave this page" goes: somewhere plain that says nothing about the person.
LEAVE_URL = env.str("LEAVE_URL", default="https://www.wikipedia.org/")

SESSION_ENGINE = "members.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Sessions end by themselves: after so long without anybody acting in them, and so long after signing in (SEC-07).
MEMBER_IDLE = timedelta(minutes=env.int("MEMBER_IDLE_MINUTES", default=60))
MEMBER_SESSION = timedelta(days=env.int("MEMBER_SESSION_DAYS", default=14))
STAFF_IDLE = timedelta(minutes=env.int("STAFF_IDLE_MINUTES", default=15))
STAFF_SESSION = timedelta(hours=env.int("STAFF_SESSION_HOURS", default=12))
SESSION_COOKIE_AGE = int(MEMBER_SESSION.total_seconds())
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "recovery_groups.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not LOCAL:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Browsers check the redirect of a form too: "Leave this page" ends on another host.
        "form-action": [SELF, "{0.scheme}://{0.netloc}".format(urlsplit(LEAVE_URL))],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")
}

# --- Mail -----------------------------------------------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="smtp://127.0.0.1:1025"))
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)  # seconds a mail server may be silent
MAIL_SENDERS = env.int("MAIL_SENDERS", default=3)  # how many send at a time, when there is much to send
MAIL_LINES = env.int("MAIL_LINES", default=8)  # connections to it that each of them keeps
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=formataddr((SITE_NAME, f"account@{SITE_HOST}")))
REMINDERS_FROM_EMAIL = env.str("REMINDERS_FROM_EMAIL", default=formataddr((SITE_NAME, f"reminders@{SITE_HOST}")))
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="")  # where mail that does not arrive is reported
BOUNCE_MAILBOX = env.str("BOUNCE_MAILBOX", default="")  # and where those reports are read: a maildir or imaps://
# A mail provider that reports by webhook; needs django-anymail. Its keys are those of Anymail, such as WEBHOOK_SECRET.
ANYMAIL_PROVIDER = env.str("ANYMAIL_PROVIDER", default="")
ANYMAIL = env.json("ANYMAIL", default={})
if ANYMAIL_PROVIDER and len(str(ANYMAIL.get("WEBHOOK_SECRET", ""))) < 20:
    raise ImproperlyConfigured("ANYMAIL needs a WEBHOOK_SECRET, name:password, of 20 characters or more.")
DKIM_SELECTORS = env.list("DKIM_SELECTORS", default=[])  # the keys that the mail server signs with, for check_mail
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Kinds of mail that this site may do without.
MAILS_OPTIONAL = ("week", "welcome", "missed", "roster_open", "figures")
MAILS_OFF = env.list("MAILS_OFF", default=[])
if unknown := set(MAILS_OFF) - set(MAILS_OPTIONAL):
    raise ImproperlyConfigured(f"MAILS_OFF has {', '.join(sorted(unknown))}: it can have {', '.join(MAILS_OPTIONAL)}.")

# --- Figures for Prometheus: /metrics exists only with a token --------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and (len(METRICS_TOKEN) < 20 or not METRICS_TOKEN.isascii() or not METRICS_TOKEN.isprintable()):
    raise ImproperlyConfigured("METRICS_TOKEN must be at least 20 plain characters, so that nobody guesses it.")

# --- Celery: wakes the work up; what is due and what is done stand in PostgreSQL --------------------------------------

CELERY_BROKER_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that answers but takes nothing, because its disk or its memory is full or it became a replica, is waited for
# like one that is away: Celery would else end the worker. However long it takes: it would else end after 100 attempts.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# The shortest visibility timeout of all apps on a broker wins, and it must outlast the longest task.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "global_keyprefix": "recovery_groups:",
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # its logs too are written as LOGGING says
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_TIMEZONE = "UTC"
TICK_SECONDS = env.float("TICK_SECONDS", default=300.0)  # how often beat asks what is due
CELERY_BEAT_SCHEDULE = {
    # A tick that found no worker in time is dropped: the next one asks the same question.
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds * 0.95}}
    for name, task, seconds in (
        ("queue-due-reminders", "meetings.tasks.queue_due_reminders", TICK_SECONDS),
        ("queue-roster-nudges", "meetings.tasks.queue_roster_nudges", 3 * TICK_SECONDS),
        ("queue-welcomes", "meetings.tasks.queue_welcomes", 3 * TICK_SECONDS),
        ("queue-missed-you", "meetings.tasks.queue_missed_you", 3 * TICK_SECONDS),
        ("queue-week-figures", "reports.tasks.queue_week_figures", 3 * TICK_SECONDS),
        ("lapse-offers", "meetings.tasks.lapse_offers", min(TICK_SECONDS, 60.0)),
        ("settle-begun", "meetings.tasks.settle_begun", min(TICK_SECONDS, 60.0)),
        ("deliver-outbox", "outbox.tasks.deliver_outbox", min(TICK_SECONDS, 60.0)),
        *([("process-bounces", "outbox.tasks.process_bounces", TICK_SECONDS)] if BOUNCE_MAILBOX else []),
        ("extend-series", "meetings.tasks.extend_series", 3600.0),
        ("forget-messages", "meetings.tasks.forget_messages", 3 * TICK_SECONDS),
        ("forget-turns", "meetings.tasks.forget_turns", 3600.0),
        ("erase-old-questions", "centre.tasks.erase_old_questions", 3600.0),
    )
}

# --- How meetings are run here ----------------------------------------------------------------------------------------

WEEKS_AHEAD = 12  # dated meetings kept ready
DEFAULT_CAPACITY = 12  # SAMHSA advisory on TIP 41: 6 to 12 people
REMIND_BEFORE = (timedelta(hours=24), timedelta(hours=48))
REMIND_SAME_DAY = (timedelta(hours=3), timedelta(hours=14))  # for those who want it on the day
REMIND_EVENING_BEFORE = timedelta(hours=18)  # the same, for a meeting before noon: else no hour of day is left
REMIND_LATEST = timedelta(hours=2)  # after an outage a reminder still helps until then
REMIND_LOOK_BACK = timedelta(hours=36)  # what began since then and nobody was reminded of is noted as too late
REMIND_HOURS = (9, 19)  # in the group's own zone
ROSTER_NUDGE_DAYS = (1, 8, 15)  # after a meeting of which nobody has noted who came
OUTREACH_AFTER_MISSED = 2  # meetings in a row at which somebody had a place and was not there (OPS-15)
NEARLY_FULL_PERCENT = 90  # of the places of the next meeting taken: staff are told that a group fills up
GROUP_MESSAGES_PER_HOUR = 3  # that those who run a group can send to its people
GROUP_MESSAGE_HOURS = 48  # so long a message helps; one about a meeting never past its end
OFFER_HOURS = 24  # a freed place is kept for the next in line, never past the start
# The town the groups are in, told to other sites instead of addresses: `City, ST, Country`.
CENTRE_AREA = env.str("CENTRE_AREA", default="Riverside, CA, USA" if LOCAL else "USA")
# Sites that may show our dates in a frame of theirs, such as `https://town.example`; none: there is no such page.
EMBED_SITES = env.list("EMBED_SITES", default=[])
for site in EMBED_SITES:
    if not re.fullmatch(r"https?://[\w.-]+(:\d+)?", site, re.ASCII):
        raise ImproperlyConfigured(f"EMBED_SITES has {site!r}: write each as https://town.example, without a path.")
LINK_OPENS_BEFORE = timedelta(minutes=60)
LOG_LOOK_BACK = timedelta(days=45)  # unsigned logs of older meetings are chased no more
# What 42 CFR 2.32 wants said wherever records of a person go; the short statement.
PART_2_NOTICE = _("42 CFR part 2 prohibits unauthorized use or disclosure of these records.")
SIGN_IN_SLIPS = env.bool("SIGN_IN_SLIPS", default=False)  # a slip for each person instead of one sheet for all
SMALLEST_COUNT_SHOWN = 11  # to people who may only see aggregates

# --- Help now: check these numbers when you install, and again each year ----------------------------------------------

HELP_CHECKED_ON = date(2026, 11, 21)
HELP_LINES = [
    {
        "name": _("In danger right now"),
        "call": "911",
        "text": "",
        "about": _("Police, fire, ambulance."),
    },
    {
        "name": _("988 Suicide & Crisis Lifeline"),
        "call": "988",
        "text": "988",
        "about": _("Any hour, free. Press 2 for Spanish. Veterans press 1."),
    },
    {
        "name": _("SAMHSA National Helpline"),
        "call": "1-800-662-4357",
        "text": "",
        "about": _("Any hour, free, English and Spanish. Finds treatment and support near you."),
    },
]

# --- The centre that runs the groups ----------------------------------------------------------------------------------

CENTRE_NAME = env.str("CENTRE_NAME", default="")
CENTRE_PHONE = env.str("CENTRE_PHONE", default="")
CENTRE_EMAIL = env.str("CENTRE_EMAIL", default="")
CENTRE_HOURS = env.str("CENTRE_HOURS", default="")
QUESTIONS_KEPT_DAYS = env.int("QUESTIONS_KEPT_DAYS", default=90)  # after they were asked, and at most
QUESTIONS_KEPT_DAYS_AFTER_ANSWER = env.int("QUESTIONS_KEPT_DAYS_AFTER_ANSWER", default=30)

# --- Logs: ids, never names, addresses or what was asked for ----------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "recovery_groups.logs.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"level": "INFO"},  # without the handlers Django gives it: they would write it all
        # Django logs the path of each failed request; a path can hold a token.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
    },
}

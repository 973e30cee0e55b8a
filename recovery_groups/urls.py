from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import import_string

from . import health, metrics, styleguide

admin.autodiscover()
# One way to sign in: limited, with the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as the library says

handler400 = "recovery_groups.errors.bad_request"

urlpatterns = [
    path("", import_string("meetings.views.home"), name="home"),
    path("my/", import_string("meetings.views.my_week"), name="my_week"),
    path("", include("members.urls")),
    path("", include("outbox.urls")),
    path("", include("meetings.urls")),
    path("contact/", include("centre.urls")),
    path("", include("groups.urls")),
    path("reports/", include("reports.urls")),
    # As allauth has it, but for the name of the file.
    path(
        "accounts/2fa/recovery-codes/download/",
        import_string("members.views.spare_codes"),
        name="mfa_download_recovery_codes",
    ),
    path("accounts/", include("allauth.urls")),
    path("language/", import_string("members.views.set_language"), name="set_language"),
    path("admin/wording/", include("lab.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
if settings.ANYMAIL_PROVIDER:
    urlpatterns += [
        path("anymail/", include(import_string("outbox.provider.tracking_urls")(settings.ANYMAIL_PROVIDER)))
    ]
if settings.DEBUG:
    urlpatterns += [path("styleguide/", styleguide.styleguide, name="styleguide")]

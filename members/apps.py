from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")
    default = True

    def ready(self):
        from django.contrib.auth.signals import user_logged_in
        from django.core.validators import validate_email

        from . import my_data, session_limits, start_page

        my_data.register_parts()
        start_page.register_parts()
        # In every form: what is wrong, and how it should be. Django's own words are harder, most of all in Spanish.
        validate_email.message = _("Something is not right in this address. It should look like kim@example.org.")
        # Django saves the session right after this: its times cost no write of their own.
        user_logged_in.connect(lambda request, **_: session_limits.begin(request.session), weak=False)


class StaffSiteConfig(admin_apps.AdminConfig):
    """Django's admin with a site of our own; named in INSTALLED_APPS."""

    default_site = "members.scoped_admin.StaffSite"
    default = False

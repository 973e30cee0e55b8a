from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")
    default = True


class StaffSiteConfig(admin_apps.AdminConfig):
    """Django's admin with a site of our own; named in INSTALLED_APPS."""

    default_site = "members.scoped_admin.StaffSite"
    default = False

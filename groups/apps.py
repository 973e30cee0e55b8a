from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = _("Groups")

    def ready(self):
        from . import mails, my_data, start_page

        mails.register()
        my_data.register_parts()
        start_page.register_parts()

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CentreConfig(AppConfig):
    name = "centre"
    verbose_name = _("The centre")

    def ready(self):
        from . import mails, my_data

        mails.register()
        my_data.register_parts()

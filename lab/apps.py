from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LabConfig(AppConfig):
    name = "lab"
    verbose_name = _("Wording of mails")

    def ready(self):
        from . import my_data

        my_data.register_parts()

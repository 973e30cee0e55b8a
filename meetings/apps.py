from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeetingsConfig(AppConfig):
    name = "meetings"
    verbose_name = _("Meetings")

    def ready(self):
        from . import mails, more_mails, my_data, start_page

        mails.register()
        more_mails.register()
        my_data.register_parts()
        start_page.register_parts()

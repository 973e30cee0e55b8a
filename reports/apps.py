from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self):
        from . import mails, my_data

        mails.register()
        my_data.register_parts()

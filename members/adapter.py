import base64
import hashlib
import logging

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from outbox import bounces

from . import devices

logger = logging.getLogger(__name__)


WAYS = {
    "reauthenticate": _("Use my password"),
    "mfa_reauthenticate": _("Use a code"),
    "mfa_reauthenticate:webauthn": _("Use my passkey"),
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up asks for e-mail, display name and password, nothing else."""

    def save_user(self, request, user, form, commit=True):
        user.display_name = form.cleaned_data["display_name"]
        user.language = request.LANGUAGE_CODE if request.LANGUAGE_CODE in dict(settings.LANGUAGES) else "en"
        return super().save_user(request, user, form, commit)

    def send_mail(self, template_prefix, email, context):
        """Send, or go on without: an error page while the mail server is away would tell who has an account."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # every error of smtplib is one
            logger.warning("account mail not sent: %s", type(error).__name__)

    def post_login(self, request, user, **kwargs):
        """Whoever lands elsewhere than on my week hears here what stands there about their address."""
        response = super().post_login(request, user, **kwargs)
        if bounces.sends_mail_back(user) and response.get("Location") != reverse("my_week"):
            messages.warning(request, _("Our mail does not reach you. “My week” says what you can do."))
        return response

    def get_reauthentication_methods(self, user):
        """Whoever has a second factor confirms with it: a password alone could otherwise take the factor away."""
        methods = [
            method | {"description": WAYS.get(method["id"], method["description"])}
            for method in super().get_reauthentication_methods(user)
        ]
        return [method for method in methods if method["id"].startswith("mfa_")] or methods


class MFAAdapter(DefaultMFAAdapter):
    """Keeps the secrets of second factors encrypted in the database."""

    def generate_authenticator_name(self, user, type) -> str:
        """A new passkey is called by the device it is made on, until its owner calls it something else."""
        return devices.in_words(context.request.headers.get("user-agent", ""))

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()


def _fernet() -> Fernet:
    key = hashlib.sha256(b"members.mfa" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from groups.models import Group
from members.models import Member


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, staff: Member):
        """For coordinators, who answer. What people write is no business of the operator."""
        return self if staff.is_coordinator else self.none()

    def open(self):
        return self.filter(taken_at=None, answered_at=None)

    def taken(self):
        return self.filter(taken_at__isnull=False, answered_at=None)

    def answered(self):
        return self.filter(answered_at__isnull=False)

    def asked_within(self, period: timedelta):
        return self.filter(asked_at__gt=timezone.now() - period)

    def old(self):
        """Those that are to be erased: answered, or asked, long enough ago."""
        now = timezone.now()
        return self.filter(
            Q(answered_at__lte=now - timedelta(days=settings.QUESTIONS_KEPT_DAYS_AFTER_ANSWER))
            | Q(asked_at__lte=now - timedelta(days=settings.QUESTIONS_KEPT_DAYS))
        )


class Question(models.Model):
    """What somebody asks the centre, signed in or not. It is linked to no account, and erased on schedule."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=43, unique=True, editable=False, help_text="of the form it was sent with")
    message = models.TextField(_("question"))
    name = models.CharField(_("name"), max_length=60, blank=True)
    reach = models.CharField(_("e-mail address or phone number"), max_length=120, blank=True)
    good_time = models.CharField(_("good time"), max_length=120, blank=True)
    may_leave_message = models.BooleanField(_("we may leave a message"), default=False)
    group = models.ForeignKey(
        Group, models.SET_NULL, verbose_name=_("about the group"), null=True, blank=True, related_name="questions"
    )
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    taken_by = models.ForeignKey(
        Member, models.SET_NULL, verbose_name=_("taken by"), null=True, blank=True, related_name="+"
    )
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = [F("answered_at").desc(nulls_first=True), "asked_at"]
        constraints = [
            models.CheckConstraint(name="question_says_something", condition=~Q(message="")),
            models.CheckConstraint(
                name="question_message_left_where_it_can_be", condition=Q(may_leave_message=False) | ~Q(reach="")
            ),
            models.CheckConstraint(
                name="question_taken_has_a_time", condition=Q(taken_by=None) | Q(taken_at__isnull=False)
            ),
            models.CheckConstraint(
                name="question_answered_was_taken", condition=Q(answered_at=None) | Q(taken_at__isnull=False)
            ),
        ]

    def __str__(self):
        """For logs and the history of the admin, which outlive the question: nothing of what it says."""
        return f"Q-{str(self.pk)[:8].upper()}"

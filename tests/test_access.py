"""Who may open what: every address, with each method, as each person of the cast. An address nobody listed fails.

Willow is listed for everybody; Mia is in it, Carol runs it. Cedar is not listed; Nora is in it, Dan runs it.
"""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from groups.models import Invitation, Membership
from groups.services import invite
from meetings.access import answer_token
from meetings.models import Participation
from members.services import open_calendar
from tests import make

PEOPLE = ["visitor", "vera", "mia", "nora", "carol", "dan", "olga", "rita", "sam"]

# Status for visitor, vera (no group), mia, nora, carol, dan, olga (coordinator), rita (reports), sam (superuser).
ALL_SEE = [200] * 9
SIGN_IN = 302
METHOD = 405


def _for_olga(status: int) -> list[int]:
    """What the coordinator gets; everybody else is refused."""
    return [SIGN_IN, 403, 403, 403, 403, 403, status, 403, 403]


COORDINATES = _for_olga(200)

TABLE = {
    # name: {method: {object: statuses}}
    "home": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "my_week": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [METHOD] * 8}},
    "healthz": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "readyz": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "metrics": {"GET": {"": [404] * 9}, "POST": {"": [METHOD] * 9}},  # with a token: test_metrics.py
    "set_language": {"GET": {"": [302] * 9}, "POST": {"": [302] * 9}},
    "members:help_now": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "members:leave_page": {"GET": {"": [METHOD] * 9}, "POST": {"": [302] * 9}},
    "members:display": {"GET": {"": ALL_SEE}, "POST": {"": [400] * 9}},
    "members:settings": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [METHOD] * 8}},
    "members:my_data": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [METHOD] * 8}},
    "members:my_data_part": {"GET": {"part": [SIGN_IN] + [200] * 8}, "POST": {"part": [SIGN_IN] + [METHOD] * 8}},
    # All of it in one file: each shows once more who they are.
    "members:my_data_take": {"GET": {"": [302] * 9}, "POST": {"": [302] * 9}},
    "members:display_name": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    "members:mail_works": {"GET": {"": [SIGN_IN] + [METHOD] * 8}, "POST": {"": [SIGN_IN] + [302] * 8}},
    "members:stay": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [204] * 8}},
    "members:draft": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [302] * 9}},
    "members:draft_send": {"GET": {"": [SIGN_IN] + [METHOD] * 8}, "POST": {"": [302] * 9}},
    "members:sign_out_everywhere": {"GET": {"": [SIGN_IN] + [METHOD] * 8}, "POST": {"": [302] * 9}},
    "meetings:week_seen": {"GET": {"": [SIGN_IN] + [METHOD] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    "meetings:my_attendance": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [METHOD] * 8}},
    "meetings:reminders": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    "centre:contact": {"GET": {"": ALL_SEE}, "POST": {"": [400] * 9}},
    "centre:sent": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "outbox:unsubscribe": {"GET": {"token": ALL_SEE}, "POST": {"token": ALL_SEE}},
    "meetings:meeting_list": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "meetings:meeting_detail": {
        "GET": {"willow": ALL_SEE, "cedar": [404, 404, 404, 200, 404, 200, 200, 404, 200]},
        "POST": {"willow": [METHOD] * 9, "cedar": [METHOD] * 9},
    },
    "meetings:meeting_calendar": {
        "GET": {"willow": ALL_SEE, "cedar": [404, 404, 404, 200, 404, 200, 200, 404, 200]},
        "POST": {"willow": [METHOD] * 9, "cedar": [METHOD] * 9},
    },
    "meetings:group_calendar": {
        "GET": {"willow": ALL_SEE, "cedar": [404] * 9},
        "POST": {"willow": [METHOD] * 9, "cedar": [METHOD] * 9},
    },
    "meetings:embed": {"GET": {"": [404] * 9}, "POST": {"": [METHOD] * 9}},
    "meetings:public_feed": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "meetings:sitemap": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "meetings:robots": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "meetings:my_calendar": {
        "GET": {"": [SIGN_IN] + [200] * 8},
        "POST": {"": [SIGN_IN] + [400] * 8},
    },
    "meetings:calendar_feed": {
        "GET": {"token": [404] * 9, "calendar": ALL_SEE},
        "POST": {"token": [METHOD] * 9, "calendar": [METHOD] * 9},
    },
    "meetings:meeting_rsvp": {
        "GET": {"willow": [SIGN_IN] + [302] * 8, "cedar": [SIGN_IN, 404, 404, 302, 404, 302, 302, 404, 302]},
        "POST": {"willow": [SIGN_IN] + [400] * 8, "cedar": [SIGN_IN, 404, 404, 400, 404, 400, 400, 404, 400]},
    },
    "meetings:meeting_roster": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 302, 404, 302, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 302, 302, 404, 404],
        },
    },
    "meetings:meeting_waiting": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        # Of nobody in particular: there is no such person for anybody.
        "POST": {"willow": [SIGN_IN, 404, 403, 404, 404, 404, 404, 404, 404]},
    },
    "meetings:meeting_message": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN, 404, 403, 404, 400, 404, 400, 404, 404]},
    },
    "meetings:group_message": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN, 404, 403, 404, 400, 404, 400, 404, 404]},
    },
    "meetings:meeting_calls": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:group_calls": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:my_sharing": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    "meetings:message_sent": {
        "GET": {"message": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404]},
        "POST": {"message": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:meeting_sheet": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN] + [METHOD] * 8},
    },
    # A log of a meeting to come: there is a page that says when, and what is sent is refused.
    "meetings:meeting_log": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 409, 404, 409, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 409, 409, 404, 404],
        },
    },
    "meetings:meeting_log_sign": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 302, 404, 302, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 302, 302, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 302, 404, 302, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 302, 302, 404, 404],
        },
    },
    "meetings:meeting_run": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 400, 404, 400, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 400, 400, 404, 404],
        },
    },
    # For those with a place, whom the table does not have, and those who run it: test_room.py.
    "meetings:meeting_room": {
        "GET": {
            "willow": [SIGN_IN, 403, 403, 403, 200, 403, 200, 403, 403],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 403],
        },
        "POST": {
            "willow": [SIGN_IN, 403, 403, 403, 400, 403, 400, 403, 403],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 400, 400, 404, 403],
        },
    },
    # Without a pass, which the room gives out: nobody, whatever cookie they show.
    "meetings:meeting_room_now": {
        "GET": {"willow": [403] * 9, "cedar": [403] * 9},
        "POST": {"willow": [METHOD] * 9},
    },
    "meetings:answer_from_mail": {"GET": {"answer": ALL_SEE}, "POST": {"answer": [400] * 9}},
    "meetings:group_leave": {
        "GET": {"willow": [SIGN_IN] + [200] * 8, "cedar": [SIGN_IN, 404, 404, 200, 404, 200, 200, 404, 200]},
        "POST": {"willow": [SIGN_IN] + [302] * 8, "cedar": [SIGN_IN, 404, 404, 302, 404, 302, 302, 404, 302]},
    },
    "meetings:group_standing": {
        "GET": {"willow": [SIGN_IN] + [METHOD] * 8},
        "POST": {"willow": [SIGN_IN] + [400] * 8, "cedar": [SIGN_IN, 404, 404, 400, 404, 400, 400, 404, 400]},
    },
    # Restricted notes are not for coordinators, nor is the list of them.
    "meetings:meeting_notes": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 403, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 403, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 400, 404, 403, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 400, 403, 404, 404],
        },
    },
    "meetings:note_detail": {
        "GET": {"note": [SIGN_IN, 404, 404, 404, 302, 404, 403, 404, 404]},
        "POST": {"note": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:meeting_incidents": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {"willow": [SIGN_IN] + [METHOD] * 8, "cedar": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:meeting_incident_new": {
        "GET": {
            "willow": [SIGN_IN, 404, 403, 404, 200, 404, 200, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 200, 200, 404, 404],
        },
        "POST": {
            "willow": [SIGN_IN, 404, 403, 404, 400, 404, 400, 404, 404],
            "cedar": [SIGN_IN, 404, 404, 403, 404, 400, 400, 404, 404],
        },
    },
    "meetings:incident_detail": {
        "GET": {"incident": [SIGN_IN, 404, 404, 404, 302, 404, 302, 404, 404]},
        "POST": {"incident": [SIGN_IN, 404, 404, 404, 302, 404, 302, 404, 404]},
    },
    "meetings:my_letters": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    # A letter is its member's own. Who runs the group sees that it was issued, on a page of its own.
    "meetings:my_letter": {
        "GET": {"mias": [SIGN_IN, 404, 200, 404, 404, 404, 404, 404, 404]},
        "POST": {"mias": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:my_letter_pdf": {
        "GET": {"mias": [SIGN_IN, 404, 200, 404, 404, 404, 404, 404, 404]},
        "POST": {"mias": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:my_letter_share": {
        "GET": {"mias": [SIGN_IN, 404, 200, 404, 404, 404, 404, 404, 404]},
        "POST": {"mias": [SIGN_IN, 404, 400, 404, 404, 404, 404, 404, 404]},
    },
    "meetings:letter_detail": {
        "GET": {"mias": [SIGN_IN, 404, 404, 404, 200, 404, 200, 404, 404]},
        "POST": {"mias": [SIGN_IN] + [404] * 8},
    },
    # Made ready by Carol, for herself.
    "meetings:letter_disclosed": {
        "GET": {"given": [SIGN_IN, 404, 404, 404, 200, 404, 404, 404, 404]},
        "POST": {"given": [SIGN_IN] + [METHOD] * 8},
    },
    "meetings:check_in": {"GET": {"": [SIGN_IN] + [200] * 8}, "POST": {"": [SIGN_IN] + [400] * 8}},
    "meetings:verify": {"GET": {"": ALL_SEE}, "POST": {"": [400] * 9}},
    "groups:first_time": {"GET": {"": ALL_SEE}, "POST": {"": [METHOD] * 9}},
    "groups:group_detail": {
        "GET": {"willow": ALL_SEE, "cedar": [404, 404, 404, 200, 404, 200, 200, 404, 200]},
        "POST": {"willow": [METHOD] * 9, "cedar": [METHOD] * 9},
    },
    "groups:group_join": {
        "GET": {"willow": [SIGN_IN] + [200] * 8, "cedar": [SIGN_IN, 404, 404, 200, 404, 200, 200, 404, 200]},
        "POST": {"willow": [SIGN_IN] + [400] * 8, "cedar": [SIGN_IN, 404, 404, 400, 404, 400, 400, 404, 400]},
    },
    "groups:invitation": {
        "GET": {"token": [404] * 9, "invitation": ALL_SEE},
        "POST": {"token": [404] * 9, "invitation": [SIGN_IN] + [400] * 8},
    },
    # The words of mails, for coordinators. Every answer for sam is as for anybody else without that role.
    "lab:letter_list": {"GET": {"": COORDINATES}, "POST": {"": [SIGN_IN] + [METHOD] * 8}},
    "lab:letter_detail": {"GET": {"letter": COORDINATES}, "POST": {"letter": [SIGN_IN] + [METHOD] * 8}},
    "lab:letter_write": {"GET": {"letter": COORDINATES}, "POST": {"letter": _for_olga(400)}},
    "lab:letter_preview": {"GET": {"letter": [SIGN_IN] + [METHOD] * 8}, "POST": {"letter": COORDINATES}},
    "lab:letter_words": {"GET": {"words": COORDINATES}, "POST": {"words": _for_olga(400)}},
    "lab:letter_picture": {"GET": {"token": _for_olga(404)}, "POST": {"token": [SIGN_IN] + [METHOD] * 8}},
    "reports:wording_tests": {
        "GET": {"": [SIGN_IN, 403, 403, 403, 403, 403, 200, 200, 403]},
        "POST": {"": [SIGN_IN] + [METHOD] * 8},
    },
    "reports:report_list": {
        "GET": {"": [SIGN_IN, 403, 403, 403, 200, 200, 200, 200, 403]},
        "POST": {"": [SIGN_IN] + [METHOD] * 8},
    },
    "reports:attendance": {
        "GET": {"": [SIGN_IN, 403, 403, 403, 200, 200, 200, 200, 403]},
        "POST": {"": [SIGN_IN] + [METHOD] * 8},
    },
}

# django-allauth's own pages, which it tests itself: those that must answer people who are not signed in, ...
ALLAUTH_PUBLIC = {
    "account_login",
    "account_signup",
    "account_inactive",
    "account_email_verification_sent",
    "account_reset_password",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_password_reset_completed",
    "account_request_login_code",
    "account_confirm_login_code",
    "account_logout",
    "mfa_authenticate",
    "mfa_login_webauthn",
}
# ... and those that send them to sign in.
ALLAUTH_PRIVATE = {
    "account_reauthenticate",
    "account_email",
    "account_change_password",
    "account_set_password",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "usersessions_list",
}


def addresses(patterns=None, namespace=""):
    """Every named address of the site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}"


def url_of(name: str, thing: str, cast) -> str:
    group = getattr(cast, thing, None)
    if thing == "token":
        return reverse(name, args=["anything"])
    if thing in ("letter", "words"):
        return reverse(name, args=["moved", "en", *([0] if thing == "words" else [])])
    if thing == "part":
        return reverse(name, args=["account"])
    if thing == "answer":
        return reverse(name, args=[answer_token(cast.willow_meeting.pk, cast.mia.pk)])
    if thing == "calendar":
        open_calendar(cast.mia)
        cast.mia.refresh_from_db()
        return reverse(name, args=[cast.mia.calendar_token])
    if thing == "invitation":
        closed = make.group(enrolment="closed", is_listed=False)
        return reverse(name, args=[invite(Invitation(group=closed), by=cast.carol, token="secret", days=7).token])
    if thing == "message":
        return reverse(name, args=[make.message(cast.willow, by=cast.carol).pk])
    if thing in ("note", "incident"):
        made = getattr(make, thing)(cast.willow_meeting, by=cast.carol)
        return reverse(name, args=[made.pk])
    if thing in ("mias", "given"):
        letter = make.letter(cast.willow, cast.mia)
        return reverse(name, args=[make.disclosure(letter, by=cast.carol).pk if thing == "given" else letter.pk])
    if group is None:
        return reverse(name)
    if name.startswith("meetings:meeting_"):
        return reverse(name, args=[getattr(cast, f"{thing}_meeting").pk])
    return reverse(name, args=[group.slug])


def test_every_address_is_listed():
    site = {name for name in addresses() if not name.startswith("admin:")}

    assert site == set(TABLE) | ALLAUTH_PUBLIC | ALLAUTH_PRIVATE


@pytest.mark.parametrize(
    ("name", "method", "thing"),
    [(name, method, thing) for name, row in TABLE.items() for method, things in row.items() for thing in things],
)
def test_address_answers_each_person_as_the_table_says(name, method, thing, cast, sign_in):
    make.agreement(cast.willow)
    url = url_of(name, thing, cast)

    answers = {person: sign_in(getattr(cast, person, None)).generic(method, url) for person in PEOPLE}

    statuses = {person: answer.status_code for person, answer in answers.items()}
    assert statuses == dict(zip(PEOPLE, TABLE[name][method][thing], strict=True))
    if statuses["visitor"] == SIGN_IN and name not in ("members:leave_page", "set_language"):
        assert answers["visitor"].url.startswith(reverse("account_login"))


STAFF = ["carol", "dan", "olga", "rita", "sam"]
SAME_FOR_EVERYBODY = {
    "home",
    "groups:first_time",
    "healthz",
    "readyz",
    "metrics",
    "set_language",
    "members:display",
    "members:help_now",
    "members:leave_page",
    "members:stay",
    "meetings:meeting_list",
    "meetings:answer_from_mail",
    "meetings:calendar_feed",
    "meetings:group_calendar",
    "meetings:embed",
    "meetings:public_feed",
    "meetings:robots",
    "meetings:sitemap",
    "meetings:verify",
    "outbox:unsubscribe",
    "centre:contact",
    "centre:sent",
}


@pytest.mark.parametrize(
    ("name", "method", "thing"),
    [(name, method, thing) for name, row in TABLE.items() for method, things in row.items() for thing in things],
)
def test_staff_without_second_factor_get_only_pages_that_are_the_same_for_everybody(name, method, thing, cast, client):
    url = url_of(name, thing, cast)
    answers = {}
    for person in STAFF:
        client.force_login(getattr(cast, person))
        answers[person] = client.generic(method, url)

    sent_to_add_one = {
        person for person, answer in answers.items() if answer.headers.get("Location") == "/accounts/2fa/"
    }
    assert sent_to_add_one == (set() if name in SAME_FOR_EVERYBODY else set(STAFF))


@pytest.mark.parametrize("name", sorted(ALLAUTH_PRIVATE))
def test_account_pages_send_a_visitor_to_sign_in(name, client, db):
    arguments = [1] if name in ("mfa_edit_webauthn", "mfa_remove_webauthn") else []

    response = client.get(reverse(name, args=arguments))

    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


OUTSIDE = ["visitor", "vera", "mia", "nora", "rita"]
ADMIN = sorted(name for name in addresses() if name.startswith("admin:"))


@pytest.mark.parametrize("name", ADMIN)
def test_admin_opens_to_nobody_without_work_there(name, cast, sign_in):
    fixed = {"admin:app_list": ["meetings"], "admin:view_on_site": [1, "1"]} | _of_schedules(cast)
    url = reverse(name, args=fixed.get(name, ["1"] if _takes_an_object(name) else []))

    statuses = {person: sign_in(getattr(cast, person, None)).get(url).status_code for person in OUTSIDE}

    assert set(statuses.values()) <= {302, 403, 404}


def _of_schedules(cast) -> dict[str, list]:
    """What the pages of a schedule, and of a request, are about: Willow, its one date, Mia."""
    group, series = cast.willow.pk, cast.willow_meeting.series_id
    of_series = {f"admin:groups_group_{page}": [group, series] for page in ("series", "pause", "undo_series", "resume")}
    of_date = {
        f"admin:meetings_meeting_{page}": [cast.willow_meeting.pk]
        for page in ("move", "put_back", "take_up", "substitute")
    }
    mias = Membership.objects.get(group=cast.willow, member=cast.mia).pk
    of_person = {f"admin:groups_membership_{page}": [mias] for page in ("approve", "decline")}
    return of_series | of_date | of_person | {"admin:groups_group_schedule": [group]}


def _takes_an_object(name: str) -> bool:
    return name.endswith(("_change", "_delete", "_history")) and not name.endswith("password_change")


def test_place_and_link_show_only_to_those_with_a_place(cast, sign_in):
    url = cast.willow_meeting.get_absolute_url()
    participation = make.participation(cast.willow_meeting, cast.mia, rsvp=Participation.Rsvp.WAITLISTED)

    pages = {person: sign_in(getattr(cast, person, None)).get(url).content.decode() for person in PEOPLE}
    participation.rsvp = Participation.Rsvp.GOING
    participation.save()
    with_place = sign_in(cast.mia).get(url).content.decode()

    assert {person for person, page in pages.items() if "12 Hidden Lane" in page} == {"carol", "olga"}
    assert "12 Hidden Lane" in with_place
    assert "hidden-room" not in "".join([with_place, *pages.values()])

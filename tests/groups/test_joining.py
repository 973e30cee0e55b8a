from django.urls import reverse

from groups import services
from groups.models import Acceptance, Agreement, Group, Membership
from members.models import Consent
from tests import make


def join_url(group, next_url=""):
    return reverse("groups:group_join", args=[group.slug]) + (f"?next={next_url}" if next_url else "")


def test_joining_an_open_group_records_which_rules_were_accepted(cast, sign_in):
    rules = make.agreement(cast.willow, text="Be kind to each other.")
    client = sign_in(cast.vera)
    meeting = cast.willow_meeting.get_absolute_url()

    page = client.get(join_url(cast.willow, meeting))
    response = client.post(join_url(cast.willow), {"accept": "on", "reminders": "on", "next": meeting})

    assert "Be kind to each other." in page.content.decode()
    assert response.url == meeting
    assert Membership.objects.get(member=cast.vera).status == "active"
    assert Acceptance.objects.get(member=cast.vera).agreement == rules
    assert Consent.objects.filter(member=cast.vera).exists()


def test_joining_without_agreeing_changes_nothing(cast, sign_in):
    make.agreement(cast.willow)

    response = sign_in(cast.vera).post(join_url(cast.willow), {"reminders": "on"})

    assert response.status_code == 400
    assert "please read the ground rules" in response.content.decode()
    assert not Membership.objects.filter(member=cast.vera).exists()
    assert not Consent.objects.filter(member=cast.vera).exists()


def test_joining_never_leads_to_another_site(cast, sign_in):
    response = sign_in(cast.vera).post(join_url(cast.willow), {"accept": "on", "next": "https://evil.example/"})

    assert response.url == cast.willow.get_absolute_url()


def test_group_by_request_waits_for_a_counselor(cast):
    cast.cedar.is_listed = True

    membership = services.join_group(cast.cedar, by=cast.vera, agreement=None)

    assert membership.status == "requested"
    assert services.approve_request(membership, by=cast.dan) is True
    assert services.approve_request(membership, by=cast.dan) is False
    assert Membership.objects.get(pk=membership.pk).status == "active"


def test_closed_group_takes_nobody_who_asks(cast):
    closed = make.group(enrolment=Group.Enrolment.CLOSED)

    assert services.join_group(closed, by=cast.vera, agreement=None) is None
    assert not Membership.objects.filter(group=closed).exists()


def test_somebody_removed_asks_again_even_where_joining_is_open(cast):
    Membership.objects.filter(member=cast.mia).update(status=Membership.Status.REMOVED)

    assert services.join_group(cast.willow, by=cast.mia, agreement=None).status == "requested"


def test_new_version_asks_again_before_the_next_answer(cast, sign_in):
    make.agreement(cast.willow, text="New rules.")
    client = sign_in(cast.mia)

    response = client.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"})

    assert response.url.startswith(reverse("groups:group_join", args=["willow"]))
    client.post(join_url(cast.willow), {"accept": "on"})
    response = client.post(reverse("meetings:meeting_rsvp", args=[cast.willow_meeting.pk]), {"answer": "going"})
    assert response.url == cast.willow_meeting.get_absolute_url()


def test_groups_own_rules_come_before_the_house_rules_and_its_language_first(cast):
    Acceptance.objects.all().delete()
    Agreement.objects.all().delete()
    make.agreement(language="en", text="house")
    spanish = make.agreement(language="es", text="casa")
    own = make.agreement(cast.cedar, text="own")
    grupo = make.group(language="es")

    assert Agreement.objects.current_for(cast.cedar) == own
    assert Agreement.objects.current_for(grupo) == spanish

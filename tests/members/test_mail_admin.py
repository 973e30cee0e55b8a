"""The admin page of mail: staff follow what leaves and let it leave again, and read nobody's mail."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

import lab.services as lab
import outbox.services as outbox
from audit.models import AuditEvent
from members import services
from members.mail_admin import reason_in_words
from members.scoped_admin import ManyPages
from outbox import kinds
from outbox.models import BouncedAddress, Email
from outbox.wordings import Words
from tests import make
from tests.admin_pages import messages_of, rows, run_action
from tests.smtp_server import smtp_server

MAIL = "/admin/outbox/email/"
STAFF = ["olga", "sam"]


def change(email) -> str:
    return f"{MAIL}{email.pk}/change/"


@pytest.fixture
def mail(cast):
    """One mail about Willow to Mia, as it stands in the rows: `mail("failed", reason="refused (550)")`."""

    def mail(state="queued", *, to=None, kind="cancelled", hours=1, **fields) -> Email:
        if state == "sent":
            fields.setdefault("sent_at", timezone.now())
        fact = str(Email.objects.count())
        to = to or cast.mia
        return Email.objects.create(
            key=f"{kind}/{fact}",
            kind=kind,
            recipient=to,
            about_id=cast.willow_meeting.pk,
            fact=fact,
            state=state,
            expires_at=timezone.now() + timedelta(hours=hours),
            **fields,
        )

    return mail


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAFF)
def test_mail_is_followed_by_code_and_cannot_be_changed(cast, sign_in, mail, name):
    email = mail()
    client = sign_in(getattr(cast, name))

    page = client.get(change(email)).content.decode()

    assert cast.mia.code in page
    assert [secret for secret in ("Mia", str(cast.willow_meeting.pk), email.key) if secret in page] == []
    assert client.get(MAIL, {"about_id": str(cast.willow_meeting.pk)}).status_code == 400
    assert client.get(MAIL, {"key__contains": str(cast.willow_meeting.pk)}).status_code == 400
    assert client.post(change(email), {"state": "sent"}).status_code == 403
    assert client.get(MAIL + "add/").status_code == 403


def test_list_says_what_stands_and_why(cast, sign_in, mail):
    mail("failed", reason="refused (550)", attempts=1)

    page = sign_in(cast.olga).get(MAIL).content.decode()

    for words in ("a meeting is cancelled", "could not be sent", "refused (550)", cast.mia.code):
        assert words in page


def test_reason_stands_beside_the_state_and_the_name_of_the_page_is_no_id(cast, sign_in, mail):
    failed = mail("failed", reason="may have arrived: refused (550)")
    mail("expired", reason="too late: refused (421)"), mail("expired", reason="too late")
    client = sign_in(cast.olga)

    listed = client.get(MAIL).content.decode()
    for words in ("sent: may have arrived: refused (550)", "not sent: refused (421)", "and was not sent"):
        assert f"{words}</td>" in listed
    assert f"<h2>A meeting is cancelled, {cast.mia.code}</h2>" in client.get(change(failed)).content.decode()


def test_every_part_of_a_reason_is_put_into_the_readers_language():
    with translation.override("es"):
        sent = gettext("sent")  # a word that has its Spanish

        assert sent != "sent"
        assert reason_in_words("") == ""
        assert reason_in_words("sent: sent (550)") == f"{sent}: {sent} (550)"
        assert reason_in_words("sent (421 4.7.0 sent)") == f"{sent} (421 4.7.0 sent)"


def test_what_may_have_arrived_twice_is_marked(cast, sign_in, mail):
    mail("sent", doubts=1), mail("failed", doubts=3), mail("sent")

    page = sign_in(cast.olga).get(MAIL).content.decode()

    marked = [
        page.count(f">{words}<") for words in ("sent; may have arrived twice", "could not be sent; may have arrived")
    ]
    assert (marked, page.count(">sent<")) == ([1, 1], 2)  # one row, and the filter


@pytest.mark.parametrize("name", ["carol", "rita", "mia"])
def test_others_have_no_mail_page(cast, sign_in, mail, name):
    client, email = sign_in(getattr(cast, name)), mail("failed")

    sent = {"action": "try_again", "_selected_action": [str(email.pk)], "confirmed": "yes"}
    answers = [client.get(MAIL, follow=True), client.get(change(email), follow=True)]
    answers += [client.post(MAIL, sent, follow=True)]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert Email.objects.get().state == "failed"


def test_mail_is_found_by_code_message_id_and_kind_in_full(cast, sign_in, mail):
    hers, his = mail(), mail("failed", to=cast.max, kind="offer")
    client = sign_in(cast.olga)

    def found(text):
        return set(rows(client, MAIL, q=text))

    for text in (cast.mia.code, cast.mia.code.lower(), hers.message_id, str(hers.pk), f" {hers.pk} "):
        assert found(text) == {hers}, text
    for text in ("offer", "a place is kept for you", "A place is kept for you"):
        assert found(text) == {his}, text
    for text in ("Mia", cast.mia.email, cast.mia.code[:-1], str(hers.pk)[:-1], str(cast.willow_meeting.pk), "%", "off"):
        assert found(text) == set(), text


def test_filters_show_first_what_did_not_arrive(cast, sign_in, mail):
    made = {state: mail(state, claimed_by=1 if state == "claimed" else None) for state in Email.State.values}
    offer = mail("sent", kind="offer", doubts=1)
    client = sign_in(cast.olga)

    assert set(rows(client, MAIL, state="trouble")) == {made["failed"], made["bounced"]}
    assert set(rows(client, MAIL, state="expired")) == {made["expired"]}
    assert set(rows(client, MAIL, kind="offer")) == {offer}
    assert rows(client, MAIL, state="twice") == [offer]
    assert rows(client, MAIL, state="nothing", kind="nothing") == []


def test_days_lead_to_their_mails(cast, sign_in, mail):
    old = [mail("sent"), mail("sent")][0]
    Email.objects.filter(pk=old.pk).update(queued_at=timezone.now() - timedelta(days=800))
    old.refresh_from_db()
    client = sign_in(cast.olga)
    day = {"queued_at__year": old.queued_at.year, "queued_at__month": old.queued_at.month}

    assert rows(client, MAIL, **day) == [old]
    assert rows(client, MAIL, **day, queued_at__day=old.queued_at.day) == [old]
    assert f"queued_at__year={old.queued_at.year}" in client.get(MAIL).content.decode()


@pytest.mark.parametrize("how_many", [3, 300])
def test_list_costs_the_same_whatever_there_is(cast, sign_in, how_many, django_assert_num_queries):
    people = make.members(how_many)
    outbox.queue("x", [one.pk for one in people], about_id=cast.willow_meeting.pk, fact="1", expires_at=timezone.now())
    Email.objects.update(state="failed")
    olga = sign_in(cast.olga)
    rows(olga, MAIL)

    with django_assert_num_queries(6):
        rows(olga, MAIL)
    with django_assert_num_queries(6):
        rows(olga, MAIL, state="trouble", kind="x")
    with django_assert_num_queries(7):
        run_action(olga, MAIL, "try_again", *Email.objects.all()[:how_many])


def test_endless_lists_are_counted_so_far_only(cast, monkeypatch, django_assert_num_queries):
    make.members(5)
    monkeypatch.setattr(ManyPages, "MOST", 3)

    with django_assert_num_queries(1) as asked:
        assert ManyPages(type(cast.mia).objects.order_by("pk"), 2).count == 3

    assert "LIMIT 3" in asked[0]["sql"]


# --- Trying again -----------------------------------------------------------------------------------------------------


def press_try_again(client, *emails, **more):
    sent = {"action": "try_again", "_selected_action": [str(email.pk) for email in emails], "confirmed": "yes"}
    return client.post(MAIL, sent | more, follow=True)


def test_page_asks_before_anything_leaves(cast, sign_in, mail):
    failed, sent = mail("failed", reason="refused (550)", attempts=6), mail("sent")

    page = run_action(sign_in(cast.olga), MAIL, "try_again", failed, sent)

    words = page.content.decode()
    assert "1 mail leaves at once" in words
    assert "1 was sent, waits already" in words
    assert Email.objects.filter(state="queued").count() == 0
    assert AuditEvent.objects.filter(action="email.tried_again").count() == 0


@pytest.mark.parametrize("name", STAFF)
def test_what_was_given_up_leaves_again_and_is_noted(cast, sign_in, mail, settings, name):
    staff = getattr(cast, name)
    cast.willow_meeting.status = "cancelled"
    cast.willow_meeting.save()
    failed = mail("failed", reason="put off (450)", attempts=6, stopped_at=timezone.now())

    page = press_try_again(sign_in(staff), failed)
    with smtp_server(settings) as smtp:
        outbox.deliver()

    assert messages_of(page) == ["1 mail leaves now."]
    assert smtp.people == {cast.mia.email: 1}
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.reason, failed.stopped_at) == ("sent", 1, "", None)
    noted = AuditEvent.objects.filter(action="email.tried_again").values_list("actor_id", "object_id", "details")
    assert list(noted) == [(staff.pk, str(failed.pk), {"member": str(cast.mia.pk), "kind": "cancelled"})]


@pytest.mark.parametrize("state", Email.State.values)
@pytest.mark.parametrize("hours", [1, -1])
def test_only_what_was_given_up_and_still_helps_leaves_again(cast, mail, state, hours):
    email = mail(state, hours=hours, claimed_by=1 if state == "claimed" else None)

    tried = services.send_mail_again(Email.objects.may_be_sent_again(), by=cast.olga)

    assert tried == (hours > 0 and state in ("failed", "bounced", "expired"))
    assert Email.objects.get(pk=email.pk).state == ("queued" if tried else state)


def test_second_press_does_nothing(cast, sign_in, mail):
    client, failed = sign_in(cast.olga), mail("failed")
    press_try_again(client, failed)

    again = press_try_again(client, failed)

    assert messages_of(again) == ["Nothing was left to send."]
    assert AuditEvent.objects.filter(action="email.tried_again").count() == 1


def test_what_nobody_wants_any_more_is_looked_at_again(cast, sign_in, mail, settings):
    """The meeting is on: the mail that says it is cancelled must not leave, however often staff press."""
    failed = mail("failed")
    press_try_again(sign_in(cast.olga), failed)

    with smtp_server(settings) as smtp:
        outbox.deliver()

    failed.refresh_from_db()
    assert (failed.state, failed.reason, smtp.taken) == ("suppressed", "the meeting is on again", [])


def test_page_says_whose_address_sends_mail_back(cast, sign_in, mail):
    BouncedAddress.objects.create(member=cast.mia, address=cast.mia.email, status="5.1.1")

    page = run_action(sign_in(cast.olga), MAIL, "try_again", mail("bounced"))

    assert "For 1 of them the address sends mail back" in page.content.decode()


def test_all_that_the_filter_shows_leave_at_once(cast, sign_in, mail):
    for _ in range(60):
        mail("failed")
    mail("sent")
    client = sign_in(cast.olga)
    one = Email.objects.filter(state="failed").first()

    page = client.post(
        MAIL + "?state=trouble", {"action": "try_again", "select_across": "1", "_selected_action": [str(one.pk)]}
    )
    assert "60 mails leave at once" in page.content.decode()
    assert "and 40 more" in page.content.decode()
    sent = {"action": "try_again", "select_across": "1", "_selected_action": [str(one.pk)], "confirmed": "yes"}
    client.post(MAIL + "?state=trouble", sent)

    assert Email.objects.filter(state="queued").count() == 60


def test_member_reads_in_their_data_that_a_mail_was_sent_once_more(cast, sign_in, mail):
    press_try_again(sign_in(cast.olga), mail("failed"))

    page = sign_in(cast.mia).get(reverse("members:my_data")).content.decode()

    assert "had a mail sent once more" in page


# --- What our mails say -----------------------------------------------------------------------------------------------

PREVIEW = f"{MAIL}preview/"


@pytest.mark.parametrize("name", STAFF)
@pytest.mark.parametrize("letter", list(kinds.editable_letters()))
def test_every_mail_is_shown_in_both_languages_with_made_up_facts(cast, sign_in, mail, name, letter):
    mail("sent")
    client = sign_in(getattr(cast, name))

    page = client.get(PREVIEW, {"letter": letter})
    frames = [client.get(f"{PREVIEW}html/", {"letter": letter, "language": code}) for code in ("en", "es")]

    shown = page.context["previews"]
    assert [one.language for one in shown] == ["en", "es"]
    assert len({one.text for one in shown}) == len({frame.content for frame in frames}) == 2
    everything = page.content.decode() + "".join(frame.content.decode() for frame in frames)
    told = ["Mia", cast.mia.email, cast.willow.name, str(cast.willow_meeting.pk), cast.mia.code]
    assert [secret for secret in told if secret in everything] == []
    for frame in frames:
        links = set(re.findall(r'href="([^"]*)"', frame.content.decode()))
        assert (frame.status_code, links <= {"#"}) == (200, True)


def test_preview_shows_the_words_in_use_and_both_of_a_test(cast, sign_in):
    letter = kinds.editable_letters()["cancelled"]
    other = lab.write_words(letter, "en", Words("A change", "No meeting on {when}.", ""), after=0, by=cast.olga)
    assert lab.try_words(letter, "en", other, beside=None, by=cast.olga)
    client = sign_in(cast.sam)

    page = client.get(PREVIEW, {"letter": "cancelled"})
    frame = client.get(f"{PREVIEW}html/", {"letter": "cancelled", "language": "en", "variant": "B"}).content.decode()

    assert [(one.language, one.variant) for one in page.context["previews"]] == [("en", "A"), ("en", "B"), ("es", "A")]
    assert "A change" in [one.subject for one in page.context["previews"]]
    assert "No meeting on" in frame


def test_html_of_a_mail_can_do_nothing_but_look(cast, sign_in):
    answer = sign_in(cast.olga).get(f"{PREVIEW}html/", {"letter": "offer", "language": "en"})

    rules = {rule.strip() for rule in answer["Content-Security-Policy"].split(";")}
    assert {"sandbox", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} <= rules
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_leads_to_what_such_a_mail_says(cast, sign_in, mail):
    client = sign_in(cast.olga)
    email = mail("sent", kind="join_decision")

    assert f"{PREVIEW}?kind=join_decision" in client.get(change(email)).content.decode()
    assert client.get(PREVIEW, {"kind": "join_decision"}).context["chosen"].name == "join-yes"
    assert client.get(PREVIEW, {"kind": "gone", "letter": "gone"}).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"letter": "nothing", "language": "en"},
        {"letter": "offer"},
        {"letter": "offer", "language": "xx"},
        {"letter": "offer", "language": "en", "variant": "C"},
    ],
)
def test_mail_that_does_not_exist_is_not_found(cast, sign_in, asked):
    assert sign_in(cast.olga).get(f"{PREVIEW}html/", asked).status_code == 404


@pytest.mark.parametrize("name", ["carol", "rita", "mia"])
def test_others_see_no_preview(cast, sign_in, name):
    client = sign_in(getattr(cast, name))

    for address in (PREVIEW, f"{PREVIEW}html/?letter=offer&language=en"):
        assert client.get(address, follow=True).status_code == 403

"""Mail that comes back: which report is believed, what it stops, and how its member hears of it."""

import io
import os
import time
import tracemalloc
from email.message import EmailMessage
from itertools import count
from uuid import UUID, uuid4

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from members.models import Member
from outbox import bounces, services
from outbox.bounce_reports import Bounce, _signature, read_bounce, return_path
from outbox.bounces import flag_address, note_bounce, sends_mail_back
from outbox.models import BouncedAddress, Email
from outbox.tasks import process_bounces
from tests import make

MAIL = UUID("5f0c2b8e-6a0d-4e0b-9d5e-0a3c1f7b2d44")


def report(
    *, to="bounces@site.example", action="failed", status="5.1.1", person="mia@example.org", quoted="", more=""
) -> bytes:
    """As a mail server writes it (RFC 3464)."""
    return f"""\
Received: from mx.example.org by site.example; Sat, 21 Nov 2026 10:00:00 +0000
Message-ID: <1234567@mx.example.org>
From: MAILER-DAEMON@mx.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry to have to tell you that your mail did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Sat, 21 Nov 2026 09:59:00 +0000

{more}Final-Recipient: rfc822; {person}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} nobody of that name

--b
Content-Type: text/rfc822-headers

{quoted}Subject: Reminder

--b--
""".replace("\n", "\r\n").encode()


def to(mail=MAIL, address="mia@example.org") -> str:
    return return_path("bounces@site.example", mail, address)


HERS = frozenset({"mia@example.org"})
SIGNED = _signature(MAIL, "mia@example.org")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (report(to=to()), Bounce(MAIL, "5.1.1", HERS, SIGNED)),
        (report(to=f"Bounces <{to().upper()}>"), Bounce(MAIL, "5.1.1", HERS, SIGNED)),
        (report(quoted=f"Message-ID: <{MAIL}@site.example>\n"), Bounce(MAIL, "5.1.1", HERS)),
        (report(quoted=f"Message-ID:\n <{MAIL}@site.example>\n"), Bounce(MAIL, "5.1.1", HERS)),
        (report(to=to(), status="4.4.7"), Bounce(MAIL, "4.4.7", HERS, SIGNED)),
        (report(to=to(), status="nonsense"), Bounce(MAIL, "5.0.0", HERS, SIGNED)),
        (report(to=to(), status="5.1.1 (bad mailbox)"), Bounce(MAIL, "5.1.1", HERS, SIGNED)),
        (report(to=to(), person="<MIA@example.org>"), Bounce(MAIL, "5.1.1", HERS, SIGNED)),
        (
            report(to=to(), person="old@elsewhere.example", more="Original-Recipient: rfc822;mia@example.org\n"),
            Bounce(MAIL, "5.1.1", HERS, SIGNED),
        ),
        (
            report(to=to()).replace(b"Final-Recipient: rfc822; mia@example.org\r\n", b""),
            Bounce(MAIL, "5.1.1", frozenset(), SIGNED),
        ),
        (report(to=to(), action="delayed", status="4.4.1"), None),
        (report(to=to(), action="delivered", status="2.0.0"), None),
        (report(to=to(), action="relayed", status="2.0.0"), None),
        (report(), None),
        (report(to="bounces+aaaa@site.example"), None),
        (report(quoted="Message-ID: <nobody@site.example>\n"), None),
        (b"From: mia@example.org\r\nTo: " + to().encode() + b"\r\nSubject: I am away\r\n\r\nBack on Monday.", None),
        (b"", None),
        (b"\xff\xfe\x00", None),
        (report(to=to()).replace(b"Reporting-MTA", b"\xff\xfe"), Bounce(MAIL, "5.1.1", HERS, SIGNED)),
        (report(to=to()).replace(b"message/delivery-status", b"text/plain"), None),
        (report(to=to()).replace(b"--b\r\nContent-Type: message", b"Content-Type: message"), None),
        (report(to=to())[:560], None),
    ],
    ids=count(),
)
def test_report_is_read(raw, expected):
    assert read_bounce(raw) == expected


def test_return_address_fits_and_keeps_no_address():
    name, _at, domain = to().partition("@")

    assert (len(name) <= 64, domain, "mia" in name, name.isascii()) == (True, "site.example", False, True)


@pytest.mark.parametrize("depth", [15, 900, 5000])
@pytest.mark.parametrize("word", [b"boundary", b"BOUNDARY*"])
def test_parts_within_parts_without_end_are_no_report(depth, word):
    """Nor do they take long: what reads mail walks through all of them for each line."""
    deep = b"".join(b'Content-Type: multipart/mixed; %b="%d"\r\n\r\n--%d\r\n' % (word, n, n) for n in range(depth))
    began = time.process_time()

    assert read_bounce(deep + b"x\r\n" * 40_000) is None

    assert time.process_time() - began < 2


PIECES = [report(to=to())[n : n + 40] for n in range(0, 900, 40)] + [
    b"\r\n",
    b"--b",
    b"--b--",
    b"\xff",
    b"\0",
    b"=?x?q?",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=40))
def test_no_garbage_breaks_the_reader(pieces):
    """Reports cut and put together anew: it is read as a report of this mail, or not at all."""
    found = read_bounce(b"".join(pieces))

    assert found is None or found.email_id == MAIL or not found.is_of("mia@example.org")


@pytest.fixture
def sent(db, smtp, queue_notes, settings):
    """A mail that was sent, and to whom."""
    settings.BOUNCE_ADDRESS = "bounces@site.example"
    (person,) = queue_notes(1)
    services.deliver()
    return Email.objects.get(), person


def bounce(email, person, status="5.1.1", address=None, signature=b"") -> bool:
    return note_bounce(Bounce(email.pk, status, frozenset({address or person.email}), signature))


def is_stopped(person) -> bool:
    """Whether the next mail to them stays here, as a sender finds."""
    return sends_mail_back(Member.objects.get(pk=person.pk))


def test_reports_are_asked_for_at_an_address_of_this_mail_alone(sent, smtp, settings):
    email, person = sent

    assert smtp.taken[0].sender == return_path("bounces@site.example", email.pk, person.email)
    assert smtp.mail_to(person.email)["From"] == settings.REMINDERS_FROM_EMAIL


def test_mail_that_came_back_for_good_is_the_last(sent, smtp, queue_notes, states):
    email, person = sent

    assert bounce(email, person) is True
    queue_notes([person], fact="2")
    services.deliver()

    assert len(smtp.taken) == 1
    found = sorted(Email.objects.values_list("state", "reason"))
    assert found == [("bounced", "5.1.1"), ("suppressed", "the address sends mail back")]
    assert Email.objects.filter(stopped_at=None).count() == 0


@pytest.mark.parametrize("status", ["4.4.7", "4.2.2", "5.2.2", "5.3.4", "5.6.1", "5.7.1", "5.7.26", "2.0.0"])
def test_what_is_not_the_fault_of_the_address_is_noted_and_stops_nothing(sent, smtp, queue_notes, status):
    email, person = sent

    assert bounce(email, person, status) is True
    queue_notes([person], fact="2")
    services.deliver()

    assert len(smtp.taken) == 2
    assert Email.objects.get(pk=email.pk).reason == status


@pytest.mark.parametrize("status", ["5.1.1", "5.0.0", "5.1.10", "5.2.1", "5.4.4"])
def test_what_says_that_nothing_will_arrive_there_stops_mail(sent, status):
    email, person = sent

    assert (bounce(email, person, status), is_stopped(person)) == (True, True)


def test_report_counts_once_and_only_of_mail_we_sent(sent):
    email, person = sent

    assert [bounce(email, person), bounce(email, person)] == [True, False]
    assert note_bounce(Bounce(uuid4(), "5.1.1", frozenset({person.email}))) is False
    assert BouncedAddress.objects.count() == 1


def test_forged_report_stops_nobodys_mail(sent, queue_notes):
    """Who knows an id, from a log, still has to know the address, or the signature that only the mail itself had."""
    email, person = sent
    other = make.member("Other")

    forged = [
        bounce(email, person, address="elsewhere@example.org"),
        bounce(email, person, address=other.email),
        bounce(email, person, address="elsewhere@example.org", signature=_signature(email.pk, other.email)),
        bounce(email, person, address="elsewhere@example.org", signature=b"\0" * 10),
        note_bounce(Bounce(email.pk, "5.1.1", frozenset())),
    ]

    assert forged == [False] * 5
    assert (Email.objects.get().state, BouncedAddress.objects.count()) == ("sent", 0)


def test_signed_report_counts_also_where_mail_was_passed_on(sent):
    email, person = sent

    assert bounce(email, person, address="passed-on@elsewhere.example", signature=_signature(email.pk, person.email))

    assert is_stopped(person)


def test_report_about_an_address_that_was_left_since_changes_nothing(sent):
    email, person = sent
    before = person.email
    Member.objects.filter(pk=person.pk).update(email="new@example.org")

    assert bounce(email, person, address=before, signature=_signature(email.pk, before)) is False
    assert not is_stopped(person)


def test_with_another_address_mail_goes_out_again(sent, smtp, queue_notes):
    email, person = sent
    bounce(email, person)
    Member.objects.filter(pk=person.pk).update(email="new@example.org")

    queue_notes([person], fact="2")
    services.deliver()

    assert smtp.people["new@example.org"] == 1
    assert not is_stopped(person)


def test_member_reads_it_and_says_that_the_address_works(sent, smtp, queue_notes, sign_in):
    email, person = sent
    bounce(email, person)
    client = sign_in(person)

    before = client.get(reverse("my_week")).content.decode()
    client.post(reverse("members:mail_works"))
    after = client.get(reverse("my_week")).content.decode()
    queue_notes([person], fact="2")
    services.deliver()

    words = f"A mail to <strong>{person.email}</strong> came back."
    assert [words in before, words in after, len(smtp.taken)] == [True, False, 2]


def test_late_report_does_not_take_back_that_the_address_works(sent, smtp, queue_notes):
    """Two mails came back; the report of the first was quick, that of the second took days."""
    first, person = sent
    queue_notes([person], fact="2")
    services.deliver()
    second = Email.objects.exclude(pk=first.pk).get()
    bounce(first, person)
    assert bounces.try_address_again(person.pk)

    assert (bounce(second, person), is_stopped(person)) == (True, False)

    queue_notes([person], fact="3")
    services.deliver()
    third = Email.objects.get(state="sent")
    assert (bounce(third, person), is_stopped(person)) == (True, True)


def test_complaint_stops_mail_and_is_worded_as_one(sent, sign_in):
    email, person = sent
    flag_address(email, "complaint")

    page = sign_in(person).get(reverse("my_week")).content.decode()

    assert (is_stopped(person), "marked as junk" in page, "came back" in page) == (True, True, False)


def test_whoever_signs_in_on_the_way_elsewhere_hears_of_it(sent, client):
    email, person = sent
    person.set_password("a quiet place 9")
    person.save()
    EmailAddress.objects.get_or_create(user=person, email=person.email, verified=True, primary=True)
    bounce(email, person)

    def heard(where):
        sent = {"login": person.email, "password": "a quiet place 9", "next": where}
        page = client.post(reverse("account_login"), sent, follow=True)
        client.post(reverse("account_logout"))
        return [str(message) for message in page.context["messages"] if "mail" in str(message)]

    assert heard("/meetings/") == ["Our mail does not reach you. “My week” says what you can do."]
    assert heard("/my/") == []


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        ("550 5.1.1 nobody of that name", True),
        ("550 no such user here", True),
        ("553 5.1.3 bad address", True),
        ("554 5.7.1 we do not like your network", False),
        ("552 5.2.2 the mailbox is full", False),
        ("450 4.2.1 later", False),
    ],
)
def test_refusal_while_sending_counts_like_a_report(db, smtp, queue_notes, answer, stops):
    (person,) = queue_notes(1)
    smtp.answers[person.email] = answer

    services.deliver()

    assert is_stopped(person) == stops


# --- The mailbox ------------------------------------------------------------------------------------------------------


@pytest.fixture
def maildir(tmp_path):
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    return tmp_path


def files(maildir) -> list[str]:
    return sorted(path.name for path in maildir.rglob("*") if not path.is_dir())


def run(mailbox) -> str:
    out = io.StringIO()
    call_command("process_bounces", str(mailbox), stdout=out)
    return out.getvalue().strip()


def question() -> bytes:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = "bounces@site.example", "A question"
    mail.set_content("Where is it?")
    return bytes(mail)


def test_maildir_is_read_and_what_is_no_report_stays(sent, maildir):
    email, person = sent
    whole = report(to=to(email.pk, person.email), person=person.email)
    (maildir / "new" / "1").write_bytes(whole)
    (maildir / "new" / "2").write_bytes(whole)
    (maildir / "cur" / "3:2,S").write_bytes(report(to=to(uuid4())))
    (maildir / "new" / "4").write_bytes(question())
    (maildir / "new" / "5").write_bytes(report(to=to(email.pk, person.email), action="delayed"))

    assert run(maildir) == "1 noted, 2 with nothing new, 2 other mails left"
    assert run(maildir) == "0 noted, 0 with nothing new, 2 other mails left"
    assert (files(maildir), is_stopped(person)) == (["4", "5"], True)


def test_report_that_is_quicker_than_our_mark_waits(sent, maildir):
    email, person = sent
    (maildir / "new" / "1").write_bytes(report(to=to(email.pk, person.email), person=person.email))
    Email.objects.update(state="claimed", claimed_by=1, sent_at=None, attempts=0)

    assert run(maildir) == "0 noted, 0 with nothing new, 1 other mails left"
    Email.objects.update(state="sent", claimed_by=None, sent_at=timezone.now(), attempts=1)
    assert run(maildir) == "1 noted, 0 with nothing new, 0 other mails left"


def test_giant_and_strange_files_do_not_stop_the_others(sent, maildir, tmp_path_factory):
    """A file of a gigabyte (of which only the beginning is read), a pipe nobody writes to, a link out of the folder."""
    email, person = sent
    whole = report(to=to(email.pk, person.email), person=person.email)
    (maildir / "new" / "1").write_bytes(whole)
    with (maildir / "new" / "2").open("wb") as giant:
        giant.write(question())
        giant.truncate(2**30)
    os.mkfifo(maildir / "new" / "3")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "kept"
    elsewhere.write_bytes(whole)
    (maildir / "new" / "4").symlink_to(elsewhere)
    (maildir / "new" / "5").mkdir()
    (maildir / "new" / "6").write_bytes(os.urandom(100_000))
    tracemalloc.start()

    said = run(maildir)

    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said == "1 noted, 0 with nothing new, 2 other mails left"
    assert most < 20 * 2**20
    assert elsewhere.exists()


@pytest.mark.parametrize(
    ("mailbox", "why"),
    [
        ("/nowhere", "is no maildir"),
        ("imap://me:secret@127.0.0.1/INBOX", "nobody reads along"),
        ("imaps://127.0.0.1/INBOX", "nobody reads along"),
        ("imaps://me:secret@127.0.0.1:x/INBOX", "no address of a mailbox"),
        ("imaps://me:sec%0Aret@127.0.0.1/INBOX", "nobody reads along"),
        ("imaps://me:secret@127.0.0.1:1/INBOX", r"^127\.0\.0\.1:1 cannot be read: Connection refused$"),
    ],
)
def test_mailbox_that_is_none_is_said_without_its_password(mailbox, why):
    with pytest.raises(CommandError, match=why) as error:
        call_command("process_bounces", mailbox)

    assert "secret" not in str(error.value)


def test_without_a_mailbox_it_asks_for_one():
    with pytest.raises(CommandError, match="BOUNCE_MAILBOX"):
        call_command("process_bounces")


def test_worker_reads_the_mailbox_of_this_installation(sent, maildir, settings):
    email, person = sent
    settings.BOUNCE_MAILBOX = str(maildir)
    (maildir / "new" / "1").write_bytes(report(to=to(email.pk, person.email), person=person.email))

    process_bounces()

    assert is_stopped(person)
    settings.BOUNCE_MAILBOX = "/nowhere"
    process_bounces()

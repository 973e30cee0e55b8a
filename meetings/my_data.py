"""What this site knows about a member from meetings."""

from django.db import models
from django.utils.translation import gettext_lazy

from members.data_parts import Part, Theme, register, register_words
from members.my_data import WITH_ACCOUNT

from .letter_models import AttendanceLetter, Disclosure, DisclosureConsent
from .log_models import Addendum, SessionLog
from .message_models import GroupMessage
from .models import LetFirst, Meeting, MeetingRun, Outreach, Participation, Turn
from .note_models import Incident, RestrictedNote
from .shared_models import Shared


def register_parts() -> None:
    register(PARTICIPATIONS, TURNS, CONTACTED, RECORDED, RAN, LOGS, ADDENDA, SUBSTITUTED, CONTACTS_NOTED)
    register(WAS_LET_FIRST, LET_FIRST, MESSAGES_SENT, SHARED)
    register(LETTERS, ALLOWED, REVOKED, GIVEN, NOTES, INCIDENTS)
    register_words(WORDS)


PARTICIPATIONS = Part(
    name="meetings",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Your answers, and whether you came"),
    why=gettext_lazy("So that your place is kept for you. The counselors of the group see it, and the coordinators."),
    kept=WITH_ACCOUNT,
    columns={
        "starts_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "answer": gettext_lazy("Your answer"),
        "answered_at": gettext_lazy("You answered"),
        "offer_expires_at": gettext_lazy("Place kept for you until"),
        "attendance": gettext_lazy("Whether you came"),
        "recorded_at": gettext_lazy("A counselor noted it"),
    },
    rows=lambda member: (
        Participation.objects.filter(member=member)
        .select_related("meeting__group")
        .order_by("-meeting__starts_at", "-pk")
    ),
    say=lambda row, member: (
        row.meeting.local_start,
        row.meeting.group.name,
        row.get_rsvp_display(),
        row.rsvp_at,
        row.offer_expires_at,
        row.get_attendance_display(),
        row.recorded_at,
    ),
    covers=frozenset({"meetings.Participation.member"}),
)

TURNS = Part(
    name="turns",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Your turn in a meeting that runs"),
    why=gettext_lazy("So that everybody has a turn, and nobody has to share. Only the counselor sees it."),
    kept=gettext_lazy("Half a day after the meeting."),
    columns={
        "starts_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "turn": gettext_lazy("Your turn"),
        "hand_raised_at": gettext_lazy("You raised your hand"),
        "shows_name": gettext_lazy("Others in this meeting may read your name"),
        "milestone": gettext_lazy("A milestone you told the counselor of"),
    },
    rows=lambda member: (
        Turn.objects.filter(participation__member=member)
        .select_related("participation__meeting__group")
        .order_by("-participation__meeting__starts_at")
    ),
    say=lambda row, member: (
        row.participation.meeting.local_start,
        row.participation.meeting.group.name,
        row.get_state_display(),
        row.hand_raised_at,
        row.shows_name,
        row.get_milestone_display(),
    ),
    covers=frozenset(),
)

RECORDED = Part(
    name="rosters",
    theme=Theme.WORK,
    heading=gettext_lazy("Meetings in which you noted who came"),
    why=gettext_lazy("So that a group knows who kept its roster."),
    kept=WITH_ACCOUNT,
    columns={"starts_at": gettext_lazy("Meeting"), "group": gettext_lazy("Group")},
    rows=lambda member: (
        Meeting.objects.with_attendance_recorded_by(member).select_related("group").order_by("-starts_at", "-pk")
    ),
    say=lambda row, member: (row.local_start, row.group.name),
    covers=frozenset({"meetings.Participation.recorded_by"}),
)

FOR_THE_GROUP = gettext_lazy("For good: it belongs to the group.")

LOGS = Part(
    name="logs",
    theme=Theme.WORK,
    heading=gettext_lazy("Session logs you wrote or signed"),
    why=gettext_lazy("So that a group knows how its meetings went, and who says so."),
    kept=FOR_THE_GROUP,
    columns={
        "started_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "signed_at": gettext_lazy("You signed it"),
        "credential": gettext_lazy("With the credential"),
    },
    rows=lambda member: (
        SessionLog.objects.written_or_signed_by(member).select_related("meeting__group").order_by("-started_at", "-pk")
    ),
    say=lambda row, member: (
        row.meeting.local_start,
        row.meeting.group.name,
        row.signed_at if row.signed_by_id == member.pk else None,
        row.credential if row.signed_by_id == member.pk else None,
    ),
    covers=frozenset({"meetings.SessionLog.written_by", "meetings.SessionLog.signed_by"}),
)

ADDENDA = Part(
    name="addenda",
    theme=Theme.WORK,
    heading=gettext_lazy("What you added to signed logs"),
    why=gettext_lazy("So that a log can be put right without changing what was signed."),
    kept=FOR_THE_GROUP,
    columns={"meeting": gettext_lazy("Meeting"), "text": gettext_lazy("What"), "at": gettext_lazy("When")},
    rows=lambda member: Addendum.objects.filter(written_by=member).select_related("log__meeting").order_by("-pk"),
    say=lambda row, member: (row.log.meeting.local_start, row.text, row.written_at),
    covers=frozenset({"meetings.Addendum.written_by"}),
)

RAN = Part(
    name="meetings-run",
    theme=Theme.WORK,
    heading=gettext_lazy("Meetings that you were the last to move on"),
    why=gettext_lazy("So that two counselors who run a meeting know who of them did what."),
    kept=WITH_ACCOUNT,
    columns={
        "starts_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "tapped_at": gettext_lazy("Your last tap"),
    },
    rows=lambda member: (
        MeetingRun.objects.tapped_by(member).select_related("meeting__group").order_by("-meeting__starts_at", "-pk")
    ),
    say=lambda row, member: (row.meeting.local_start, row.meeting.group.name, row.changed_at),
    covers=frozenset({"meetings.MeetingRun.changed_by"}),
)

SUBSTITUTED = Part(
    name="substitutes",
    theme=Theme.WORK,
    heading=gettext_lazy("Meetings you lead for somebody else"),
    why=gettext_lazy("So that the group knows who comes, and you can open its roster around that day."),
    kept=WITH_ACCOUNT,
    columns={"starts_at": gettext_lazy("Meeting"), "group": gettext_lazy("Group")},
    rows=lambda member: Meeting.objects.substituted_by(member).select_related("group").order_by("-starts_at", "-pk"),
    say=lambda row, member: (row.local_start, row.group.name),
    covers=frozenset({"meetings.Meeting.substitute"}),
)

CONTACTED = Part(
    name="contacts",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("When somebody asked how you are"),
    why=gettext_lazy("So that a counselor reaches out once when you were missed. What was said is not kept."),
    kept=WITH_ACCOUNT,
    columns={"group": gettext_lazy("Group"), "contacted_at": gettext_lazy("A counselor reached out")},
    rows=lambda member: Outreach.objects.filter(member=member).select_related("meeting__group"),
    say=lambda row, member: (row.meeting.group.name, row.contacted_at),
    covers=frozenset({"meetings.Outreach.member"}),
)

CONTACTS_NOTED = Part(
    name="contacts-noted",
    theme=Theme.WORK,
    heading=gettext_lazy("When you reached out to somebody"),
    why=gettext_lazy("So that two counselors do not call the same person."),
    kept=WITH_ACCOUNT,
    columns={"group": gettext_lazy("Group"), "contacted_at": gettext_lazy("You reached out")},
    rows=lambda member: Outreach.objects.filter(contacted_by=member).select_related("meeting__group"),
    say=lambda row, member: (row.meeting.group.name, row.contacted_at),
    covers=frozenset({"meetings.Outreach.contacted_by"}),
)

WAS_LET_FIRST = Part(
    name="let-first",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("When a counselor let you go first on a waiting list"),
    why=gettext_lazy("So that a group knows that its list is kept fairly."),
    kept=WITH_ACCOUNT,
    columns={
        "starts_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "was_number": gettext_lazy("Your number before"),
        "let_at": gettext_lazy("When"),
    },
    rows=lambda member: LetFirst.objects.filter(member=member).select_related("meeting__group"),
    say=lambda row, member: (row.meeting.local_start, row.meeting.group.name, row.was_number, row.let_local),
    covers=frozenset({"meetings.LetFirst.member"}),
)

LET_FIRST = Part(
    name="let-others-first",
    theme=Theme.WORK,
    heading=gettext_lazy("When you let somebody go first on a waiting list"),
    why=gettext_lazy("So that a group knows who changed the order, and why."),
    kept=WITH_ACCOUNT,
    columns={
        "starts_at": gettext_lazy("Meeting"),
        "group": gettext_lazy("Group"),
        "reason": gettext_lazy("Your reason"),
        "let_at": gettext_lazy("When"),
    },
    rows=lambda member: LetFirst.objects.filter(let_by=member).select_related("meeting__group"),
    say=lambda row, member: (row.meeting.local_start, row.meeting.group.name, row.reason, row.let_local),
    covers=frozenset({"meetings.LetFirst.let_by"}),
)

SHARED = Part(
    name="shared",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("What you share with those who run your meetings"),
    why=gettext_lazy("So that they can prepare for you, or call you when no e-mail reaches you."),
    kept=gettext_lazy("Until you take it back."),
    columns={
        "what": gettext_lazy("What it is"),
        "text": gettext_lazy("What it says"),
        "shared_at": gettext_lazy("Since"),
    },
    rows=lambda member: Shared.objects.filter(member=member),
    say=lambda row, member: (row.get_kind_display(), row.readable, row.shared_at),
    covers=frozenset({"meetings.Shared.member"}),
)

MESSAGES_SENT = Part(
    name="messages-sent",
    theme=Theme.WORK,
    heading=gettext_lazy("Messages you sent to people in your groups"),
    why=gettext_lazy("So that a group knows who wrote when. What it said is erased once every mail has left."),
    kept=FOR_THE_GROUP,
    columns={
        "group": gettext_lazy("Group"),
        "audience": gettext_lazy("Who gets it"),
        "told": gettext_lazy("How many"),
        "sent_at": gettext_lazy("When"),
    },
    rows=lambda member: GroupMessage.objects.filter(sent_by=member).select_related("group"),
    say=lambda row, member: (row.group.name, row.get_audience_display(), row.told, row.sent_at),
    covers=frozenset({"meetings.GroupMessage.sent_by"}),
)

LETTERS = Part(
    name="letters",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("Your letters of attendance"),
    why=gettext_lazy("So that you can print a letter again, and others can check that it is genuine."),
    kept=WITH_ACCOUNT,
    columns={
        "number": gettext_lazy("Number"),
        "issued_at": gettext_lazy("Given to you"),
        "name": gettext_lazy("Names you as"),
        "group_label": gettext_lazy("Calls the meetings"),
        "dates": gettext_lazy("How many days"),
        "revoked_at": gettext_lazy("Revoked"),
    },
    rows=lambda member: (
        AttendanceLetter.objects.filter(member=member)
        .annotate(days=models.Count("dates"))
        .order_by("-issued_at", "-pk")
    ),
    say=lambda row, member: (row.number, row.issued_at, row.name, row.group_label, row.days, row.revoked_at),
    covers=frozenset({"meetings.AttendanceLetter.member"}),
)

ALLOWED = Part(
    name="letters-for-others",
    theme=Theme.MEETINGS,
    heading=gettext_lazy("To whom a letter may go, and went"),
    why=gettext_lazy("So that nothing goes to anybody without your word, and you can see what did."),
    kept=WITH_ACCOUNT,
    columns={
        "text": gettext_lazy("The words you agreed to"),
        "given_at": gettext_lazy("You agreed"),
        "withdrawn_at": gettext_lazy("You took it back"),
        "made_at": gettext_lazy("Last given to them"),
    },
    rows=lambda member: (
        DisclosureConsent.objects.filter(member=member)
        .annotate(last=models.Max("disclosures__made_at"))
        .order_by("-given_at", "-pk")
    ),
    say=lambda row, member: (row.text, row.given_at, row.withdrawn_at, row.last),
    covers=frozenset({"meetings.DisclosureConsent.member"}),
)

REVOKED = Part(
    name="letters-revoked",
    theme=Theme.WORK,
    heading=gettext_lazy("Letters you revoked"),
    why=gettext_lazy("So that a group knows who said that a letter does not count."),
    kept=WITH_ACCOUNT,
    columns={"number": gettext_lazy("Number"), "revoked_at": gettext_lazy("When")},
    rows=lambda member: AttendanceLetter.objects.filter(revoked_by=member).order_by("-revoked_at", "-pk"),
    say=lambda row, member: (row.number, row.revoked_at),
    covers=frozenset({"meetings.AttendanceLetter.revoked_by"}),
)

GIVEN = Part(
    name="letters-given",
    theme=Theme.WORK,
    heading=gettext_lazy("Letters you made ready for somebody else"),
    why=gettext_lazy("So that members can see where their letters went."),
    kept=WITH_ACCOUNT,
    columns={"number": gettext_lazy("Number"), "made_at": gettext_lazy("When")},
    rows=lambda member: (
        Disclosure.objects.filter(made_by=member).select_related("consent__letter").order_by("-made_at", "-pk")
    ),
    say=lambda row, member: (row.consent.letter.number, row.made_at),
    covers=frozenset({"meetings.Disclosure.made_by"}),
)

NOTES = Part(
    name="restricted-notes",
    theme=Theme.WORK,
    heading=gettext_lazy("Restricted notes you wrote"),
    why=gettext_lazy("So that you can go on where you were. The text is locked, and you read it on its own page."),
    kept=FOR_THE_GROUP,
    columns={"meeting": gettext_lazy("Meeting"), "written_at": gettext_lazy("When")},
    rows=lambda member: (
        RestrictedNote.objects.filter(author=member).select_related("meeting").defer("sealed").order_by("-written_at")
    ),
    say=lambda row, member: (row.meeting.local_start, row.written_at),
    covers=frozenset({"meetings.RestrictedNote.author"}),
)

INCIDENTS = Part(
    name="incidents",
    theme=Theme.WORK,
    heading=gettext_lazy("Incidents you recorded or looked after"),
    why=gettext_lazy("So that what happened is looked after. The text is locked, and you read it on its own page."),
    kept=FOR_THE_GROUP,
    columns={"meeting": gettext_lazy("Meeting"), "written_at": gettext_lazy("When")},
    rows=lambda member: (
        Incident.objects.filter(models.Q(written_by=member) | models.Q(followed_up_by=member))
        .select_related("meeting")
        .defer("sealed")
        .order_by("-written_at")
    ),
    say=lambda row, member: (row.meeting.local_start, row.written_at),
    covers=frozenset({"meetings.Incident.written_by", "meetings.Incident.followed_up_by"}),
)

WORDS = {
    "note.written": gettext_lazy("wrote a restricted note"),
    "note.read": gettext_lazy("read a restricted note"),
    "incident.written": gettext_lazy("recorded an incident"),
    "incident.read": gettext_lazy("read the record of an incident"),
    "incident.followed_up": gettext_lazy("noted that an incident is looked after"),
    "letter.issued": gettext_lazy("got a letter of attendance"),
    "letter.revoked": gettext_lazy("revoked a letter of attendance"),
    "letter.verified": gettext_lazy("checked a letter of attendance: genuine"),
    "letter.not_verified": gettext_lazy("checked a letter of attendance: not genuine"),
    "disclosure.allowed": gettext_lazy("let a letter go to somebody else"),
    "disclosure.withdrawn": gettext_lazy("took back that a letter may go to somebody else"),
    "disclosure.made": gettext_lazy("made a letter ready for somebody else, as allowed"),
    "disclosure.refused": gettext_lazy("wanted to give a letter to somebody else, and was refused"),
    "mail.reminder": gettext_lazy("a reminder of a meeting"),
    "mail.week": gettext_lazy("the times of your week"),
    "mail.welcome": gettext_lazy("what to expect at a first meeting"),
    "mail.missed": gettext_lazy("we missed you"),
    "mail.roster_open": gettext_lazy("a list of who came is still open"),
    "mail.cancelled": gettext_lazy("a meeting is cancelled"),
    "mail.moved": gettext_lazy("a meeting has another time"),
    "mail.on_again": gettext_lazy("a meeting takes place after all"),
    "mail.substitute": gettext_lazy("whether you lead a meeting for somebody"),
    "mail.colleagues": gettext_lazy("a colleague changed a meeting that you run"),
    "mail.offer": gettext_lazy("a place is kept for you"),
    "waiting.let_first": gettext_lazy("let somebody go first on a waiting list"),
    "shared.kept": gettext_lazy("shared a number, or what they need"),
    "shared.withdrawn": gettext_lazy("took back what they shared"),
    "call_list.opened": gettext_lazy("opened a list of people to call"),
    "message.sent": gettext_lazy("wrote to people in a group"),
    "mail.message": gettext_lazy("a message from those who run a meeting"),
    "outreach.contacted": gettext_lazy("noted that somebody who was missed was contacted"),
    "outreach.undone": gettext_lazy("took back that somebody was contacted"),
    "attendance.recorded": gettext_lazy("noted whether somebody came"),
    "attendance.cleared": gettext_lazy("took back whether somebody came"),
    "attendance.walk_in": gettext_lazy("noted somebody who came without a place"),
    "attendance.checked_in": gettext_lazy("checked in themselves at a meeting"),
    "check_in.opened": gettext_lazy("let members check in themselves"),
    "check_in.closed": gettext_lazy("ended that members check in themselves"),
    "attendance.names_on_sheet": gettext_lazy("opened a sign-in sheet with names, to print"),
    "attendance.headcount": gettext_lazy("counted people who gave no name"),
    "meeting.did_not_meet": gettext_lazy("noted that a meeting did not take place"),
    "meeting.did_meet": gettext_lazy("noted that a meeting took place after all"),
    "meeting.moved": gettext_lazy("gave a meeting another time"),
    "meeting.cancelled": gettext_lazy("cancelled a meeting"),
    "meeting.on_again": gettext_lazy("let a cancelled meeting take place after all"),
    "meeting.capacity": gettext_lazy("changed how many places a meeting has"),
    "log.saved": gettext_lazy("filled in a session log"),
    "log.signed": gettext_lazy("signed a session log"),
    "log.added_to": gettext_lazy("added to a signed session log"),
    "log.change_refused": gettext_lazy("tried to change a signed session log"),
    "run.started": gettext_lazy("began to run a meeting"),
    "run.tapped": gettext_lazy("moved a meeting on while it ran"),
    "run.ended": gettext_lazy("ended a meeting that ran"),
    "series.suspended": gettext_lazy("paused a group’s meetings"),
    "series.resumed": gettext_lazy("let a group’s meetings go on"),
    "series.changed": gettext_lazy("changed a group’s schedule"),
    "series.undone": gettext_lazy("took back a change of a group’s schedule"),
    "meeting.substitute": gettext_lazy("chose who leads a meeting"),
    "group.topics_planned": gettext_lazy("chose topics for coming meetings"),
}

"""The invented house: who one can sign in as, the people and the groups, and what they are called."""

from dataclasses import dataclass, field
from datetime import time, timedelta

from groups.models import Group, Phase
from members.models import Member

from .models import Participation

# Who one can sign in as: role, address, display name.
ACCOUNTS = [
    (Member.Role.MEMBER, "member@example.org", "Heron"),
    (Member.Role.COUNSELOR, "counselor@example.org", "Rowan"),
    (Member.Role.COORDINATOR, "coordinator@example.org", "Hazel"),
    (Member.Role.REPORTS, "reports@example.org", "Brook"),
]
HERON = ACCOUNTS[0][2]
COUNSELORS = ["Linden", "Marlow", "Paloma"]
NAMES = [
    "Alder", "Ash", "Aster", "Bay", "Beech", "Birch", "Bluebell", "Bracken", "Briar", "Cedar", "Chickadee",
    "Clover", "Columbine", "Cowslip", "Crane", "Dove", "Dragonfly", "Elder", "Fern", "Finch", "Foxglove",
    "Goldfinch", "Hawthorn", "Heather", "Hollyhock", "Iris", "Ivy", "Jay", "Kestrel", "Kingfisher", "Lark",
    "Lavender", "Lilac", "Lupin", "Maple", "Marigold", "Meadow", "Moss", "Myrtle", "Nuthatch", "Oriole", "Osprey",
    "Otter", "Pebble", "Pine", "Primrose", "Robin",
]  # fmt: skip
SPANISH_NAMES = [
    "Colibrí", "Girasol", "Golondrina", "Gorrión", "Jacaranda", "Jilguero", "Lirio", "Mirlo", "Olivo", "Romero",
    "Tomillo", "Violeta",
]  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A group, and how many people found it: `own` came for it, `guests` belong to another group as well."""

    slug: str
    next_in: int  # days from today
    at: time
    minutes: int
    lead: str
    co: str
    own: int
    guests: int
    leave: int
    group: dict = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    without_name: int = 0  # at the most, per meeting
    phases: tuple[tuple[str, int, str], ...] = ()


HOUSE = {"area": "Riverside", "address": "400 Mill Street", "is_wheelchair_accessible": True}

PLANS = [
    Plan(
        "evening-circle", 6, time(18, 30), 90, "Rowan", "Linden", own=11, guests=2, leave=3,
        group={
            "name": "Evening Circle",
            "description": "A calm round at the end of the day. We check in, take up one topic, and everyone who wants "
            "to share has time. Just listening is fine.",
            "place": "Mill Street House, Garden Room",
            "place_notes": "Ring at the green door. The room is on the ground floor.",
            "capacity": 12,
            "gives_attendance_letters": True,
            "access_notes": "Step-free from the yard. There is a wide toilet on the same floor.",
        },
    ),
    Plan(
        "steps-at-noon", 1, time(12, 15), 60, "Linden", "Marlow", own=11, guests=6, leave=4, without_name=3,
        group={
            "name": "Steps at Noon",
            "description": "One step or one reading, then shares of a few minutes each. We listen and do not answer.",
            "kind": Group.Kind.TWELVE_STEP,
            "place": "Mill Street House, Library",
            "place_notes": "Through the front door, second room on the left.",
            "capacity": 20,
            "share_minutes": 3,
        },
        phases=(
            (Phase.Kind.WELCOME, 5, "The ground rules, read aloud."),
            (Phase.Kind.TOPIC, 10, "One step or one reading."),
            (Phase.Kind.SHARING, 40, "Three minutes each. We listen and do not answer."),
            (Phase.Kind.CLOSING, 5, "A quiet minute together."),
        ),
    ),
    Plan(
        "skills-for-hard-days", 2, time(17, 30), 75, "Rowan", "Marlow", own=9, guests=3, leave=1,
        group={
            "name": "Skills for Hard Days",
            "description": "We practice one skill a week, from home: noticing a craving, getting through an hour, "
            "asking for help. Cameras can stay off.",
            "kind": Group.Kind.SKILLS,
            "enrolment": Group.Enrolment.BY_REQUEST,
            "mode": Group.Mode.ONLINE,
            "cross_talk": Group.CrossTalk.AFTER_CHECK_IN,
            "capacity": 8,
            "place": "Online",
            "address": "",
            "link": "https://meet.example.org/skills",
            "is_wheelchair_accessible": False,
        },
    ),
    Plan(
        "morning-coffee", 3, time(10), 90, "Marlow", "Linden", own=7, guests=9, leave=3, without_name=4,
        topics=("What went well this week", "Plans for the weekend", "Asking for help"),
        group={
            "name": "Morning Coffee",
            "description": "Coffee, a table, and company. Come by or join from home. Family and friends are welcome.",
            "kind": Group.Kind.INFORMAL,
            "audience": Group.Audience.ANYONE,
            "mode": Group.Mode.HYBRID,
            "cross_talk": Group.CrossTalk.YES,
            "capacity": 15,
            "place": "Mill Street House, Kitchen",
            "link": "https://meet.example.org/coffee",
        },
        phases=(
            (Phase.Kind.WELCOME, 10, "Coffee is on the table. Sit where you like."),
            (Phase.Kind.INTRODUCTIONS, 10, "A first name, or none."),
            (Phase.Kind.SHARING, 55, "What the week was like. Everybody may ask and answer."),
            (Phase.Kind.CLOSING, 15, "Who washes up?"),
        ),
    ),
    Plan(
        "en-compania", 4, time(19), 90, "Paloma", "Rowan", own=12, guests=0, leave=2,
        topics=("Pedir ayuda", "Un buen día", "Cuando llegan las ganas de consumir", "Cuidar de uno mismo"),
        group={
            "name": "En compañía",
            "description": "Un grupo tranquilo en español. Comparta si quiere; escuchar también está bien.",
            "language": "es",
            "place": "Mill Street House, sala del jardín",
            "place_notes": "Toque el timbre de la puerta verde.",
            "capacity": 8,
        },
    ),
    Plan(
        "family-and-friends", 5, time(16), 90, "Marlow", "Paloma", own=6, guests=2, leave=1,
        topics=("Looking after yourself", "Setting limits with care", "Talking at home"),
        group={
            "name": "Family and Friends",
            "description": "For people close to somebody with a substance use disorder. You do not have to say who.",
            "audience": Group.Audience.FAMILY,
            "enrolment": Group.Enrolment.BY_REQUEST,
            "mode": Group.Mode.HYBRID,
            "cross_talk": Group.CrossTalk.AFTER_CHECK_IN,
            "place": "Mill Street House, Upper Room",
            "link": "https://meet.example.org/family",
            "capacity": 10,
        },
    ),
    Plan(
        "round-table", 4, time(17), 60, "Rowan", "Paloma", own=0, guests=8, leave=0,
        topics=("Saying what you need", "Old friends, new friends", "A calm evening"),
        group={
            "name": "Round Table",
            "description": "A small circle that stays the same for a season. New people come by invitation.",
            "enrolment": Group.Enrolment.CLOSED,
            "place": "Mill Street House, Attic",
            "place_notes": "Up both stairs. There is no lift.",
            "is_wheelchair_accessible": False,
            "capacity": 6,
        },
    ),
]  # fmt: skip


# What the member one signs in as has said so far: group, how many meetings ahead; the answer, hours ago.
OFFER_OPEN = timedelta(days=6)
ANSWERS_TO_SEE = {
    ("steps-at-noon", 0): (Participation.Rsvp.GOING, 50.0),
    ("round-table", 0): (Participation.Rsvp.GOING, 0.5),  # the last to say so: a place in the line
    ("round-table", 1): (Participation.Rsvp.OFFERED, 95.0),
    ("round-table", 2): (Participation.Rsvp.DECLINED, 20.0),
}

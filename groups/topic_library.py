"""The topics a house starts with: questions to open with, something to read aloud, something to try.

The rows hold the English words as they stand here, which is how their translations are found. Words that somebody
changes are shown as they were typed, in every language.
"""

from typing import NamedTuple

from django.utils.translation import gettext_noop as _


class LibraryTopic(NamedTuple):
    """`prompts`: one question a line. `reading`: about a minute aloud. `activity`: a few minutes, together."""

    name: str
    prompts: str
    reading: str
    activity: str


LIBRARY = (
    LibraryTopic(
        _("Triggers"),
        _(
            "What set off a hard moment this week?\n"
            "Which trigger could you see coming?\n"
            "Which place, hour or feeling do you want to be ready for?"
        ),
        _(
            "A trigger is anything that wakes the wish to use: a street, a payday, a song, a quarrel, an empty "
            "evening. It is not a command. It is more like a bell that learned to ring at the wrong time. When we "
            "know our bells, we can walk another way, call somebody first, or simply say: there it is again, and it"
            " will stop. Nobody can avoid every trigger. Everybody can get to know a few."
        ),
        _(
            "Draw a line for an ordinary day, from waking to sleeping. Mark the hours that are hard. For one of "
            "them, write down one thing you could do ten minutes earlier. Share it with the person beside you, or "
            "keep it."
        ),
    ),
    LibraryTopic(
        _("Cravings"),
        _("How long did the last craving last?\nWhat helped it pass?\nWhere in your body do you notice it first?"),
        _(
            "A craving comes like a wave. It rises, it stands high for a while, and it falls, also when we do "
            "nothing about it. Most are over in less than half an hour. While it stands high it tells us that it "
            "will never end, and that is the one thing about it that is not true. We do not have to win against the"
            " wave. We have to stay afloat until it is past: breathe, walk, drink water, call, wait fifteen minutes"
            " more."
        ),
        _(
            "Sit so that your feet touch the floor. Breathe in while you count to four, and out while you count to "
            "six, ten times. Notice what changed. Then say one thing each that carried you through fifteen minutes "
            "before."
        ),
    ),
    LibraryTopic(
        _("Relapse prevention"),
        _(
            "What are your early signs?\n"
            "Whom would you call first?\n"
            "What would you like others to say when they notice a sign?"
        ),
        _(
            "A return to use seldom begins with a drink or a dose. It begins earlier: we sleep badly, we skip a "
            "meeting, we stop answering, we say that we are fine. Each of us has early signs of our own, and others"
            " often see them before we do. To know them is not to wait for the worst. It is like a smoke alarm: it "
            "is small, it is on the ceiling, and it lets us act while there is only smoke. And if it did happen, "
            "the way back starts here, today."
        ),
        _(
            "Write three lines: a sign that I am sliding; somebody I can tell; the first thing I do. Fold the paper"
            " and put it where you will find it on a bad day, such as behind your phone."
        ),
    ),
    LibraryTopic(
        _("Coping"),
        _("What do you do with a bad hour?\nWhat used to help and does not any more?\nWhat would you like to try?"),
        _(
            "What we used was, for a time, an answer to something: to fear, to pain, to being alone. When it is "
            "gone, the question is still there, and we need other answers. One answer is not enough. Some help the "
            "body, such as a walk or a shower. Some help the head, such as writing it down. Some bring people near."
            " A toolbox with many small tools is worth more than one big hammer, and we may borrow from one "
            "another."
        ),
        _(
            "Each person names one thing that helps for five minutes, one for an hour, and one for a whole day. "
            "Write down one you had not thought of, and try it before we meet again."
        ),
    ),
    LibraryTopic(
        _("Asking for help"),
        _(
            "When did you last ask somebody for something?\n"
            "What makes it hard to ask?\n"
            "What is a small thing you could ask for this week?"
        ),
        _(
            "Many of us learned early to manage alone. Asking felt like a debt, or like being found out. Yet most "
            "people who are asked for something small feel trusted, not burdened. It gets easier when we ask for "
            "one clear thing: Will you walk with me to the bus? May I call you tonight at nine? A clear question "
            "lets the other person say yes, and it lets them say no, and we can live with both."
        ),
        _(
            "In pairs: one asks for something small and real, in one sentence. The other says thank you for asking,"
            " and answers honestly. Then change places."
        ),
    ),
    LibraryTopic(
        _("Hard feelings"),
        _("Which feeling is hardest to sit with?\nWhat does it want from you?\nHow do you notice that it gets less?"),
        _(
            "Anger, shame, grief and fear do not ask whether it suits us. We used to turn them off. Without that "
            "switch they can seem too big for one person. A feeling that is named grows a little smaller: I am "
            "angry, and under it I am afraid. A feeling that is told to somebody grows smaller still. We need not "
            "do what it says. We can let it sit beside us for a while and go on with our day."
        ),
        _(
            "Finish this sentence on paper: right now I feel … and what I need is … Those who want to read theirs "
            "aloud. Nobody comments; the group says: we hear you."
        ),
    ),
    LibraryTopic(
        _("Sleep and rest"),
        _("How are your nights?\nWhat keeps you awake?\nWhat does a restful evening look like for you?"),
        _(
            "In the first months sleep is often broken, and that is no sign that something goes wrong. A body that "
            "was put to sleep or kept awake for years has to learn both again. Rest helps even when sleep does not "
            "come. The same hour for getting up, light in the morning, no screen in bed, a page in a dull book: "
            "small things, done every day, do more than one great effort. And what seems hopeless at three in the "
            "morning is seldom so at ten."
        ),
        _(
            "Lie or lean back for three minutes. From the feet to the head, tighten each part and let it go. "
            "Afterwards, each says one thing they will change about tonight."
        ),
    ),
    LibraryTopic(
        _("People around us"),
        _("Who is good for you?\nWith whom do you need a limit?\nHow do you say it?"),
        _(
            "Recovery changes who sits at our table. Some people are glad, some are wary, and some miss who we were"
            " when we used with them. We may need more of the first, patience with the second, and a limit for the "
            "third. A limit is no punishment. It says what I will do: I will leave when there is drinking. Trust "
            "comes back the way it went, in small steps, and others may take longer than we wish."
        ),
        _(
            "Write down one limit as a sentence that begins with “I will”. Say it aloud to the group as you would "
            "say it to that person. The group may answer: that was clear."
        ),
    ),
    LibraryTopic(
        _("Free time"),
        _(
            "Which hours of the week feel empty?\n"
            "What did you like to do as a child?\n"
            "What costs nothing and does you good?"
        ),
        _(
            "Using takes time: to get it, to take it, to get over it. When it stops, hours are left over, and "
            "boredom is one of the quiet ways back. Nothing will be as loud as what we left, and for a while "
            "everything can seem grey. That passes, slowly, and it passes sooner for those who do things before "
            "they feel like it. First we go, then we enjoy. A weekly hour with other people is a good beginning, "
            "and you have just spent one."
        ),
        _(
            "Everybody writes one free or cheap thing to do on a slip. Mix the slips, draw one each, and try it "
            "before we meet again. If it is nothing for you, trade."
        ),
    ),
    LibraryTopic(
        _("Being kind to yourself"),
        _(
            "How do you speak to yourself after a mistake?\n"
            "What would you say to a friend?\n"
            "What went well since we last met?"
        ),
        _(
            "Shame says: I am bad. It makes us hide, and hiding is where using feels at home. Responsibility says: "
            "I did this, and I can do something about it. It needs daylight and some kindness. To be kind to "
            "oneself is not to look away. It is to speak to oneself as to somebody one wants to keep. Most of us "
            "would never say to a friend what we say to ourselves on a bad evening."
        ),
        _(
            "Write down one hard thing you say to yourself. Below it, write what you would say to a friend who told"
            " you the same. Read the second line twice."
        ),
    ),
)

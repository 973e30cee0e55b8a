"""Topics get something to read and something to try, and may come by rule or in turn. The library gets what it lacks;
topics that a house has changed stay as they are."""

import django.db.models.deletion
from django.db import migrations, models

from groups.topic_library import LIBRARY

PROMPTS_OF_OLD = {
    "Triggers": "What set off a hard moment this week?\nWhich trigger could you see coming?",
    "Cravings": "How long did the last craving last?\nWhat helped it pass?",
    "Relapse prevention": "What are your early signs?\nWhom would you call first?",
    "Coping": "What do you do with a bad hour?\nWhat would you like to try?",
}


def fill_library(apps, schema_editor):
    Topic = apps.get_model("groups", "Topic")
    for topic in LIBRARY:
        of_house = Topic.objects.filter(group=None, name=topic.name)
        if not of_house.exists():
            Topic.objects.create(**topic._asdict())
        else:
            of_house.filter(prompts=PROMPTS_OF_OLD.get(topic.name)).update(**topic._asdict())


class Migration(migrations.Migration):
    dependencies = [
        ("groups", "0011_look_for_words_in_one_question"),
    ]

    operations = [
        migrations.AddField(
            model_name="group",
            name="rotates_topics",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Dates without a topic get the one that was not taken up for longest.",
                verbose_name="topics in turn",
            ),
        ),
        migrations.AddField(
            model_name="topic",
            name="activity",
            field=models.TextField(
                blank=True,
                default="",
                db_default="",
                help_text="A few minutes, together or in pairs.",
                verbose_name="something to try",
            ),
        ),
        migrations.AddField(
            model_name="topic",
            name="reading",
            field=models.TextField(
                blank=True,
                default="",
                db_default="",
                help_text="About a minute when read aloud.",
                verbose_name="something to read",
            ),
        ),
        migrations.AlterField(
            model_name="topic",
            name="prompts",
            field=models.TextField(blank=True, help_text="One on each line.", verbose_name="questions to open with"),
        ),
        migrations.CreateModel(
            name="TopicRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "nth_of_month",
                    models.SmallIntegerField(
                        choices=[(1, "first"), (2, "second"), (3, "third"), (4, "fourth"), (5, "fifth"), (-1, "last")],
                        verbose_name="which one of the month",
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        help_text="Empty: whatever the day.",
                        null=True,
                        verbose_name="weekday",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="topic_rules",
                        to="groups.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="groups.topic",
                        verbose_name="topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "topic by rule",
                "verbose_name_plural": "topics by rule",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "nth_of_month", "weekday"), name="topic_rule_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunPython(fill_library, migrations.RunPython.noop),
    ]

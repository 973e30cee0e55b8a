from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("groups", "0005_date_standing_places_from_joining")]

    operations = [
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("standing_rsvp", False), ("standing_since__isnull", False), _connector="OR"),
                name="membership_standing_has_since",
            ),
        ),
    ]

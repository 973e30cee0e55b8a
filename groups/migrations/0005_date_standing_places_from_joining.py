from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("groups", "0004_add_invitations_phases_and_standing_places")]

    operations = [
        migrations.RunSQL(
            "UPDATE groups_membership SET standing_since = COALESCE(joined_at, requested_at) WHERE standing_rsvp",
            migrations.RunSQL.noop,
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("meetings", "0002_keep_places_taken")]
    operations = [
        migrations.AddField(
            model_name="suspension",
            name="is_from_feed",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

import groups.models

PLAIN_WORDS = """
CREATE FUNCTION plain_words(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = public, pg_temp
RETURN lower(unaccent('unaccent'::regdictionary, words))
"""


class Migration(migrations.Migration):
    dependencies = [("groups", "0006_require_a_date_for_standing_places")]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(PLAIN_WORDS, "DROP FUNCTION plain_words(text)"),
        migrations.AddField(
            model_name="group",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=groups.models.PlainWords(
                    django.db.models.functions.text.Concat(
                        "name",
                        models.Value(" "),
                        "area",
                        models.Value(" "),
                        "description",
                        output_field=models.TextField(),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("search_text", config="simple"), name="group_by_words"
            ),
        ),
    ]

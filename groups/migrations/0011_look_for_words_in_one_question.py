"""Which listed groups have some words, or else nearly have them: one question, whose plans PostgreSQL keeps.

Looking for what is spelled nearly so is tried only when nothing has the words as they are. The vector is spelled as in
the index `group_by_words`, so that it is found there. `groups_word` has every word of every group, each once or a few
times, and may have some that no group has any more (migration 0010): those find nothing.
"""

from django.db import migrations

FIND = """
CREATE FUNCTION groups_with_words(wanted text[], compared_from int, close_enough real) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    query tsquery;
    ids bigint[];
BEGIN
    IF cardinality(wanted) = 0 THEN
        RETURN ARRAY(SELECT id FROM groups_group WHERE is_listed);
    END IF;
    query := to_tsquery('simple', array_to_string(wanted, ':* & ') || ':*');
    ids := ARRAY(
        SELECT id FROM groups_group
        WHERE is_listed AND to_tsvector('simple'::regconfig, COALESCE(search_text, '')) @@ query
    );
    IF cardinality(ids) > 0 THEN
        RETURN ids;
    END IF;
    SELECT to_tsquery('simple', string_agg('(' || concat_ws(' | ', typed || ':*', nearly) || ')', ' & ')) INTO query
    FROM unnest(wanted) AS typed CROSS JOIN LATERAL (
        SELECT string_agg(DISTINCT known.word, ' | ') AS nearly FROM groups_word AS known
        WHERE length(typed) >= compared_from AND word_similarity(typed, known.word) >= close_enough
    ) AS alike;
    RETURN ARRAY(
        SELECT id FROM groups_group
        WHERE is_listed AND to_tsvector('simple'::regconfig, COALESCE(search_text, '')) @@ query
    );
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("groups", "0010_know_the_words_of_groups")]
    operations = [
        migrations.RunSQL(FIND, "DROP FUNCTION groups_with_words"),
    ]

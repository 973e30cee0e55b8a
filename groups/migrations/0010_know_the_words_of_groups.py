"""The words of all groups stand in a list of their own: a misspelled word is compared with them, not with every text.

Whatever writes groups, their words are added in the same statement. None is taken away: a word that no group has any
more finds nothing. Two who add the same word at once both write it; a unique index would let one wait for the other.
"""

from django.db import migrations

WORDS_NOT_KNOWN = r"""
SELECT DISTINCT found.word FROM {groups}, unnest(tsvector_to_array(to_tsvector('simple', search_text))) AS found (word)
WHERE found.word ~ '^\w+$' AND found.word !~ '^\d+$'
AND NOT EXISTS (SELECT FROM groups_word AS known WHERE known.word = found.word)
"""

KNOW = f"""
CREATE TABLE groups_word (word text NOT NULL);
INSERT INTO groups_word {WORDS_NOT_KNOWN.format(groups="groups_group")};

CREATE FUNCTION groups_know_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO groups_word {WORDS_NOT_KNOWN.format(groups="written")};
    RETURN NULL;
END $$;

CREATE TRIGGER group_inserted AFTER INSERT ON groups_group
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION groups_know_words();
CREATE TRIGGER group_updated AFTER UPDATE ON groups_group
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION groups_know_words();
"""

FORGET = """
DROP TRIGGER group_updated ON groups_group;
DROP TRIGGER group_inserted ON groups_group;
DROP FUNCTION groups_know_words;
DROP TABLE groups_word;
"""


class Migration(migrations.Migration):
    dependencies = [("groups", "0009_end_an_invitation_once")]
    operations = [migrations.RunSQL(KNOW, FORGET)]

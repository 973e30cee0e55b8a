from django.db import migrations

REFUSE = """
CREATE FUNCTION outbox_refuse_change_of_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.letter, OLD.language, OLD.number, OLD.subject, OLD.opening, OLD.closing, OLD.written_at)
        IS DISTINCT FROM (NEW.letter, NEW.language, NEW.number, NEW.subject, NEW.opening, NEW.closing, NEW.written_at)
    THEN
        RAISE EXCEPTION 'words are only ever added';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER words_are_only_added BEFORE UPDATE OR DELETE ON outbox_wording
    FOR EACH ROW EXECUTE FUNCTION outbox_refuse_change_of_words();

CREATE FUNCTION outbox_refuse_change_of_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.letter, OLD.language, OLD.a_id, OLD.b_id, OLD.is_test, OLD.began_at)
        IS DISTINCT FROM (NEW.letter, NEW.language, NEW.a_id, NEW.b_id, NEW.is_test, NEW.began_at)
        OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at)
    THEN
        RAISE EXCEPTION 'when words were in use is not changed later';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER wording_periods_only_end BEFORE UPDATE OR DELETE ON outbox_wordingperiod
    FOR EACH ROW EXECUTE FUNCTION outbox_refuse_change_of_period();
"""

ALLOW = """
DROP TRIGGER wording_periods_only_end ON outbox_wordingperiod;
DROP FUNCTION outbox_refuse_change_of_period;
DROP TRIGGER words_are_only_added ON outbox_wording;
DROP FUNCTION outbox_refuse_change_of_words;
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0003_keep_wordings_and_their_periods")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]

"""A letter names only meetings that its member came to, says what it said for good, and goes to others with consent."""

from django.db import migrations

GUARD = """
CREATE FUNCTION meetings_letter_names_who_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM meetings_attendanceletter letter
        JOIN meetings_participation part ON part.member_id = letter.member_id AND part.meeting_id = NEW.meeting_id
        JOIN meetings_meeting meeting ON meeting.id = NEW.meeting_id AND meeting.group_id = letter.group_id
        WHERE letter.id = NEW.letter_id AND part.attendance = NEW.attendance
            AND part.attendance IN ('present', 'late', 'left_early')
    ) THEN
        RAISE EXCEPTION 'no letter for an absence' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER letters_name_who_came BEFORE INSERT ON meetings_letterdate
    FOR EACH ROW EXECUTE FUNCTION meetings_letter_names_who_came();

CREATE FUNCTION meetings_refuse_change_of_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a letter stays as it was issued' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER dates_of_letters_stay BEFORE UPDATE ON meetings_letterdate
    FOR EACH ROW EXECUTE FUNCTION meetings_refuse_change_of_letter();

CREATE TRIGGER letters_stay BEFORE UPDATE ON meetings_attendanceletter
    FOR EACH ROW WHEN (
        OLD.revoked_at IS NOT NULL
        OR (to_jsonb(OLD) - 'revoked_at' - 'revoked_by_id') <> (to_jsonb(NEW) - 'revoked_at' - 'revoked_by_id')
    ) EXECUTE FUNCTION meetings_refuse_change_of_letter();

CREATE FUNCTION meetings_disclosure_needs_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM meetings_disclosureconsent consent
        JOIN meetings_attendanceletter letter ON letter.id = consent.letter_id AND letter.member_id = consent.member_id
        WHERE consent.id = NEW.consent_id AND consent.withdrawn_at IS NULL AND consent.expires_at > NEW.made_at
            AND letter.revoked_at IS NULL
    ) THEN
        RAISE EXCEPTION 'no disclosure without consent' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER disclosures_have_consent BEFORE INSERT ON meetings_disclosure
    FOR EACH ROW EXECUTE FUNCTION meetings_disclosure_needs_consent();
"""

UNGUARD = """
DROP TRIGGER disclosures_have_consent ON meetings_disclosure;
DROP FUNCTION meetings_disclosure_needs_consent;
DROP TRIGGER letters_stay ON meetings_attendanceletter;
DROP TRIGGER dates_of_letters_stay ON meetings_letterdate;
DROP FUNCTION meetings_refuse_change_of_letter;
DROP TRIGGER letters_name_who_came ON meetings_letterdate;
DROP FUNCTION meetings_letter_names_who_came;
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0014_create_attendance_letters")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]

"""A signed log stays as it was signed, and an addendum as it was written, whatever asks for a change."""

from django.db import migrations

LOCK = """
CREATE FUNCTION meetings_refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed log is only added to' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER signed_logs_stay BEFORE UPDATE OR DELETE ON meetings_sessionlog
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION meetings_refuse_change_of_log();

CREATE TRIGGER addenda_stay BEFORE UPDATE OR DELETE ON meetings_addendum
    FOR EACH ROW EXECUTE FUNCTION meetings_refuse_change_of_log();
"""

UNLOCK = """
DROP TRIGGER addenda_stay ON meetings_addendum;
DROP TRIGGER signed_logs_stay ON meetings_sessionlog;
DROP FUNCTION meetings_refuse_change_of_log;
"""


class Migration(migrations.Migration):
    dependencies = [("meetings", "0008_create_session_logs")]
    operations = [migrations.RunSQL(LOCK, UNLOCK)]

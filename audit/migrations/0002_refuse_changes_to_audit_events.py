from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever added';
END $$;

CREATE TRIGGER audit_events_are_only_added BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""

ALLOW = """
DROP TRIGGER audit_events_are_only_added ON audit_auditevent;
DROP FUNCTION audit_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_create_audit_events")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]

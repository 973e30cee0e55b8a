"""A house needs ground rules and topics on its first day. Both are the house's own to change afterwards."""

from django.db import migrations

ENGLISH = """What is said here stays here. You may tell your own story outside, never anybody else's.

We speak for ourselves and say “I”. We do not give advice unless somebody asks for it.

One person speaks at a time, for the minutes this group has agreed on. Everyone may share once before anyone shares twice.

You can always pass. Just listening is fine.

Please come on time, and tell us when you can't. Phones are silent.

Come able to take part. Whatever kind of week it was, you are welcome back.

Limits of confidentiality: the counselor has to act when somebody is in danger of being hurt, when a child or an older person is being harmed, or when a court orders it. Other members promise to keep what they hear to themselves, but the law does not bind them as it binds staff."""

SPANISH = """Lo que se dice aquí se queda aquí. Fuera puede contar su propia historia, nunca la de otra persona.

Hablamos por nosotros mismos y decimos «yo». No damos consejos si nadie los pide.

Habla una persona a la vez, durante los minutos acordados. Todos pueden compartir una vez antes de que alguien comparta dos.

Siempre puede pasar. Solo escuchar está bien.

Llegue a tiempo y avísenos si no puede venir. Los teléfonos, en silencio.

Venga en condiciones de participar. Sea como haya sido la semana, puede volver.

Límites de la confidencialidad: el consejero debe actuar si alguien corre peligro, si se hace daño a un menor o a una persona mayor, o si lo ordena un juez. Los demás participantes prometen guardar lo que oyen, pero la ley no les obliga como al personal."""

TOPICS = {
    "Triggers": "What set off a hard moment this week?\nWhich trigger could you see coming?",
    "Cravings": "How long did the last craving last?\nWhat helped it pass?",
    "Relapse prevention": "What are your early signs?\nWhom would you call first?",
    "Coping": "What do you do with a bad hour?\nWhat would you like to try?",
}


def add(apps, schema_editor):
    Agreement = apps.get_model("groups", "Agreement")
    Topic = apps.get_model("groups", "Topic")
    Agreement.objects.create(version=1, language="en", text=ENGLISH)
    Agreement.objects.create(version=1, language="es", text=SPANISH)
    Topic.objects.bulk_create(Topic(name=name, prompts=prompts) for name, prompts in TOPICS.items())


class Migration(migrations.Migration):
    dependencies = [("groups", "0001_create_groups")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

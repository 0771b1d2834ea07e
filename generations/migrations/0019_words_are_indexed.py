from django.db import migrations

from generations.migrations import _findable


class Migration(migrations.Migration):
    dependencies = [("generations", "0018_library_is_found")]

    operations = [
        migrations.RunPython(_findable.install, migrations.RunPython.noop),
        migrations.RunPython(_findable.fill, migrations.RunPython.noop, elidable=True),
    ]

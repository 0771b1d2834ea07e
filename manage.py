"""Command line of the portal: `python manage.py help` lists what it can do."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rhweb.settings")
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        if "--traceback" in sys.argv:
            raise
        why = str(error).strip()
        sys.exit(f"The database cannot be used: {why}\nLook at DATABASE_URL, then run `manage.py migrate`.")

"""Database, first users and static files, in one process: what `make run` does before the first start."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "phoenix_panel.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command
    from django.db import Error

    try:
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("firstusers")
        # Cleared first: the names carry hashes, so that old files would stay for ever.
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    except (ImproperlyConfigured, CommandError) as error:
        sys.exit(str(error))
    except Error as error:
        sys.exit(f"The database can't be used: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()

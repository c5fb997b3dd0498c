"""The users of the application, made before the first worker starts."""


def on_starting(server):
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    alice, _ = User.objects.get_or_create(username="alice")
    Token.objects.get_or_create(user=alice, key="5a1e0000000000000000000000000000000a11ce")

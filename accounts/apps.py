from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People: users, teams, memberships, allowances, API tokens."""

    name = "accounts"

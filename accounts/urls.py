from django.urls import path

from accounts.views.invite import invite, invite_mail
from accounts.views.sessions import session_end
from accounts.views.single_sign_on import sign_on, sign_on_answer

urlpatterns = [
    path("accounts/sessions/<int:pk>/end/", session_end, name="session_end"),
    path("accounts/oidc/<slug:provider_id>/login/", sign_on, name="openid_connect_login"),
    path("accounts/oidc/<slug:provider_id>/login/callback/", sign_on_answer, name="openid_connect_callback"),
    path("invite/<str:token>/", invite, name="invite"),
    path("invite/<str:token>/mail/", invite_mail, name="invite_mail"),
    path("invite/<str:token>/<str:proof>/", invite, name="invite_proven"),
]

from django.urls import path

from accounts.views.sessions import session_end

urlpatterns = [path("sessions/<int:pk>/end/", session_end, name="session_end")]

from django.urls import include, path

urlpatterns = [
    path("", include("rhweb.health")),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("generations.views.api")),
    path("", include("generations.urls")),
]
handler400 = "generations.views.errors.bad_request"
handler403 = "generations.views.errors.forbidden"
handler404 = "generations.views.errors.not_found"
handler500 = "generations.views.errors.server_error"

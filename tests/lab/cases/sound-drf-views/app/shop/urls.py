from django.urls import include, path
from rest_framework.routers import DefaultRouter

from shop.views import Login, Orders

router = DefaultRouter()
router.register("orders", Orders, basename="orders")

urlpatterns = [path("login/", Login.as_view()), path("api/", include(router.urls))]

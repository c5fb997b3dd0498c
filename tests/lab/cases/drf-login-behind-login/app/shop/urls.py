from django.urls import path

from shop.views import Login, Orders

urlpatterns = [path("orders/", Orders.as_view()), path("login/", Login.as_view())]

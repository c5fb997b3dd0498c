from rest_framework.response import Response
from rest_framework.views import APIView


class Orders(APIView):
    def get(self, request):
        return Response({"user": request.user.get_username(), "orders": []})


class Login(APIView):
    def post(self, request):
        if request.headers.get("X-Password") != "wonderland":
            return Response({"detail": "wrong password"}, status=401)
        return Response({"token": "5a1e0000000000000000000000000000000a11ce"})

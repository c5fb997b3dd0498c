import base64
import hmac

EXPECTED = "Basic " + base64.b64encode(b"alice:wonderland").decode()


def application(environ, start_response):
    if not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", ""), EXPECTED):
        start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="shop"')])
        return [b"Please log in\n"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"orders": []}\n']

"""Which product answered, as far as its own fields and error page tell. A table, most telling first."""

from __future__ import annotations

import re
from typing import Final

from why401.evidence import Response
from why401.prefilter import Lazy, lazy

#: (field name or "body", pattern, product). The body's patterns are those of standard error pages.
PRODUCTS: Final[tuple[tuple[str, Lazy, str], ...]] = tuple(
    (place, lazy(pattern, re.I), product)
    for place, pattern, product in (
        ("x-squid-error", r"", "Squid"),
        ("cf-mitigated", r"", "Cloudflare"),
        ("server", r"^cloudflare", "Cloudflare"),
        ("server", r"^cloudfront", "CloudFront"),
        ("x-amz-cf-id", r"", "CloudFront"),
        ("server", r"^awselb", "AWS load balancer"),
        ("x-amzn-errortype", r"", "AWS API Gateway"),
        ("x-amzn-requestid", r"", "AWS"),
        ("server", r"^amazons3", "Amazon S3"),
        ("server", r"^akamai", "Akamai"),
        ("server", r"^vercel", "Vercel"),
        ("server", r"^netlify", "Netlify"),
        ("server", r"^squid", "Squid"),
        ("server", r"^(?:istio-)?envoy", "Envoy"),
        ("server", r"^kong|^openresty.*kong", "Kong"),
        ("server", r"^apisix", "Apache APISIX"),
        ("server", r"^openresty", "OpenResty"),
        ("server", r"^nginx", "nginx"),
        ("server", r"^apache-coyote|^tomcat", "Tomcat"),
        ("server", r"^apache", "Apache httpd"),
        ("server", r"^microsoft-iis", "IIS"),
        ("server", r"^microsoft-httpapi", "HTTP.sys"),
        ("server", r"^kestrel", "Kestrel"),
        ("server", r"^caddy", "Caddy"),
        ("server", r"^litespeed", "LiteSpeed"),
        ("server", r"^jetty", "Jetty"),
        ("server", r"^(?:wildfly|undertow|jboss)", "Undertow"),
        ("server", r"^artifactory", "Artifactory"),
        ("server", r"^nexus", "Nexus"),
        ("server", r"^minio", "MinIO"),
        ("server", r"^github\.com", "GitHub"),
        ("server", r"^gunicorn", "Gunicorn"),
        ("server", r"^uvicorn|^hypercorn|^daphne", "ASGI server"),
        ("server", r"^werkzeug", "Werkzeug"),
        ("server", r"^wsgiserver", "Django development server"),
        ("server", r"^cowboy", "Cowboy"),
        ("server", r"^lighttpd", "lighttpd"),
        ("server", r"^traefik", "Traefik"),
        ("server", r"^zscaler|^bluecoat|^mcafee|^fortinet", "forward proxy"),
        ("docker-distribution-api-version", r"", "container registry"),
        ("x-kong-response-latency", r"", "Kong"),
        ("via", r"\bkong/", "Kong"),
        ("via", r"squid", "Squid"),
        ("via", r"\bvegur", "Heroku router"),
        ("x-powered-by", r"^express", "Express"),
        ("x-powered-by", r"^php", "PHP"),
        ("x-powered-by", r"^asp\.net", "ASP.NET"),
        ("x-drupal-cache", r"", "Drupal"),
        ("body", r"<center>openresty", "OpenResty"),
        ("body", r"<center>nginx", "nginx"),
        ("body", r"<address>Apache/|This server could not verify that you\s+are authorized", "Apache httpd"),
        ("body", r"HTTP Error 40[13]\.\d+|Internet Information Services", "IIS"),
        ("body", r"Apache Tomcat/", "Tomcat"),
        ("body", r"Cache Access Denied|generated .{0,80}\(squid", "Squid"),
        ("body", r"\"code\":\"(?:rest_|woocommerce_|jwt_auth_)", "WordPress"),
    )
)


def product_of(response: Response) -> str | None:
    """The product that made the response, or None where it cannot be told."""
    body = (response.body or "")[:4000]
    for place, pattern, product in PRODUCTS:
        text = body if place == "body" else response.fields.get(place)
        if text is not None and (text or place != "body") and pattern.search(text):
            return product
    return None

"""Which product reads the credential from where, and in which scheme: data, not code.

Each row holds what betrays the product in the evidence, the header or scheme that it reads, and its name for
the report. Only products are listed that do *not* take `Authorization: Bearer` (or not for this credential).
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

#: marker (regular expression) → header names any of which the product reads, and its name.
HEADERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"api\.anthropic\.com|anthropic-version\s*[\"']?:", ("x-api-key",), "the Anthropic API"),
    (
        r"\.openai\.azure\.com|\.cognitiveservices\.azure\.com/openai",
        ("api-key", "ocp-apim-subscription-key"),
        "Azure OpenAI",
    ),
    (
        r"\.cognitiveservices\.azure\.com/(?!openai)|api\.cognitive\.microsoft\.com|azure-api\.net",
        ("ocp-apim-subscription-key", "api-key"),
        "Azure API Management",
    ),
    (r"generativelanguage\.googleapis\.com", ("x-goog-api-key",), "the Gemini API"),
    (r"myshopify\.com/admin/api", ("x-shopify-access-token",), "the Shopify Admin API"),
    (r"api\.datadoghq\.(?:com|eu)", ("dd-api-key",), "Datadog"),
    (r"api\.(?:eu\.)?newrelic\.com", ("api-key", "x-api-key"), "New Relic"),
    (r"api\.postmarkapp\.com", ("x-postmark-server-token", "x-postmark-account-token"), "Postmark"),
    (
        r"(?:sonarr|radarr|prowlarr|lidarr|readarr|overseerr|jellyseerr)[\w.:-]*/api",
        ("x-api-key",),
        "the *arr applications",
    ),
    (r"/v1/(?:sys|secret|auth)/|vault_addr|hashicorp vault", ("x-vault-token",), "HashiCorp Vault"),
    (r"\bredmine\b", ("x-redmine-api-key",), "Redmine"),
    (r"octopus(?:\.app|deploy)", ("x-octopus-apikey",), "Octopus Deploy"),
    (r"/v3/auth/tokens|keystone|openstack", ("x-auth-token",), "OpenStack"),
    (r"plex\.tv|\bplex\b", ("x-plex-token",), "Plex"),
    (r"api\.elevenlabs\.io", ("xi-api-key",), "ElevenLabs"),
    (r"api\.mailersend|api\.brevo\.com|api\.sendinblue\.com", ("api-key",), "Brevo"),
    (
        r"api\.tomorrow\.io|api\.coingecko\.com|pro-api\.coingecko",
        ("x-cg-pro-api-key", "x-cg-demo-api-key"),
        "CoinGecko",
    ),
    (r"pro-api\.coinmarketcap\.com", ("x-cmc_pro_api_key",), "CoinMarketCap"),
    (r"\bglpat-|/api/v4/", ("private-token", "job-token", "deploy-token", "authorization"), "the GitLab API"),
    (r"rapidapi\.com", ("x-rapidapi-key",), "RapidAPI"),
    (r"kong-admin|:8001/", ("kong-admin-token",), "the Kong Admin API"),
    (
        r"acts_as_token_authentication|simple_token_authentication",
        ("x-user-token", "x-admin-token"),
        "simple_token_authentication",
    ),
    (r"\bapplication_id\b.*parse-server|parse-server", ("x-parse-application-id",), "Parse Server"),
    (r"api\.typesense|typesense", ("x-typesense-api-key",), "Typesense"),
    (r"\bqdrant\b", ("api-key",), "Qdrant"),
    (r"weaviate.*x-openai|pinecone\.io", ("api-key",), "Pinecone"),
)

#: marker → schemes that are read there (lower case), and the name.
SCHEMES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        r"rest_framework\.authtoken|rest_framework\.authentication\.TokenAuthentication|import TokenAuthentication|drf_create_token",
        ("token",),
        "Django REST framework's TokenAuthentication",
    ),
    (r"paperless(?:-ngx)?", ("token", "basic"), "Paperless-ngx"),
    (r"\bnetbox\b|\bnautobot\b", ("token",), "NetBox"),
    (r"influxd?b? ?(?:v?2|cloud)|/api/v2/write|\binflux write\b", ("token",), "InfluxDB 2"),
    (r"api\.deepgram\.com", ("token",), "Deepgram"),
    (
        r"/_security/api_key|elasticsearch[\s\S]{0,400}api_key|elastic-cloud\.com",
        ("apikey", "basic"),
        "Elasticsearch",
    ),
    (
        r"api\.bitbucket\.org|bitbucket\.org/2\.0|\bbitbucket\b[^.\n]*\.(?:py|js|ts|go|java|rb|sh)$",
        ("basic",),
        "Bitbucket Cloud with an API token or app password",
    ),
    (r"\.atlassian\.net/(?:rest|wiki)", ("basic",), "Atlassian Cloud with an API token"),
    (
        r"dev\.azure\.com|\.visualstudio\.com|/_apis/|pkgs\.dev\.azure",
        ("basic",),
        "Azure DevOps with a personal access token",
    ),
    (r"/wp-json/wc/|consumer_secret|woocommerce", ("basic", "oauth"), "the WooCommerce REST API"),
    (r"application password|application-passwords", ("basic",), "WordPress application passwords"),
    (r"api\.twilio\.com", ("basic",), "Twilio"),
    (r"api\.mailgun\.net", ("basic",), "Mailgun"),
    (r"\.mailchimp\.com", ("basic", "bearer"), "Mailchimp"),
    (r"\bjenkins\b[\s\S]{0,600}(?:api[ _-]?token|/api/json|crumb)", ("basic",), "Jenkins"),
    (
        r"accounts\.spotify\.com/api/token|api[.-](?:m\.)?(?:sandbox\.)?paypal\.com/v1/oauth2/token|api-m\.(?:sandbox\.)?paypal\.com/v1/oauth2",
        ("basic",),
        "the token endpoint of Spotify or PayPal",
    ),
    (r"\.okta(?:preview)?\.com/api", ("ssws", "bearer"), "the Okta API"),
    (r"discord(?:app)?\.com/api", ("bot", "bearer"), "Discord"),
    (r"api\.pagerduty\.com", ("token",), "PagerDuty"),
    (r"api\.opsgenie\.com", ("geniekey",), "Opsgenie"),
    (r"zohoapis?\.|\.zoho\.(?:com|eu)", ("zoho-oauthtoken", "bearer"), "Zoho"),
    (r"\bfal\.(?:run|ai)", ("key",), "fal"),
    (r"/ghost/api/admin", ("ghost",), "the Ghost Admin API"),
    (r"\.zendesk\.com", ("basic", "bearer"), "Zendesk"),
    (r"\.freshdesk\.com", ("basic",), "Freshdesk"),
    (r"api\.stripe\.com", ("bearer", "basic"), "Stripe"),
)

#: What a program says when it found no credential at all, though some may have been sent.
ANONYMOUS = (
    r"authentication credentials were not provided|missing authorization header|no authorization header|authorization header (?:is )?(?:missing|required|not found|not provided|not present)"
    r"|no (?:auth(?:entication|orization)? ?)?(?:token|credentials?|api ?key)s?\b[\w ]{0,20} (?:was |were )?(?:provided|found|supplied|sent|given|present|specified|in (?:the )?request)|token_not_provided|token not provided"
    r"|missing (?:the )?(?:required )?(?:api[ -]?key|access token|auth(?:entication|orization)? token|bearer token|credentials|x-[\w-]+)"
    r"|api[ _-]?key (?:is )?(?:missing|required|not provided|not found)|jwt must be provided|jwt is missing|no auth token|auth token (?:is )?(?:missing|required)"
    r"|full authentication is required|requires authentication|must be (?:logged|signed) in|need to (?:sign|log) in|you are not currently logged in|login required|please (?:log|sign) ?in"
    r"|request is missing required authentication credential|provide (?:an? )?(?:valid )?(?:api key|credentials|token)|didn'?t provide an api key|no api ?key (?:found|provided)"
    r"|not authenticated\b|unauthenticated\b|anonymous (?:user|access|request)|anonymoususer|client authentication scheme 'anonymous'|authentication (?:is )?required|no credentials"
)

# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Reader of the one line in which a tool says that it was refused: package managers, git, kubectl, HTTP libraries.

Each line that names a status (or words that stand for one) is an exchange of which little more is known than its status,
URL and client, and a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from why401.evidence import Evidence, Exchange, Record, Request, Response, Source
from why401.prefilter import Lazy, lazy
from why401.readers import log_times

MOST = 60  # of one input: a log of thousands of the same line says it no better
LARGEST = 1_000_000

_URL = r"(?P<url>https?://[^\s'\"`<>|]+?)"
_STATUS = r"(?P<status>40[137])"
_METHOD = r"(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|PROPFIND)"
_END = r"(?=[\s'\"`<>|,;)\]]|[.:]?(?:\s|$)|$)"

#: (client, pattern). A pattern without a `status` stands for 401.
_TABLE: tuple[tuple[str, str], ...] = (
    # package managers and registries
    ("npm", rf"npm (?:ERR!|error)\s+{_STATUS}\s+(?P<reason>[A-Z][\w ]*?)\s+-\s+{_METHOD}\s+{_URL}{_END}"),
    ("npm", rf"npm (?:ERR!|error)\s+(?:publish\s+)?(?:code\s+E|Failed\s+{_METHOD}\s+){_STATUS}\b"),
    ("pnpm", rf"ERR_PNPM_FETCH_{_STATUS}\S*\s+(?:{_METHOD}\s+{_URL}:\s)?"),
    ("yarn", rf"\"?{_URL}: Request failed \\?\"{_STATUS} (?P<reason>[\w ]+)\\?\""),
    ("yarn", rf"YN00\d\d: .*?Response Code: .*?{_STATUS}.*?(?:Request Method: .*?{_METHOD})?"),
    ("bun", rf"error: {_METHOD} {_URL} - {_STATUS}"),
    ("pip", rf"(?:ERROR|WARNING): .*?{_STATUS} (?:Client )?Error.*?(?:for url|URL): {_URL}{_END}|WARNING: {_STATUS} Error, Credentials not correct for (?P<url2>https?://\S+)"),
    ("twine", rf"HTTPError: {_STATUS} (?P<reason>.+?) from {_URL}{_END}"),
    ("cargo", rf"failed to get a 200 OK response, got {_STATUS}|got an unexpected response code.*?{_STATUS}"),
    ("docker", rf"(?:Get|Head|Post) \\?\"?{_URL}\\?\"?: (?:unauthorized|denied|no basic auth credentials)(?P<reason>[^\n]{{0,80}})"),
    ("docker", rf"login attempt to {_URL} failed with status: {_STATUS}"),
    ("docker", rf"unexpected status(?: code)?(?: from \w+ request to {_URL})?[: ]+{_STATUS}\b"),
    ("containerd", rf"failed to (?:authorize|resolve reference)[^\n]*?unexpected status[^\n]*?{_STATUS}"),
    ("skopeo", r"(?:unable to retrieve auth token|reading manifest [^\n]*?): (?:invalid username/password: )?(?P<reason>unauthorized|authentication required)"),
    ("maven", rf"(?:from/to|from|to) [\w.-]+ \({_URL}\)[^\n]*?status(?: code)?: {_STATUS}"),
    ("maven", rf"Could not (?:transfer|find)[^\n]*?{_URL}[^\n]*?(?:status(?: code)?:?|ReasonPhrase:|:) ?{_STATUS}?"),
    ("maven", rf"\[(?:ERROR|WARNING|WARN)\][^\n]*?status(?: code)?: {_STATUS}(?:,| )(?: reason phrase:)? ?(?P<reason>[\w ]+)"),
    ("gradle", rf"Received status code {_STATUS} from server: ?(?P<reason>[\w ]*)"),
    ("gradle", rf"Could not (?:GET|HEAD|PUT) '{_URL}'\.(?: Received status code {_STATUS})?"),
    ("gradle", rf"HTTP status code: {_STATUS}, URL:\s*{_URL}{_END}"),
    ("sbt", rf"(?:unauthorized|Unauthorized): ?\(?{_URL}\)?{_END}|Unable to find credentials for"),
    ("nuget", rf"Unable to load the service index for source {_URL}\.[\s\S]{{0,160}}?{_STATUS}"),
    ("composer", rf"The \"{_URL}\" file could not be downloaded[^\n]*?{_STATUS}"),
    ("go", rf"(?:reading|fetching) {_URL}: {_STATUS}"),
    ("helm", rf"failed to fetch {_URL} : {_STATUS}"),
    # git, kubectl, clouds
    ("git", rf"fatal: Authentication failed for '{_URL}'"),
    ("git", rf"fatal: unable to access '{_URL}': The requested URL returned error: {_STATUS}"),
    ("git", r"remote: (?:HTTP Basic: Access denied|Invalid username or (?:password|token))"),
    ("kubectl", r"error: You must be logged in to the server \((?P<reason>[^)]*)\)|Error from server \(Unauthorized\)"),
    ("aws", r"An error occurred \((?P<reason>(?:InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|ExpiredToken|AuthFailure|UnauthorizedException|NotAuthorized)\w*)\)"),
    ("gcloud", rf"ERROR: \(gcloud[^)]*\)[^\n]*?(?:{_STATUS}|UNAUTHENTICATED|invalid authentication credentials)"),
    ("ansible", rf"Status code was {_STATUS}(?: and not \[[^\]]*\])?: HTTP Error \d+: (?P<reason>\w+)"),
    ("ansible", r"(?:basic|kerberos|ntlm|ssl|credssp|plaintext): the specified credentials were rejected by the server"),
    # command-line HTTP clients
    ("curl", rf"curl: \(22\) The requested URL returned error: {_STATUS}"),
    ("wget", rf"ERROR {_STATUS}: (?P<reason>[\w ]+)\.|HTTP request sent, awaiting response\.\.\. (?P<status2>40[137])|Username/Password Authentication Failed"),
    ("powershell", rf"Invoke-(?:RestMethod|WebRequest)\s*:[^\n]*?\(?{_STATUS}\)?"),
    # libraries
    ("python-requests", rf"{_STATUS} Client Error: (?P<reason>.*?) for url: {_URL}{_END}"),
    ("httpx", rf"Client error '{_STATUS} (?P<reason>[^']*)' for url '{_URL}'|HTTP Request: (?P<method2>[A-Z]+) (?P<url2>\S+) \"HTTP/[\d.]+ (?P<status2>40[137]) [^\"]*\""),
    ("aiohttp", rf"(?:ClientResponseError|WSServerHandshakeError)[:(][^\n]*?{_STATUS}, message='(?P<reason>[^']*)'(?:, url=(?:URL\(')?{_URL}{_END})?"),
    ("urllib", rf"urllib\.error\.HTTPError: HTTP Error {_STATUS}: (?P<reason>[\w ]+)|urllib2\.HTTPError: HTTP Error (?P<status2>40[137])"),
    ("guzzle", rf"`{_METHOD} {_URL}` resulted in a `{_STATUS} (?P<reason>[^`]*)`"),
    ("axios", rf"(?:AxiosError|Error): Request failed with status code {_STATUS}|Request failed with status code (?P<status2>40[137])"),
    ("superagent", rf"(?:StatusCodeError|HTTPError|ApiError): (?:Response code )?{_STATUS}\b"),
    ("dotnet", rf"Response status code does not indicate success: {_STATUS} \((?P<reason>[^)]*)\)"),
    ("dotnet", rf"The remote server returned an error: \({_STATUS}\) (?P<reason>\w+)"),
    ("wcf", r"The HTTP request is unauthorized with client authentication scheme '(?P<reason>\w+)'"),
    ("java", rf"Server returned HTTP response code: {_STATUS} for URL: {_URL}{_END}"),
    ("spring", rf"(?:HttpClientErrorException|WebClientResponseException)\S*: {_STATUS}\b(?:[^\n]*? from {_METHOD} {_URL}{_END})?"),
    ("feign", rf"FeignException\S*: \[{_STATUS}[^\]]*\] during \[{_METHOD}\] to \[{_URL}\]"),
    ("retrofit", rf"(?:HttpException|retrofit2\.\S+): HTTP {_STATUS}"),
    ("okhttp", rf"<-- {_STATUS} (?:(?P<reason>[A-Z]\w+) )?{_URL} \(\d+ms"),
    ("octokit", rf"{_METHOD} {_URL}: {_STATUS} - (?P<reason>[^\n/]*)"),
    ("openai", rf"(?:AuthenticationError|PermissionDeniedError|APIStatusError)[^\n]*?(?:Error code: )?{_STATUS}\b"),
    ("mcp", rf"(?:SSE error|Streamable HTTP error|HTTP {_STATUS} trying to load|Error POSTing to endpoint)[^\n]*?(?:\(?HTTP (?P<status2>40[137])\)?|$)"),
    ("dio", rf"DioE(?:rror|xception)[\s\S]{{0,120}}?status code of {_STATUS}"),
    ("prometheus", rf"server returned HTTP status {_STATUS} (?P<reason>\w+)"),
    ("browser", rf"{_METHOD} {_URL}(?: net::\S+)? {_STATUS} \((?P<reason>[^)]*)\)"),
    ("browser", rf"Failed to load resource: the server responded with a status of {_STATUS} \((?P<reason>[^)]*)\)"),
    ("browser", rf"WebSocket connection to '(?P<url>wss?://[^']+)' failed: [^\n]*?(?:Unexpected response code|response code): {_STATUS}"),
    ("poetry", rf"HTTP Error {_STATUS}: (?P<reason>\w+)"),
    ("terraform", rf"(?:│ |terraform[^\n]*|^)Error: [^\n]*?(?:{_METHOD}\s+{_URL}:\s+)?{_STATUS}\s+(?P<reason>Unauthorized|Bad credentials|Forbidden)"),
    ("unknown", rf"(?:unexpected (?:http )?status(?: code)?|status code|HTTP (?:error|status)(?: code)?|response (?:status|code)|returned)[: =]+{_STATUS}\b(?:[^\n]{{0,40}}?(?:for|from|url|URL|at)[: ]+{_URL}{_END})?"),
)  # fmt: skip
_CUE = lazy(
    r"40[137]|(?i:unauthorized|authentication (?:failed|required)|auth(?:orization)? (?:error|failed)|credentials (?:were )?rejected|no basic auth|access denied|invalidclienttoken|signaturedoesnotmatch|expiredtoken|must be logged in)"
)


@cache
def _table() -> tuple[tuple[str, Lazy], ...]:
    return tuple((client, lazy(_numbered(pattern))) for client, pattern in _TABLE)


def _numbered(pattern: str) -> str:
    """The pattern with groups that stand twice under names of their own: status, status2, …"""
    held: dict[str, int] = {}

    def name(match: re.Match[str]) -> str:
        base = match[1].rstrip("23456789")
        held[base] = held.get(base, 0) + 1
        return f"(?P<{base}{held[base] if held[base] > 1 else ''}>"

    return re.sub(r"\(\?P<(\w+)>", name, pattern)


def sniff(name: str, text: str) -> bool:
    """Whether a refusal may be named in the text."""
    return not re.search(
        r"(?i)\.(?:har|json5?|ya?ml|xml|py|jsx?|tsx?|java|cs|go|php|rb|conf|properties|toml)$", name
    ) and bool(_CUE.search(text[:LARGEST]))


def read(text: str, source: Source) -> Evidence:
    """An exchange and a record for each line of a tool, each line once and by the first pattern that fits."""
    exchanges: list[Exchange] = []
    records: list[Record] = []
    for match, client in _matches(text[:LARGEST]):
        where = source.at((source.line or 1) + text.count("\n", 0, match.start()))
        request, status, reason = _parts(match)
        line = text[text.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0][:2000]
        name = None if client == "unknown" else client
        response = Response(status, reason, complete=False)
        exchanges.append(
            Exchange(len(exchanges) + 1, request, response, where, log_times.find(line[:80]), None, name)
        )
        records.append(
            Record(line, where, log_times.find(line[:80]), "error", status, request.method, request.url)
        )
        if len(exchanges) >= MOST:
            break
    return Evidence(exchanges=tuple(exchanges), records=tuple(records))


def _matches(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The first pattern for each stretch of lines that names a refusal."""
    taken: set[tuple[int, int]] = set()
    said: set[str] = set()
    found: list[tuple[int, re.Match[str], str]] = []
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        if stop - start > 4000 or not _CUE.search(text, start, min(len(text), stop + 240)):
            continue
        for client, pattern in _table():
            match = pattern.search(text, start, min(len(text), stop + 240))
            if match and match.start() < stop and match.span() not in taken:
                if match.group() not in said:
                    found.append((match.start(), match, client))
                taken.add(match.span())
                said.add(match.group())
                break
    for _, match, client in found:
        yield match, client


def _parts(match: re.Match[str]) -> tuple[Request, int, str]:
    held = {key.rstrip("23456789"): value for key, value in match.groupdict().items() if value}
    status = int(held.get("status", 401))
    url = held.get("url", "").rstrip(".,:;") or None
    request = Request(held.get("method"), url, complete=False)
    return request, status, held.get("reason", "").strip()[:80]

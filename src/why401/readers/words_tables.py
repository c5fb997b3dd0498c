# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""What people compare: phrases that name one side of a contrast, by axis (tables, not prose per case)."""

from __future__ import annotations

from why401.evidence import Axis
from why401.prefilter import lazy

_BY = r"(?:with|in|using|from|via|through|by|on|for|under|inside|to|against|at)"
_THE = r"(?:the|a|an|my|our|this|that|your|its|their|any|another|other|every|each|some|same|plain|raw|simple|own|real)"
_VERSION = (
    r"(?<![\w.:/$-])(?:v|version\s+|release\s+|net)?\d+(?:\.(?:\d+|x))+(?:[-.+][A-Za-z]\w*)*(?![\w%])(?!\.\d)"
)

#: (axis, phrase). The phrase, found in a clause that works or fails, is the side of the contrast.
PHRASES: tuple[tuple[Axis, str], ...] = (
    ("client", r"\b(?:curl|postman|insomnia|httpie|wget|bruno|swagger(?:[\s-]?ui)?|soapui|hoppscotch|thunder\s+client|invoke-(?:restmethod|webrequest)|rest\s+client)\b"),
    ("client", r"\b(?:chrome|chromium|firefox|safari|edge|brave|opera|internet\s+explorer|ie\s?11)\b"),
    ("client", rf"\b{_BY}\s+(?:{_THE}\s+)*(?:web\s+)?browsers?\b|\bbrowsers?\s+(?:sessions?|client)\b|\bthe\s+browser\b"),
    ("client", r"\bweb\s+(?:page|ui|login|portal|interface|console|client|app|site)\b"),
    ("client", rf"\b{_BY}\s+(?:{_THE}\s+)*(?:[\w.#+-]+\s+)?(?:app|application|frontend|front-end|code|script|program|sdk|command[\s-]line|cli|terminal|library)\b"),
    ("client", rf"\b{_BY}\s+(?:{_THE}\s+)*(?:axios|fetch|requests|httpx|aiohttp|urllib|httpclient|okhttp|guzzle|python|node(?:\.?js)?|java|powershell|golang|php)\b"),
    ("client", r"\b(?:other|another|different|newer|older|official|desktop|mobile)\s+(?:[\w]+\s+)?(?:clients?|apps?|tools?)\b|\bevery\s+external\s+\w+\s+client\b"),
    ("client", r"\b(?:docker|npm|yarn|pnpm|pip|maven|gradle|kubectl|helm|git|twine|sbt|terraform|podman)\s+(?:login|install|pull|push|clone|publish|client)\b|\bkubernetes\s+pulls\b"),
    ("client", r"\b(?:click|open|past|enter|typ)ing\s+(?:the\s+|this\s+)?(?:same\s+)?(?:url|link|address)\b"),
    ("host", r"\b(?:local(?:ly|host)?|127\.0\.0\.1|on\s+my\s+(?:machine|laptop|pc|computer|mac)|(?:in|on|the)\s+(?:local\s+)?(?:dev(?:elopment)?|development)\b(?:\s+(?:server|environment|machine|site))?)\b"),
    ("host", r"\b(?:in|on|to|against|from)\s+(?:the\s+|our\s+|my\s+)?(?:prod(?:uction)?|live|staging|test|qa|uat|sandbox|preview|cloud|server|vps|heroku|vercel|netlify|aws|azure|kubernetes|k8s|cluster|docker(?!\s*hub)|container|pod|ci|pipeline|jenkins|github\s+actions|gitlab\s+ci)\b|\bproduction\b|\bdeployed\b"),
    ("host", r"\b(?:self-hosted|github-hosted|hosted)\s+(?:runners?|ones|agents?|site)\b|\bon\s+(?:other|another|a\s+different|the\s+other|one|some)\s+(?:server|machine|host|computer|node|site|instance|environment)s?\b|\belsewhere\b"),
    ("scheme", r"\bhttps?://(?!\w)|\b(?:over|via|with|on|using|through|by)\s+(?:plain\s+|normal\s+)?https?\b|\bhttps?\b(?=\s+(?:works|is|it|does|fails|gives|version|url|requests?))|\b(?:all\s+)?over\s+https\b"),
    ("method", r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|PROPFIND)\b(?!\s+/?\w*/)(?:\s+(?:requests?|calls?))?"),
    ("method", r"\b(?:reading|writing|publishing|updating|uploading|saving|deleting|creating|editing|pulling|pushing|downloading)\b|\b(?:pull|push|reads?|writes?)\b(?=\s+(?:works?|fails?|succeeds?|is|are|does|gives?|requests?))"),
    ("path", r"\b(?:all|other|every|most|some|the\s+rest\s+of\s+the|different)\s+(?:the\s+)?(?:other\s+)?(?:api\s+)?(?:pages?|endpoints?|routes?|urls?|paths?|resources?|repos(?:itories|itory)?|calls?|requests|methods|sites?|packages|images|projects)\b"),
    ("path", r"\b(?:only|just)\s+(?:this|that|one|the|these|for|on)\s+(?:\w+\s+)?(?:endpoint|route|page|path|url|resource|call|repository|project|package)\b|\b(?:that|this|one)\s+(?:path|endpoint|route|page|url)\b"),
    ("path", r"\b(?:the\s+)?(?:docker\s+)?(?:log-?in|sign-?in|authentication|handshake)\s+(?:itself\s+)?(?=(?:works|succeeds|succeeded|worked|is\s+(?:fine|ok|successful)|goes\s+through|returns\s+200))"),
    ("user", r"\b(?:other|another|different|all\s+other|some|certain|most|few|new|existing|admin(?:istrator)?|non-admin|normal|regular|local|ldap)\s+(?:users?|accounts?|people|persons|colleagues?|logins?|team\s+members?|customers?)\b|\b(?:my|a)\s+(?:colleagues?|co-?workers?|friends?)\b|\bas\s+(?:admin|root|administrator)\b|\b(?:everybody|everyone|anyone)\s+else\b|\bfor\s+(?:me|one\s+user|a\s+single\s+user)\b"),
    ("credential", r"\b(?:other|another|different|new|fresh|second|older|old|brand-?new|newly\s+created|regenerated|personal|global|admin|legacy|classic)\s+(?:api\s+|access\s+)?(?:[\w-]+\s+)?(?:tokens?|keys?|passwords?|credentials?|secrets?|pat|key\s+pairs?)\b|\bpasswords?\s+without\s+(?:special\s+)?(?:characters?|umlauts?|symbols?)|\b(?:simple|short(?:er)?|plain|ascii|alphanumeric)\s+passwords?\b"),
    ("credential", r"\bwithout\s+(?:(?:the|any|a|an|my|sending|all)\s+)*(?:authori[sz]ation|auth(?:entication)?|credentials?|token|api[\s-]key|key|password|cookies?|header|logg?ing\s+in|login)(?:\s+(?:header|at\s+all|field))?\b|\banonymous(?:ly)?\b|\bwhen\s+(?:i\s+am\s+|i'm\s+)?(?:logged|signed)\s+out\b|\bunauthenticated\s+requests?\b|\b(?:leave|leaving|remov\w+|omit\w*|drop\w*|strip\w*)\s+(?:out\s+|off\s+)?(?:the\s+)?(?:authorization|auth|token|cookie|credentials?)(?:\s+header)?\b"),
    ("network", r"\b(?:from|on|over|via|through|with|without|using)\s+(?:(?:an?|the|my|our|another|other|different|any|some)\s+)*(?:other\s+|new\s+)?(?:ip(?:\s+address(?:es)?)?s?|networks?|vpn|mobile\s+(?:data|network)|hotspot|4g|5g|lte|wi-?fi|lan|home|office|outside|internet|external|country|countries|location|subnet)\b|\bfrom\s+(?:inside|within)\s+the\s+(?:network|lan|office)\b|\bvpn\b"),
    ("session", r"\b(?:incognito|private|inprivate)(?:\s+(?:window|browsing|mode|tab|session|browser))?\b(?=.{0,40})|\bclear(?:ing|ed)?\s+(?:(?:the|my|all|its|browser)\s+)*(?:cookies?|cache|site\s+data|browser(?:'s)?\s+(?:data|cache)|local\s*storage|history|credentials?)\b|\b(?:another|different|other|fresh|second)\s+browsers?(?:\s+profile)?\b|\bnew\s+(?:browser\s+)?profile\b|\b(?:delet|remov)(?:ing|ed|e)\s+(?:(?:the|all|my|its)\s+)*(?:\w+\s+)?cookies?\b|\b(?:logg?ing|log|signing|sign)\s+out\s+(?:and\s+(?:back\s+)?in|fully)\b"),
    ("layer", r"\b(?:direct(?:ly)?|by-?pass(?:ing|ed)?|port-forward\w*|behind\s+(?:(?:the|a|an|our)\s+)*[\w-]+|(?:with|without|through|via|using|past|around)\s+(?:(?:the|a|an|our|any)\s+)*(?:[\w-]+\s+)?(?:proxy|proxies|load\s?balancer|cdn|gateway|ingress|cloudflare|cloudfront|nginx|traefik|apache|haproxy|caddy|envoy|kong|alb|elb|waf|tunnel|reverse[\s-]proxy|api\s+gateway)|(?:container|pod|service)(?:'s)?\s+(?:port|ip)|no\s+(?:cdn|proxy)\s+in\s+front|from\s+(?:within|inside)\s+the\s+(?:cluster|pod|container|host))\b"),
    ("parallel", r"\b(?:in\s+parallel|concurrent(?:ly)?|simultaneous(?:ly)?|at\s+the\s+same\s+time|(?:several|multiple|two|three|many)\s+(?:tabs|processes|threads|workers|instances|requests\s+at\s+once|clients\s+at\s+once|replicas|pods)|(?:two|second|another)\s+(?:tab|process|instance|replica)|one\s+(?:at\s+a\s+time|after\s+(?:the\s+)?(?:an)?other|replica|worker|instance|pod|by\s+one)|(?:a\s+)?single\s+(?:worker|replica|instance|process|thread|pod|node)|sequential(?:ly)?|under\s+load)\b"),
    ("version", rf"(?:\b{_BY}\s+)?(?:(?!tls|ssl|oauth|http|changed)[A-Za-z][\w.+-]*\s+)?{_VERSION}"),
    ("version", r"\b(?:old(?:er)?|previous|prior|earlier|last|new(?:er|est)?|latest|recent|current|next)\s+(?:major\s+|minor\s+)?(?:versions?|releases?|builds?|images?|firmware)\b|\b(?:down-?grad|roll(?:ing|ed)?\s+back|revert)\w*(?:\s+to)?\b"),
    ("restart", r"\b(?:after|until|once|since|upon|on|following|when|whenever|every\s+time|each\s+time|if|by)\s+(?:(?:a|an|the|every|each|i|we|it|my|next|another|full|you)\s+)*(?:(?:server|service|container|pod|machine|app|application|box|host|system|server-side|side|redis|[\w-]+)\s+)?(?:is\s+|was\s+|are\s+|gets\s+)?(?:re-?start(?:s|ed|ing)?|re-?boot(?:s|ed|ing)?|re-?deploy(?:s|ed|ment|ments|ing)?|deploy(?:s|ed|ment|ments|ing)?|re-?creat(?:e|es|ed|ing|ion)|re-?compil(?:e|es|ed|ing)|re-?load(?:ed|s)?\s+of\s+the\s+server|power\s+cycl\w+|re-?build(?:s|ing)?|re-?built)\b|\bcauses?\s+a\s+restart\b|\brestarting\b|\brebooting\b"),
    ("change", r"\b(?:un-?lock(?:ed|ing)|(?:dis|de-?)(?:abl|activat)(?:e|ed|ing)|switch(?:ed|ing)\s+(?:it\s+)?off|turn(?:ed|ing)\s+(?:it\s+)?off|comment(?:ed|ing)\s+(?:it\s+)?out|un-?install(?:ed|ing)?|instead\s+of)\b|\bwith\s+(?:the\s+)?\S+(?:\s+\S+){0,2}\s+(?:enabled|on|off)\b|\b(?:enabl(?:ed|ing)|activat(?:ed|ing))\b"),
    ("change", r"\bwithout\s+(?:(?:the|these|this|that|two|any)\s+)*(?:[\w-]+\s+)?(?:lines?|settings?|options?|plug-?ins?|modules?|extensions?|filters?|middleware|rules?|directives?|blocks?|themes?)\b|\b(?:if|when|once|after|by)\s+(?:i\s+|we\s+)?(?:remov|delet|add|chang|replac|set|edit|mov|renam|reset|regenerat|rotat)\w*\b(?!\s+(?:the\s+)?(?:authorization|cookie))"),
)  # fmt: skip

#: A clause of these that fails is told apart from what worked before, without a second clause.
BEFORE_AND_AFTER: tuple[tuple[Axis, str], ...] = (
    ("version", r"\b(?:since|after|following|with|by|ever\s+since|once)\s+(?:(?:the|an?|my|our|i|we|it|last|latest|recent|just|having|this|today's|yesterday's)\s+)*(?:[\w.-]+\s+)?(?:up-?grad|up-?dat|migrat|bump|switch(?:ed|ing)?\s+to\s+(?:version|v?\d))\w*(?:\s+(?:of|from|to)\s+[\w./-]+(?:\s+[\w./-]+)?)*"),
    ("version", rf"\b(?:since|as\s+of|starting\s+(?:with|from)|broke\s+in|broken\s+(?:in|since)|began\s+(?:with|in)|after)\s+(?:[A-Za-z][\w-]*\s+)?{_VERSION}|\bregression\b"),
    ("change", r"\b(?:since|after|ever\s+since)\s+(?:(?:i|we|it|the|my|our|a|was|were|had|have|has|been|they|he|she)\s+)*(?:\w+\s+)?(?:chang|mov|migrat|switch|enabl|install|add|renew|reset|rotat|restor|import|clon|renam|transfer)\w*"),
    ("change", r"\bsuddenly\b|\bout\s+of\s+the\s+blue\b|\b(?:since|as\s+of)\s+(?:yesterday|today|this\s+morning|last\s+(?:week|night|month)|a\s+few\s+days|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|\bstopped\s+working\b|\bno\s+longer\s+works?\b"),
)  # fmt: skip

#: An upgrade that a clause of its own already names.
BEFORE_AND_AFTER_UPGRADE = lazy(r"(?i)\b(?:since|after|following|with)\s+(?:\w+\s+){0,3}?up-?(?:grad|dat)")

#: A clause that worked in the past tense and says until when, or how long.
ONCE_WORKED: tuple[tuple[Axis, str], ...] = (
    ("version", rf"\bwork(?:ed|s)\s+(?:\w+\s+){{0,2}}?(?:with|in|on|under|before|until|up\s+to|prior\s+to)\s+(?:(?!tls|ssl|oauth|http)[A-Za-z][\w-]*\s+)?{_VERSION}|{_VERSION}\s+(?:worked|was\s+fine)"),
    ("change", r"\b(?:used\s+to\s+work|work(?:ed|ing)\s+(?:\w+\s+){0,2}?(?:before|until|previously|yesterday|for\s+(?:years|months|weeks)|a\s+(?:week|month|day)\s+ago)|(?:ran|worked|was\s+working|were\s+working)\s+(?:\w+\s+)?(?:\d+|a\s+few|some|an?)\s+(?:hours?|days?|weeks?)\s+ago|had\s+been\s+working|has\s+been\s+working|nothing\s+(?:has\s+)?changed|previously\s+worked|everything\s+(?:was\s+)?work(?:ed|ing)\s+(?:fine|well))\b"),
)  # fmt: skip

_SPAN = r"(?:about\s+|around\s+|roughly\s+|exactly\s+|some\s+|almost\s+|approximately\s+|~\s*)?(?:an?\s+|one\s+|a\s+few\s+|few\s+|several\s+|two\s+|three\s+|ten\s+|fifteen\s+|thirty\s+|\d+(?:-\d+)?\s*)(?:seconds?|minutes?|mins?|hours?|h\b|days?|weeks?|months?)"
#: It works for a while; every one holds its own outcome.
AGES = lazy(
    rf"""(?ix)
    \b(?:work(?:s|ed|ing)?|fine|ok|succeeds?|runs?|logged\s+in|valid|good|connected)\s+(?:\w+\s+){{0,2}}?for\s+(?:{_SPAN}|a\s+while|some\s+time|(?:the\s+first|only)\s+{_SPAN}|hours|days)\b
    | \bafter\s+{_SPAN}(?!\s+of\s+(?:debugging|work|trying|searching|research))(?:\s+of\s+(?:idle\w*|inactivity|use|running|uptime))?\b
    | \bafter\s+(?:a\s+while|some\s+time|being\s+idle|idling|inactivity|sleep(?:ing)?|(?:the\s+)?(?:computer|laptop|mac|phone)\s+(?:sleeps|wakes))\b
    | \b{_SPAN}\s+later\b | \bthe\s+next\s+(?:day|morning)\b | \bovernight\b | \bevery\s+(?:hour|day|morning|night|week|{_SPAN})\b | \bwithin\s+(?:the\s+first\s+)?{_SPAN}\b
    | \bworks?\s+(?:at\s+first|initially|once|the\s+first\s+time|for\s+the\s+first)\b | \b(?:first|initial)\s+(?:request|call|time)s?\s+(?:work|succeed|is\s+fine|are\s+fine|goes)
    | \buntil\s+(?:the\s+|my\s+|its\s+)?(?:access\s+)?(?:token|session|cookie|ticket)\s+(?:has\s+)?(?:expire|time|run)
    """
)

#: The same request works and fails.
FREQUENCY = lazy(
    r"""(?ix)
    \b(?: intermittent(?:ly)? | sporadic(?:ally)? | (?<!a\s)random(?:ly)?(?!\s+(?:string|token|secret|password|key|value|generated|number|user|bytes|name|port|id|uuid|characters?|chosen|delay|data))(?!ly\s+(?:generated|chosen|created|named))
      | (?:one|1|two|2|three)\s+(?:in|out\s+of|of(?:\s+every)?)\s+(?:every\s+)?(?:two|three|four|five|six|seven|eight|nine|ten|twenty|\d+)(?=\W*(?:$|requests?|calls?|times?|attempts?|of\s|fails?|gets?|is|are|logins?|runs?|tries|succeed|works?|returns?))
      | \d+\s*(?:out\s+of|of|/)\s*\d+\s+(?:requests?|calls?|times|attempts|tries|logins?|runs)
      | every\s+(?:other|second|third|fourth|fifth|\d+(?:nd|rd|th|st))\s+(?:request|call|time|attempt|login|page|refresh|try)
      | (?:roughly|about|around|nearly|some)\s+(?:half|a\s+third|a\s+quarter|\d+\s?%)\s+(?:of\s+)?(?:the\s+)?(?:requests|calls|time|times|attempts|logins|users)?
      | \d+\s?%\s+of\s+(?:the\s+|all\s+|our\s+)?(?:requests|calls|time|attempts|logins) | sometimes | occasional(?:ly)? | now\s+and\s+then | every\s+now\s+and\s+(?:then|again) | once\s+in\s+a\s+while
      | flak(?:y|es|ey) | on\s+and\s+off | from\s+time\s+to\s+time | not\s+always | not\s+every\s+(?:request|time) | hit\s+(?:or|and)\s+miss | (?:some|a\s+few|part)\s+of\s+the\s+(?:requests|calls|attempts)
      | (?:after|on|upon)\s+(?:a\s+few\s+|several\s+|some\s+|a\s+|the\s+)?(?:second\s+)?(?:retr(?:y|ies)|refresh(?:es)?|reloads?)(?:\s+(?:it|the\s+page|usually))*\s+(?:works|succeeds|goes\s+through|usually)
      | re(?:try|load|fresh)(?:ing)?\s+(?:\w+\s+){0,2}?(?:works|helps|succeeds|fixes) | keeps?\s+(?:switching|alternating|flipping) | alternat(?:es|ing|ely)(?!\s+(?:domain|name)) | some\s+requests\s+(?:work|succeed|pass|fail|get) | non-?deterministic(?:ally)? )\b
    """
)
DENIED_FREQUENCY = lazy(
    r"(?i)\b(?:not|n['’]t|never)\s+(?:\w+\s+)?(?:intermittent|sporadic|random|flaky|sometimes)|\b(?:every|each)\s+single\s+time|\b100\s?%|\balways\s+fails"
)

#: "Since" an event that stands in a sentence of its own ("WooCommerce was updated two hours ago").
EVENT = lazy(
    r"(?i)\b(?:was|were|got|has\s+been|have\s+been|been|i|we|just|recently|auto-?matically|auto-?)\s+(?:just\s+|recently\s+|automatically\s+|auto-)*(?:up-?dated|up-?graded)\b"
    rf"|\b(?:up-?dated|up-?graded|moved|migrated)\s+(?:\w+\s+){{0,3}}?(?:from\s+\S+\s+)?to\s+(?:[A-Za-z][\w.-]*\s+)?{_VERSION}"
    r"|\b(?:up-?grade|update)\s+(?:of\s+\S+\s+)?(?:from|to)\s+v?\d"
)

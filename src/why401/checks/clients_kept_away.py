"""Checks of what keeps a tool from credentials that exist: another user, shell, file, host or container.

Also of settings that name a credential beside a request that carries none.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import every, troubled
from why401.checks.credentials_places import carried
from why401.evidence import Evidence, Text
from why401.findings import FAINT, HINT, STRONG, Finding, Where

#: What else keeps a tool from its credentials → says, pattern(s) that must all be found, weight.
_KEPT_AWAY: tuple[tuple[str, tuple[str, ...], float], ...] = (
    (
        "The login was made as one user, and sudo runs the tool as another, who has no saved login.",
        (
            r"(?<!sudo )\b(?:docker|podman|helm|npm|az|gcloud|aws) (?:registry )?login",
            r"\bsudo (?:-\S+ )*(?:docker|podman|helm|npm|az|gcloud|aws)\b(?! login)",
        ),
        15.0,
    ),
    (
        "Helm since 3.6.1 sends the repository's credentials to no other host unless told --pass-credentials.",
        (r"failed to (?:fetch|download)[^\n]*: ?40[13]|could not download", r"\bhelm\b"),
        9.0,
    ),
    (
        "The image is pulled by the cluster, which knows none of the logins of your machine: it needs imagePullSecrets.",
        (
            r"ErrImagePull|ImagePullBackOff|Failed to pull image",
            r"pull access denied|unauthorized|authentication required|no basic auth credentials|40[13]",
        ),
        12.0,
    ),
    (
        "The publish repository is not one of the .pypirc's index-servers.",
        (r"\[distutils\]", r"index-servers", r"--repository(?:-url)?[ =]\S+"),
        5.0,
    ),
    (
        "curl reads a netrc file only with -n or --netrc.",
        (r"^\s*machine\s+\S+", r"\bcurl (?!.*(?: -\w*n| --netrc))"),
        10.0,
    ),
    (
        "The variable belongs to a shell that the service or job does not share.",
        (
            r"(?:systemd|\bcron(?:tab)?\b|docker(?:-compose| compose| run)|service unit|launchd|IDE|PyCharm|VS ?Code|GUI)",
            r"\.bashrc|\.zshrc|\.profile|export [A-Z_]*(?:TOKEN|KEY|SECRET|PASSWORD)",
        ),
        11.0,
    ),
    (
        "A login works by hand and the job has its own, empty configuration.",
        (
            r"works? (?:locally|on my (?:machine|laptop)|from (?:my|the) (?:terminal|shell|command line)|interactively|manually)",
            r"\b(?:CI|pipeline|GitHub Actions?|GitLab|Jenkins|runner|cron|systemd|container|Docker)\b",
        ),
        7.0,
    ),
    (
        "The settings of the tool name a proxy without user and password.",
        (r"\bhttps?_proxy\s*=\s*[\"']?https?://[\w.-]+(?::\d+)?/?[\"']?\s*$", r"\b407\b"),
        9.0,
    ),
    (
        "A credential is given for one organisation, project or registry, and the tool reads another file or profile.",
        (
            r"(?:wrong|other|another|different|default) (?:config(?:uration)?(?: file)?|profile|context|kubeconfig)|config file = None|(?:could ?n[o']t|did ?n[o']t|does ?n[o']t|not) (?:load|read|find|pick(?:ing)? up|see)[^.\n]{0,30}(?:config|credentials?|settings|\.env|netrc|npmrc|token|variable)",
        ),
        9.0,
    ),
    (
        "The tool has settings for the credential, and nothing of them is sent.",
        (
            r"(?:no|without(?: any| an| the)?|missing|does ?n[o']t (?:send|include|add|pass|attach|have)|not (?:sending|sent|including|included|adding|added|passing|attached))[^.\n]{0,25}(?:authorization|auth(?:entication)? header|credentials|\btoken)",
            r"username|password|token|api[_-]?key|credential",
        ),
        7.0,
    ),
)


@check
def kept_away(evidence: Evidence) -> Iterator[Finding]:
    """What keeps a tool from credentials that exist."""
    if not troubled(evidence):
        return
    for says, patterns, weight in _KEPT_AWAY:
        found = [next(every(evidence, pattern), None) for pattern in patterns]
        if all(found) and found[0]:
            weights = {"client-config-not-loaded": weight, "no-credentials": FAINT if weight < 8 else 2.0}
            yield Finding("kept-away", says, weights, found[0][1], group="kept-away")


@check
def configured_but_not_sent(evidence: Evidence) -> Iterator[Finding]:
    """Settings give a user and password or token, and the whole request that was refused carries none."""
    bare = [
        x
        for x in evidence.refused
        if x.request.complete and x.request.fields and not carried(x) and x.request.method != "OPTIONS"
    ]
    sent_later = any(carried(x) for x in evidence.exchanges)
    if not bare or sent_later:
        return
    for text in evidence.texts:
        found = _configured(text)
        if found:
            weights = {
                "client-config-not-loaded": STRONG,
                "challenge-not-answered": HINT,
                "software-bug": 8.0,
                "no-credentials": 2.0,
            }
            says = "Settings name a credential, and the request that was refused carries none."
            yield Finding("configured-not-sent", says, weights, found, group="not-attached")
            return


def _configured(text: Text) -> Where | None:
    if text.kind not in ("settings", "code"):
        return None
    pattern = r"[\"']?\b(?:password|passwd|_authToken|api_?key|token|bearer_token|client_secret|basic_auth)\b[\"']?\s*[:=>]\s*\S"
    match = re.search(pattern, text.content, re.I)
    return Where.of(text.source.at(text.line_at(match.start()))) if match else None

"""A real OpenID Connect provider for one test: oidc-provider-mock on a free port.

Prints one line of JSON, {"issuer": ..., "tokens": {subject: id_token}}, each token got by the authorization code flow of a
client, and runs until its standard input ends.
"""

import base64
import json
import sys
import urllib.parse
import urllib.request

import oidc_provider_mock

CLIENT, SECRET, REDIRECT = "oms", "secret", "http://localhost/callback"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def code(issuer, subject):
    query = urllib.parse.urlencode({
        "client_id": CLIENT, "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid profile email", "state": "s",
    })
    form = urllib.parse.urlencode({"sub": subject}).encode()
    request = urllib.request.Request(f"{issuer}/oauth2/authorize?{query}", data=form)
    try:
        urllib.request.build_opener(NoRedirect).open(request)
    except urllib.error.HTTPError as answer:
        location = answer.headers["Location"]
        return urllib.parse.parse_qs(urllib.parse.urlparse(location).query)["code"][0]
    raise SystemExit("the provider did not redirect")


def token(issuer, subject):
    form = urllib.parse.urlencode({"grant_type": "authorization_code", "code": code(issuer, subject), "redirect_uri": REDIRECT})
    basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    request = urllib.request.Request(f"{issuer}/oauth2/token", data=form.encode(), headers={"Authorization": f"Basic {basic}"})
    return json.load(urllib.request.urlopen(request))["id_token"]


def main():
    users = json.loads(sys.argv[1])
    claims = [oidc_provider_mock.User(sub=sub, claims=extra) for sub, extra in users.items()]
    with oidc_provider_mock.run_server_in_thread(port=0, user_claims=claims) as server:
        issuer = f"http://localhost:{server.server_port}"
        print(json.dumps({"issuer": issuer, "tokens": {sub: token(issuer, sub) for sub in users}}), flush=True)
        sys.stdin.read()


main()

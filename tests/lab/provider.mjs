// A real OpenID provider on loopback: node provider.mjs PORT [REDIRECT_URI]. Tokens for a resource are JWTs. With a
// redirect URI, people sign in by typing any name: the name is their account, and NAME@example.com their address,
// which is verified unless the name begins with "un".
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
const back = process.argv[3];
const issuer = `http://127.0.0.1:${port}`;
const resource = (indicator) => ({
  scope: "read write",
  audience: indicator,
  accessTokenFormat: "jwt",
  accessTokenTTL: indicator.includes("short") ? 1 : 600,
  jwt: { sign: { alg: "RS256" } },
});
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "shop",
      client_secret: "shop-made-up-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
    ...(back
      ? [{ client_id: "monitor", client_secret: "monitor-made-up-secret", redirect_uris: [back], response_types: ["code"] }]
      : []),
  ],
  scopes: ["openid", "email", "read", "write"],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith("un") }),
  }),
  pkce: { required: () => true },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: Boolean(back) },
    resourceIndicators: { enabled: !back, getResourceServerInfo: (_, indicator) => resource(indicator) },
  },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));

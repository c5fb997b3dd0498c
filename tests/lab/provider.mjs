// A real OpenID provider on loopback: node provider.mjs PORT. Tokens for a resource are JWTs.
import { Provider } from "oidc-provider";

const port = Number(process.argv[2]);
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
  ],
  scopes: ["read", "write"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo: (_, indicator) => resource(indicator) },
  },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
